"""What may not change is put back after every step, at the noise of that step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffsynth.diffusion import FlowMatchScheduler

from standin_batch.engine.background import Background

SHAPE = (1, 16, 2, 4, 6)


@pytest.fixture
def scheduler():
    made = FlowMatchScheduler("Wan")
    made.set_timesteps(4, denoising_strength=0.85, shift=5.0)
    return made


@pytest.fixture
def background():
    random = torch.Generator().manual_seed(0)
    mask = np.zeros((5, 32, 48), np.float32)
    mask[1:, 8:16, 16:24] = 1.0
    return Background.of(mask, torch.randn(SHAPE, generator=random), torch.randn(SHAPE, generator=random))


def test_inside_the_mask_nothing_is_touched(background, scheduler):
    latents = torch.full(SHAPE, 7.0)
    assert (background.put_back(scheduler, latents, 1)[:, :, 1, 1, 2] == 7.0).all()


def test_outside_is_the_original_with_the_noise_of_the_next_step(background, scheduler):
    found = background.put_back(scheduler, torch.full(SHAPE, 7.0), 2)
    noised = scheduler.add_noise(background.original, background.noise, timestep=scheduler.timesteps[2])
    assert torch.equal(found[:, :, 0], noised[:, :, 0])
    assert torch.equal(found[:, :, 1, 2:], noised[:, :, 1, 2:])


def test_after_the_last_step_it_is_the_original_itself(background, scheduler):
    found = background.put_back(scheduler, torch.full(SHAPE, 7.0), len(scheduler.timesteps))
    assert torch.equal(found[:, :, 0], background.original[:, :, 0])

"""Flow matching: noise and slope, and that sampling follows a slope that is known."""

from __future__ import annotations

import pytest
import torch
from diffsynth.diffusion.flow_match import FlowMatchScheduler

from training.dit.flow import SHIFT, TIMESTEPS, flow_loss, sample, shifted


def test_shares_of_noise_are_those_that_the_demo_row_samples() -> None:
    scheduler = FlowMatchScheduler("Wan")
    scheduler.set_timesteps(20, shift=SHIFT)
    torch.testing.assert_close(shifted(torch.linspace(1, 0, 21)[:-1]), scheduler.sigmas)


def test_a_model_that_knows_the_slope_has_no_loss() -> None:
    latents = torch.full((8, 16, 1, 2, 2), 0.5)

    def knows(x: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        share = timesteps.view(-1, 1, 1, 1, 1) / TIMESTEPS
        return (x - latents) / share

    assert float(flow_loss(knows, latents, torch.Generator().manual_seed(0))) == pytest.approx(0, abs=1e-6)


def test_sampling_ends_where_the_slope_leads() -> None:
    wanted = torch.linspace(-1, 1, 64).view(1, 16, 1, 2, 2)

    def towards(x: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        return (x - wanted) / (timesteps.view(-1, 1, 1, 1, 1) / TIMESTEPS)

    torch.testing.assert_close(sample(towards, towards, (1, 16, 1, 2, 2), 0), wanted, atol=1e-4, rtol=1e-4)

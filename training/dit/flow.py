"""Flow matching as Wan was trained: a straight line from noise to latents, whose slope the transformer tells."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch

SHIFT = 3.0
"""Of the noise's share, as the demo row samples."""
TIMESTEPS = 1000

Velocity = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From latents [B, 16, T, h, w] and timesteps [B] to the slope."""


def shifted(share: torch.Tensor, shift: float = SHIFT) -> torch.Tensor:
    """Shares of noise, 0..1, moved towards more of it (`set_timesteps_wan` of DiffSynth's `FlowMatchScheduler`)."""
    return shift * share / (1 + (shift - 1) * share)


def flow_loss(velocity: Velocity, latents: torch.Tensor, chance: torch.Generator, highest: float = 1.0) -> torch.Tensor:
    """The mean squared error of the slope at shares of noise drawn by chance.

    Args:
        velocity: of the model.
        latents: [B, 16, T, h, w], without noise.
        chance: of noise and shares, which are spread evenly over the batch.
        highest: share of noise before it is shifted.
    """
    count = len(latents)
    share = (torch.arange(count) + torch.rand(count, generator=chance)) / count * highest
    share = shifted(share[torch.randperm(count, generator=chance)])
    noise = torch.randn(latents.shape, generator=chance)
    at = share.view(-1, 1, 1, 1, 1)
    found = velocity((1 - at) * latents + at * noise, share * TIMESTEPS)
    return (found.float() - (noise - latents)).square().mean()


@torch.no_grad()
def sample(
    with_prompt: Velocity, without: Velocity, shape: tuple[int, ...], seed: int, steps: int = 20, cfg_scale: float = 3.0
) -> torch.Tensor:
    """Latents from noise by Euler's steps, with guidance.

    Args:
        with_prompt: slope with the prompt.
        without: slope without.
        shape: of the latents.
        seed: of the noise.
        steps: how many.
        cfg_scale: of the difference that the prompt makes.
    """
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    shares = shifted(torch.linspace(1, 0, steps + 1))
    for now, then in pairwise(shares):
        timesteps = now.expand(shape[0]) * TIMESTEPS
        negative = without(latents, timesteps).float()
        slope = negative + cfg_scale * (with_prompt(latents, timesteps).float() - negative)
        latents = latents + slope * (then - now)
    return latents

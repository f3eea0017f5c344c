"""Muon: updates are orthogonal, of one size whatever the gradient's, and lead downhill."""

from __future__ import annotations

import pytest
import torch

from training.optimizer import SCALE, Muon, orthogonal


@pytest.mark.parametrize("shape", [(16, 16), (16, 64), (64, 16)])
def test_singular_values_come_to_lie_about_one(shape: tuple[int, int]) -> None:
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrices))
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.5


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_an_update_is_as_large_whatever_the_gradient_is(size: float) -> None:
    kernel = torch.nn.Parameter(torch.zeros(32, 16, 3, 3))
    kernel.grad = torch.randn(32, 16, 3, 3, generator=torch.Generator().manual_seed(0)) * size
    Muon([kernel], lr=0.1).step()
    assert float(kernel.detach().square().mean().sqrt()) == pytest.approx(0.1 * SCALE, rel=0.3)


def test_it_finds_the_matrix_that_a_loss_asks_for() -> None:
    chance = torch.Generator().manual_seed(0)
    wanted, found = torch.randn(8, 8, generator=chance), torch.nn.Parameter(torch.zeros(8, 8))
    optimizer = Muon([found])
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 0.5 * (1 - step / 200)
        optimizer.zero_grad()
        (found - wanted).square().sum().backward()
        optimizer.step()
    assert float((found - wanted).abs().max()) < 0.1

"""Norm and SiLU in one pass: what PyTorch's own operations give, forwards and backwards."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from training.vae.fused import kernels, norm, norm_silu

pytestmark = pytest.mark.slow  # the kernels are compiled on first use: most of a minute


@pytest.fixture(autouse=True)
def _compiled():
    if kernels() is None:
        pytest.skip("there is no C++ compiler, so PyTorch's operations are used")


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("width", [16, 32, 64])
def test_is_norm_and_silu_behind_frames_of_zeros(width: int, before: int) -> None:
    x = torch.randn(2, width, 3, 4, 5, generator=torch.Generator().manual_seed(0)).bfloat16()
    gamma = torch.linspace(0.5, 1.5, width)
    exact = F.pad(F.silu(norm(x.float(), gamma)), (0, 0, 0, 0, before, 0))
    torch.testing.assert_close(norm_silu(x, gamma, before).float(), exact, atol=0.02, rtol=0.01)


def test_gradients_are_those_of_the_plain_operations() -> None:
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(2, 16, 3, 4, 5, generator=generator).bfloat16()
    upstream = torch.randn(2, 16, 5, 4, 5, generator=generator).bfloat16()
    found = []
    for dtype in (torch.bfloat16, torch.float64):
        x, gamma = values.to(dtype).requires_grad_(), torch.linspace(0.5, 1.5, 16).requires_grad_()
        norm_silu(x, gamma, 2).backward(upstream.to(dtype))
        found.append((x.grad, gamma.grad))
    (x_fused, gamma_fused), (x_plain, gamma_plain) = found
    torch.testing.assert_close(x_fused.double(), x_plain, atol=0.03, rtol=0.02)
    torch.testing.assert_close(gamma_fused, gamma_plain, atol=0.1, rtol=0.01)

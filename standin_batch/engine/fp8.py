"""The blocks' linear layers in 8-bit floating point (w8a8), by torchao, and off again to the very bits.

Weights are scaled by row once, activations by row (token) in each pass, both as e4m3. They are made from weights that
have their LoRAs in them already; the bfloat16 ones wait in CPU memory meanwhile, and come back themselves.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from standin_batch.engine.placement import HOME
from standin_batch.job import Job

_NOBODYS = object()
"""Content of weights that are on their way back."""


class EightBits:
    """Which experts of one model have their blocks in 8 bits: changed only when a job needs other weights.

    Args:
        device: that computes scales, wherever the weights are.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._on: dict[int, tuple[Hashable, InEightBits]] = {}

    def is_on(self, expert: int) -> bool:
        """Whether the blocks of an expert are in 8 bits."""
        return expert in self._on

    def make_way(self, job: Job, expert: int) -> None:
        """Have the full weights of an expert in place, unless `job` wants just the 8 bits that are there.

        LoRAs come on and off full weights: so this comes before them, and `put_on` behind them.
        """
        if expert in self._on and (not job.speed.fp8 or self._on[expert][0] != _content(job)):
            bits = self._on[expert][1]
            self._on[expert] = (_NOBODYS, bits)  # should memory run out now, the next job goes on with it
            bits.restore()
            del self._on[expert]

    def put_on(self, job: Job, expert: int, dit: Any) -> None:  # noqa: ANN401
        """Bring the blocks of an expert to 8 bits, if `job` wants that and they are not."""
        if job.speed.fp8 and expert not in self._on:
            self._on[expert] = (_content(job), to_eight_bits(dit, self._device))


def _content(job: Job) -> Hashable:
    """What decides the weights besides the model."""
    return repr([lora.fingerprint() for lora in job.loras])


@dataclass(frozen=True)
class InEightBits:
    """Linear layers with 8-bit weights, and the way back."""

    _kept: list[tuple[torch.nn.Linear, Any]] = field(default_factory=list, repr=False)

    @torch.no_grad()
    def restore(self) -> None:
        """Put back every weight, the very parameter that it was, where its layer is now. A second call does nothing."""
        while self._kept:
            linear, weight = self._kept[-1]
            weight.data = weight.data.to(linear.weight.device)
            linear.weight = weight
            self._kept.pop()


@torch.no_grad()
def to_eight_bits(dit: Any, device: str) -> InEightBits:  # noqa: ANN401
    """Bring the linear layers of all blocks of `dit` to 8 bits, in place, one after the other.

    Norms, modulation, embeddings and the head stay as they are. After any error all weights are as they were.

    Args:
        dit: with bfloat16 weights.
        device: that computes the scales, wherever the weights are: another might round in another way.

    Raises:
        ImportError: if torchao is not there; a run looks for it before it begins.
        AssertionError: if torchao does not take the device; likewise.
    """
    done = InEightBits()
    try:
        for linear in _linears(dit):
            weight = linear.weight
            linear.weight = torch.nn.Parameter(_eight_bits(weight, device), requires_grad=False)
            done._kept.append((linear, weight))
            weight.data = weight.data.to(HOME)
    except BaseException:
        done.restore()
        raise
    return done


def _linears(dit: Any) -> Iterator[torch.nn.Linear]:  # noqa: ANN401
    return (module for block in dit.blocks for module in block.modules() if isinstance(module, torch.nn.Linear))


def _eight_bits(weight: torch.Tensor, device: str) -> torch.Tensor:
    """One weight as torchao has it, where `weight` is."""
    from torchao.quantization import Float8DynamicActivationFloat8WeightConfig, PerRow, quantize_

    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    layer.weight = torch.nn.Parameter(weight.detach().to(device), requires_grad=False)
    quantize_(layer, Float8DynamicActivationFloat8WeightConfig(granularity=PerRow()))
    return layer.weight.detach().to(weight.device)

"""LoRAs fused into the DiT's weights, exactly, and taken off again to the very bits.

`W' = W + sum of scale * (alpha / rank) * up @ down`, or `scale * delta`, in float32 from the pristine W, cast once to
the parameter's dtype (LoRA, section 4.1 of arXiv 2106.09685; DiffSynth's `fuse_lora_to_base_model` computes the same
without alpha, and rounds once per LoRA).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from safetensors import SafetensorError, safe_open

from standin_batch.errors import StandinError
from standin_batch.weights.lora_keys import Delta, LoraError, LoraLayout, Pair, read_layout

_PRISTINE: WeakKeyDictionary[torch.nn.Module, dict[str, torch.Tensor]] = WeakKeyDictionary()
"""Of models that LoRAs are fused into: the weights that were touched, as they were."""


class FusionError(StandinError):
    """A LoRA that fits the model, but not at this strength."""


@dataclass(frozen=True)
class LoraFile:
    """A LoRA to fuse.

    Attributes:
        path: a safetensors file.
        scale: how strongly it acts; at 0 it changes nothing, below 0 it acts the other way.
    """

    path: Path
    scale: float


@dataclass(frozen=True)
class Fused:
    """LoRAs in a DiT, and the way back."""

    _dit: torch.nn.Module = field(repr=False)
    _pristine: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)

    @torch.no_grad()
    def restore(self) -> None:
        """Put every weight back to the very bits it had. A second call does nothing."""
        if _PRISTINE.get(self._dit) is not self._pristine:
            return
        parameters = dict(self._dit.named_parameters())
        for name, weight in self._pristine.items():
            parameters[name].copy_(weight)
        self._pristine.clear()
        del _PRISTINE[self._dit]


@torch.no_grad()
def fuse(dit: torch.nn.Module, loras: Sequence[LoraFile], device: str | None = None) -> Fused:
    """Add `loras`, in their order, to the weights of `dit`, in place.

    All files are checked before the first weight is touched, and after any error all weights are as they were. Copies
    of the weights that are touched stay in CPU memory until `restore`. One parameter at a time is computed, so little
    memory is needed for it.

    Args:
        dit: with Wan's names and pristine weights; what was computed with it before, such as an identity's keys and
            values, no longer belongs to it afterwards.
        loras: none is fine.
        device: that computes, wherever the weights are: another would round in another way; each parameter's own
            unless given.

    Raises:
        LoraError: if a file does not suit this model.
        FusionError: if one makes a weight infinite or no number.
        HeaderError: if a file is missing or damaged.
        ValueError: if LoRAs are fused into `dit` already.
    """
    if dit in _PRISTINE:
        raise ValueError("LoRAs are fused into this model already: restore it first")
    parameters = dict(dit.named_parameters())
    shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
    layouts = [(lora, read_layout(lora.path, shapes)) for lora in loras]
    fused = Fused(dit)
    _PRISTINE[dit] = fused._pristine
    try:
        with _opened([(lora, layout) for lora, layout in layouts if lora.scale]) as sources:
            for name, parameter in parameters.items():
                _fuse_parameter(name, parameter, sources, fused._pristine, torch.device(device or parameter.device))
    except BaseException:
        fused.restore()
        raise
    return fused


@dataclass(frozen=True)
class _Source:
    """An opened LoRA, whose tensors are read when they are asked for."""

    lora: LoraFile
    layout: LoraLayout
    file: Any

    def tensor(self, key: str, device: torch.device) -> torch.Tensor:
        return self.file.get_tensor(key).to(device=device, dtype=torch.float32)


@contextlib.contextmanager
def _opened(layouts: Sequence[tuple[LoraFile, LoraLayout]]) -> Iterator[list[_Source]]:
    with contextlib.ExitStack() as stack:
        sources = []
        for lora, layout in layouts:
            try:
                file = stack.enter_context(safe_open(lora.path, framework="pt"))
            except (OSError, SafetensorError) as error:
                raise LoraError(f"{lora.path} cannot be read: {error}", "download it again") from error
            sources.append(_Source(lora, layout, file))
        yield sources


def _fuse_parameter(
    name: str,
    parameter: torch.nn.Parameter,
    sources: Sequence[_Source],
    pristine: dict[str, torch.Tensor],
    device: torch.device,
) -> None:
    parts = [(source, part) for source in sources for part in source.layout.additions.get(name, ())]
    if not parts:
        return
    total = parameter.to(device=device, dtype=torch.float32, copy=True)
    for source, part in parts:
        # Multiplied, rounded, added, rounded: in these steps, as the reference does it, and not in one (`alpha=`).
        total += _addition(source, part, parameter.shape, device) * (source.lora.scale * _strength(source, part))
    if not total.isfinite().all():
        files = ", ".join(dict.fromkeys(str(source.lora.path) for source, _ in parts))
        raise FusionError(f"{name} is infinite or no number with {files}", "download it again, or lower its scale")
    pristine[name] = parameter.to("cpu", copy=True)
    parameter.copy_(total)


def _addition(source: _Source, part: Pair | Delta, shape: torch.Size, device: torch.device) -> torch.Tensor:
    """What `part` adds at a scale and a strength of 1: float32, of the parameter's shape."""
    if isinstance(part, Delta):
        return source.tensor(part.key, device)
    up, down = source.tensor(part.up, device), source.tensor(part.down, device)
    return _product(up.flatten(1), down.flatten(1)).view(shape)


def _product(up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """`up @ down`, rounded to float32.

    On a GPU in float64, because whether float32 there means TF32, with 10 bits, is a setting of the whole process. At
    a LoRA's ranks that costs little: for a rank of 64 on all of 14B, 1.8 TFLOP.
    """
    if up.device.type == "cpu":
        return up @ down
    return (up.double() @ down.double()).float()


def _strength(source: _Source, part: Pair | Delta) -> float:
    """`alpha / rank`."""
    if isinstance(part, Delta) or part.alpha is None:
        return 1.0
    alpha = source.file.get_tensor(part.alpha).item() if isinstance(part.alpha, str) else part.alpha
    return float(alpha) / source.file.get_slice(part.down).get_shape()[0]

"""LoRAs fused into the DiT's weights, exactly, and taken off again to the very bits.

`W' = W + sum of scale * (alpha / rank) * up @ down`, or `scale * delta`, in float32 from the pristine W, cast once to
the parameter's dtype (LoRA, section 4.1 of arXiv 2106.09685; DiffSynth's `fuse_lora_to_base_model` computes the same
without alpha, and rounds once per LoRA).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from standin_batch.engine.pristine import Pristine, is_pinned_worth
from standin_batch.environment.memory import available_bytes
from standin_batch.errors import StandinError
from standin_batch.weights.lora_keys import Delta, LoraError, LoraLayout, Pair, read_layout


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


class Fusion:
    """A DiT, and the LoRAs in its weights. There is one for a DiT: a second would take fused weights for pristine ones.

    What was computed with the DiT before a change, such as an identity's keys and values, no longer belongs to it.
    Copies of the weights that were touched stay in CPU memory, for the next change, until `let_go`.

    Args:
        dit: with Wan's names and pristine weights.
        device: that computes, wherever the weights are: another would round in another way; each parameter's own
            unless given.
    """

    def __init__(self, dit: torch.nn.Module, device: str | None = None) -> None:
        self._dit, self._device = dit, device
        self._touched: set[str] = set()
        needed = sum(parameter.numel() * parameter.element_size() for parameter in dit.parameters())
        self._pristine = Pristine(pinned=is_pinned_worth(device or "", needed, available_bytes()))

    @torch.no_grad()
    def put_on(self, loras: Sequence[LoraFile]) -> None:
        """Have `loras`, in their order, in the weights, and no others: to the bits that they give a pristine DiT.

        All files are checked before the first weight is touched, and after any error all weights are pristine. One
        parameter at a time is computed, so little memory is needed for it.

        Args:
            loras: none is fine.

        Raises:
            LoraError: if a file does not suit this model.
            FusionError: if one makes a weight infinite or no number.
            HeaderError: if a file is missing or damaged.
        """
        try:
            parameters = dict(self._dit.named_parameters())
            shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
            layouts = [(lora, read_layout(lora.path, shapes)) for lora in loras]
            with _opened([(lora, layout) for lora, layout in layouts if lora.scale]) as sources:
                for name, parameter in parameters.items():
                    self._have(name, parameter, sources)
        except BaseException:
            self.take_off()
            raise

    @torch.no_grad()
    def take_off(self) -> None:
        """Put every weight back to the very bits it had. A second call does nothing."""
        for name, parameter in self._dit.named_parameters():
            self._restore(name, parameter)

    def let_go(self) -> None:
        """Give up the copies of weights that are pristine now."""
        self._pristine.drop(but=self._touched)

    def _have(self, name: str, parameter: torch.nn.Parameter, sources: Sequence[_Source]) -> None:
        """Have in one parameter what `sources` add to it, or nothing."""
        parts = [(source, part) for source in sources for part in source.layout.additions.get(name, ())]
        if not parts:
            self._restore(name, parameter)
            return
        pristine = self._pristine[name] if name in self._touched else parameter
        fused = _fused(name, pristine, parts, torch.device(self._device or parameter.device))
        self._pristine.keep(name, pristine)
        self._touched.add(name)
        parameter.copy_(fused)

    def _restore(self, name: str, parameter: torch.nn.Parameter) -> None:
        if name in self._touched:
            parameter.copy_(self._pristine[name], non_blocking=True)
            self._touched.remove(name)


@dataclass(frozen=True)
class _Source:
    """An opened LoRA, whose tensors are read when they are asked for."""

    lora: LoraFile
    layout: LoraLayout
    file: Any

    def tensor(self, key: str, device: torch.device) -> torch.Tensor:
        tensor: torch.Tensor = self.file.get_tensor(key).to(device)
        return tensor.to(torch.float32)


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


def _fused(
    name: str, pristine: torch.Tensor, parts: Sequence[tuple[_Source, Pair | Delta]], device: torch.device
) -> torch.Tensor:
    """A weight with all that is added to it, rounded once to its dtype."""
    # Moved, then cast: torch would cast on the CPU.
    total = pristine.to(device, non_blocking=True).to(torch.float32, copy=True)
    for source, part in parts:
        # Multiplied, rounded, added, rounded: in these steps, as the reference does it, and not in one (`alpha=`).
        total += _addition(source, part, pristine.shape, device) * (source.lora.scale * _strength(source, part))
    if not total.isfinite().all():
        files = ", ".join(dict.fromkeys(str(source.lora.path) for source, _ in parts))
        raise FusionError(f"{name} is infinite or no number with {files}", "download it again, or lower its scale")
    return total.to(pristine.dtype)


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

"""Where the weights of a pipeline are: on the device while they are at work, and by the memory profile else.

What is computed is the same in every profile: weights move, operations do not. Only compiled blocks are left uncompiled
under `lowest`, and round in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from standin_batch.engine.pipeline import experts_of
from standin_batch.plan.memory import Profile

HOME = "cpu"
"""Where weights wait."""

MODULES = ("vace",)
"""What can be beside a transformer."""


class Placement:
    """Moves the parts of a pipeline.

    Args:
        pipe: as loaded, everything in its home.
        device: where it computes, as torch names it.
        profile: what stays there.
    """

    def __init__(self, pipe: Any, device: str, profile: Profile) -> None:  # noqa: ANN401
        self._pipe, self._device = pipe, device
        self._streams: dict[int, _Stream] = {}
        self.profile = profile
        pipe.device = device
        pipe.vae.to(device)
        if profile is Profile.RESIDENT:
            self._stay()

    @property
    def home(self) -> str:
        """Where what is not at work waits."""
        return self._device if self.profile is Profile.RESIDENT else HOME

    def use(self, profile: Profile) -> None:
        """Go over to another profile."""
        if profile is self.profile:
            return
        self._leave()
        for stream in self._streams.values():
            stream.end()
        self._streams.clear()
        self.profile = profile
        if profile is Profile.RESIDENT:
            self._stay()

    def for_expert(self, index: int, modules: Sequence[str] = ()) -> Any:  # noqa: ANN401
        """The transformer of an expert, able to compute; where they take turns, all that is not needed leaves first.

        Args:
            index: of the expert.
            modules: beside it that the job uses, as the pipeline calls them.
        """
        dit = experts_of(self._pipe)[index]
        parts = [dit, *self._modules(modules)]
        if self.profile is Profile.OFFLOAD:
            self._leave(but=parts)
        for part in parts:
            self._ready(part)
        return dit

    def for_vae(self) -> None:
        """Make room for the VAE."""
        if self.profile is Profile.OFFLOAD:
            self._leave()

    def for_text_encoder(self, load: Callable[[str], None]) -> None:
        """Make room for the text encoder, and bring it.

        Args:
            load: loads it to a device, unless it is loaded.
        """
        if self.profile is Profile.OFFLOAD:
            self._leave()
        load(self.home)
        # Whole in every profile: T5 makes its positions where its weights are.
        self._pipe.text_encoder.to(self._device)

    def text_encoder_leaves(self) -> None:
        """Take the text encoder off the device."""
        if self._device != HOME:
            self._pipe.text_encoder.to(HOME)
            empty_cache(self._device)

    def weight_bytes(self, index: int | None, modules: Sequence[str] = ()) -> dict[Profile, int]:
        """Bytes of weights that lie on the device under each profile.

        Args:
            index: of the expert at work; None while the VAE works.
            modules: that work beside it.
        """
        vae = _bytes(self._pipe.vae)
        at_work = [] if index is None else [experts_of(self._pipe)[index], *self._modules(modules)]
        largest = max((_bytes(leaf) for part in at_work for leaf in _leaves(part)), default=0)
        return {
            Profile.RESIDENT: vae + sum(map(_bytes, self._large())),
            Profile.OFFLOAD: vae + sum(map(_bytes, at_work)),
            Profile.LOWEST: vae + largest,
        }

    def _modules(self, names: Sequence[str] = MODULES) -> Iterator[torch.nn.Module]:
        """Those of these modules that are there; Wan2.2 may have one for each expert, with a 2 behind its name."""
        found = (getattr(self._pipe, f"{name}{number}") for name in names for number in ("", "2"))
        return (part for part in found if part is not None)

    def _large(self) -> Iterator[torch.nn.Module]:
        yield from experts_of(self._pipe)
        yield from self._modules()

    def _stay(self) -> None:
        for part in self._large():
            part.to(self._device)

    def _leave(self, but: Sequence[torch.nn.Module] = ()) -> None:
        """Take experts and modules off the device."""
        for part in self._large():
            if not any(part is other for other in but):
                part.to(HOME)
        empty_cache(self._device)

    def _ready(self, part: torch.nn.Module) -> None:
        if self.profile is not Profile.LOWEST:
            part.to(self._device)
        elif id(part) not in self._streams:
            self._streams[id(part)] = _Stream(part.to(HOME), self._device)


class _Stream:
    """Brings each layer of a module to the device for its own computation, and forgets that copy afterwards."""

    def __init__(self, module: torch.nn.Module, device: str) -> None:
        self._device = device
        self._home: dict[tuple[torch.nn.Module, str], torch.nn.Parameter] = {}
        self._hooks = []
        for leaf in _leaves(module):
            self._hooks.append(leaf.register_forward_pre_hook(self._bring))
            self._hooks.append(leaf.register_forward_hook(self._forget, always_call=True))

    def end(self) -> None:
        """Leave the module as it was."""
        for hook in self._hooks:
            hook.remove()

    def _bring(self, leaf: torch.nn.Module, _arguments: object) -> None:
        # The parameter itself, not its data: those of one in 8 bits are no plain tensor, and cannot be exchanged.
        for name, parameter in list(leaf.named_parameters(recurse=False)):
            self._home[leaf, name] = parameter
            setattr(leaf, name, torch.nn.Parameter(parameter.detach().to(self._device), requires_grad=False))

    def _forget(self, leaf: torch.nn.Module, _arguments: object, _result: object) -> None:
        for name, _ in list(leaf.named_parameters(recurse=False)):
            if (leaf, name) in self._home:
                setattr(leaf, name, self._home.pop((leaf, name)))


def _leaves(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The submodules that have parameters of their own and compute with them themselves.

    What holds further modules hands single parameters to its device itself, as DiffSynth's blocks do.
    """
    for part in module.modules():
        if any(True for _ in part.parameters(recurse=False)) and not any(True for _ in part.children()):
            yield part


def _bytes(module: torch.nn.Module) -> int:
    return sum(map(_size, module.parameters()))


def _size(tensor: torch.Tensor) -> int:
    """Bytes of a tensor; of one in 8 bits, which claims to be what it stands for, those of its parts."""
    if hasattr(tensor, "__tensor_flatten__"):
        return sum(_size(getattr(tensor, name)) for name in tensor.__tensor_flatten__()[0])
    return tensor.numel() * tensor.element_size()


def empty_cache(device: str) -> None:
    """Give memory that nobody uses back to the device."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()

"""What a LoRA file adds to which parameter, and whether that fits this DiT. How keys are read is `lora_keys`' part."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from standin_batch.errors import NotReadyError
from standin_batch.weights.header import TensorInfo
from standin_batch.weights.lora_names import bare

Shape = tuple[int, ...]

FLOATS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})
UNSUPPORTED = (
    ("DoRA", re.compile(r"\.dora_scale$|lora_magnitude_vector")),
    ("LoHa", re.compile(r"\.hada_")),
    ("LoKr", re.compile(r"\.lokr_")),
    ("OFT", re.compile(r"\.oft_(?:blocks|diag)")),
    ("LoCon with a middle factor", re.compile(r"\.lora_mid\.")),
    ("LoRA with biases of its own", re.compile(r"\.lora_(?:B|up)\.(?:[^.]+\.)?bias$")),
    ("a patch that replaces weights", re.compile(r"\.(?:set_weight|reshape_weight)$")),
)
_TEXT_ENCODER = re.compile(r"lora_te\d?_|(?:text_encoder|te\d?)[._]")
_IMAGE_TO_VIDEO = re.compile(r"[._](?:k_img|v_img|img_emb|add_k_proj|add_v_proj|image_embedder)[._]")
_NAMED = 3


class LoraError(NotReadyError):
    """A LoRA file that cannot be used with this model."""


@dataclass(frozen=True)
class Pair:
    """`alpha / rank * up @ down`, added to a weight.

    Attributes:
        target: name of the DiT's parameter.
        up: key of [out, rank].
        down: key of [rank, in].
        alpha: key of a single number, or the number itself; None means a factor of 1.
    """

    target: str
    up: str
    down: str
    alpha: str | float | None

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all tensors that it is made of."""
        return (self.up, self.down, self.alpha) if isinstance(self.alpha, str) else (self.up, self.down)


@dataclass(frozen=True)
class Delta:
    """A tensor of the parameter's own shape, added to it.

    Attributes:
        target: name of the DiT's parameter.
        key: of the tensor.
    """

    target: str
    key: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all tensors that it is made of."""
        return (self.key,)


@dataclass(frozen=True)
class LoraLayout:
    """What a file adds to what.

    Attributes:
        additions: by name of the DiT's parameter; never empty.
        leftovers: keys that belong to no parameter of this DiT, sorted.
    """

    additions: Mapping[str, tuple[Pair | Delta, ...]]
    leftovers: tuple[str, ...]


def by_target(path: Path, parts: Iterable[Pair | Delta]) -> dict[str, tuple[Pair | Delta, ...]]:
    """A parameter may get a pair and a delta from one file, but not two of a kind: one would be a second spelling.

    Raises:
        LoraError: if it gets two.
    """
    additions: dict[str, tuple[Pair | Delta, ...]] = {}
    for part in parts:
        for other in additions.get(part.target, ()):
            if type(other) is type(part):
                raise said_twice(path, part.target, other.keys[0], part.keys[0])
        additions[part.target] = (*additions.get(part.target, ()), part)
    return additions


def refuse_unsupported(path: Path, keys: Iterable[str]) -> None:
    """Raise a `LoraError` that names the kind if any of `keys` means something else than an addition."""
    for key in keys:
        for kind, pattern in UNSUPPORTED:
            if pattern.search(key):
                raise LoraError(f"{path}: {key} makes it {kind}, which is not supported", "convert it to a plain LoRA")


def check_fits(path: Path, part: Pair | Delta, tensors: Mapping[str, TensorInfo], want: Shape) -> None:
    """Raise a `LoraError` that names keys and shapes if `part` cannot be added to a parameter of shape `want`."""
    if isinstance(part, Pair):
        up, down = tensors[part.up].shape, tensors[part.down].shape
        fits, given = _pair_fits(up, down, want), f"{part.up} {_text(up)} times {part.down} {_text(down)}"
        if isinstance(part.alpha, str) and math.prod(tensors[part.alpha].shape) != 1:
            raise LoraError(f"{path}: {part.alpha} is not one number", "the file is damaged: download it again")
    else:
        shape = tensors[part.key].shape
        fits, given = shape == want, f"{part.key} {_text(shape)}"
    if not fits:
        raise LoraError(
            f"{path}: {given} does not fit {part.target} {_text(want)}",
            "this is a LoRA for another model: one of another size, or for image to video",
        )
    for key in part.keys:
        if tensors[key].dtype not in FLOATS and key != getattr(part, "alpha", None):
            raise LoraError(f"{path}: {key} is {tensors[key].dtype}", "convert it to bfloat16 or float32")


def matches_nothing(path: Path, keys: Sequence[str], shapes: Mapping[str, Shape]) -> LoraError:
    """Why a file of `keys` is of no use for a DiT of `shapes`, as far as the keys tell."""
    if not keys:
        return LoraError(f"{path} holds no tensors", "download it again")
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    message = f"{path} matches nothing in this model; it holds {', '.join(keys[:_NAMED])}{more}"
    if any(bare(key) in shapes for key in keys):
        return LoraError(message, "these are whole weights of a model, not a LoRA")
    if all(_TEXT_ENCODER.match(key) for key in keys):
        return LoraError(message, "it is for a text encoder alone")
    if any(_IMAGE_TO_VIDEO.search(key) for key in keys):
        return LoraError(message, "it is for the image-to-video model")
    return LoraError(message, "it is for another model; a LoRA for Wan2.1 or Wan2.2 text to video (14B) is needed")


def said_twice(path: Path, target: str, one: str, other: str) -> LoraError:
    """The error for two keys that are the same part of the same parameter's LoRA."""
    return LoraError(
        f"{path} adds to {target} twice: {one} and {other}",
        "it holds two LoRAs, or one in two spellings: take them apart into two files",
    )


def _pair_fits(up: Shape, down: Shape, want: Shape) -> bool:
    """A convolution's `down` has its kernel, `up` none; both may be flattened, or have sides of 1 behind them."""
    if min(len(up), len(down), len(want)) < 2 or not down[0]:
        return False
    inside = _without_ones(down[1:]) == _without_ones(want[1:]) or down[1:] == (math.prod(want[1:]),)
    return inside and up[0] == want[0] and math.prod(up[1:]) == down[0]


def _without_ones(shape: Shape) -> Shape:
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _text(shape: Shape) -> str:
    return " x ".join(map(str, shape)) or "(one number)"

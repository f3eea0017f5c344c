"""Writing random weights in the real layout: streamed tensor by tensor, and gone on with where it was cut.

The values keep the variance from layer to layer, so that activations stay finite; they depend on the device that draws
them and on nothing else. A file has its name only when it is whole.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import BenchmarkError
from benchmarks.full.parts import Part, is_known, parts, recognised
from standin_batch.weights.locate import TOKENIZER
from standin_batch.weights.registry import ModelRow
from standin_batch.weights.shapes import Shapes
from standin_batch.weights.small_tokenizer import write_tokenizer
from standin_batch.weights.streaming import Outgoing, file_size, write_safetensors

if TYPE_CHECKING:
    import torch

PIECE = 1 << 26
"""Numbers that are drawn at once: a quarter of a gigabyte in float32."""

BIAS = 0.02
LORA_SCALE = 0.1
"""Of one half of a LoRA: what it adds is small against what is there."""

UPDATE = "its classes have changed: another version of DiffSynth?"
METADATA = {"format": "pt"}

Told = Callable[[str], None]


def write(folder: Path, row: ModelRow, device: str, told: Told) -> int:
    """Write all files of `row` below `folder` that are not there.

    Args:
        folder: of the benchmark.
        row: of the table of models.
        device: that draws the numbers, as torch names it.
        told: hears of each file.

    Returns:
        Bytes written.

    Raises:
        BenchmarkError: if DiffSynth would not, or does not, recognise a part.
        OSError: if the disk is full.
    """
    written = 0
    for part in parts(row):
        if part.model_hash and not is_known(part):
            raise BenchmarkError(f"DiffSynth would not know {next(iter(part.files))}", UPDATE)
        for name, shapes in part.files.items():
            written += _file(folder / name, shapes, part.dtype, device, told)
        if part.model_hash and not recognised(folder, part):
            raise BenchmarkError(f"DiffSynth does not know {next(iter(part.files))}", "delete it, and write it again")
    write_tokenizer(folder / "checkpoints" / row.base / TOKENIZER)
    return written


def size(row: ModelRow) -> int:
    """Bytes of all files that `write` writes, but for the tokenizer."""
    return sum(_size(part) for part in parts(row))


def _size(part: Part) -> int:
    return sum(file_size(_outgoing(shapes, part.dtype, "cpu"), METADATA) for shapes in part.files.values())


def _file(path: Path, shapes: Shapes, dtype: str, device: str, told: Told) -> int:
    if path.exists():
        told(f"{path} is there")
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".building-{path.name}")
    if path.suffix == ".ckpt":
        _write_pickle(building, shapes, device)
    else:
        write_safetensors(building, _outgoing(shapes, dtype, device), METADATA)
    building.rename(path)
    told(f"{path}: {path.stat().st_size / 1e9:.2f} GB")
    return path.stat().st_size


def _write_pickle(path: Path, shapes: Shapes, device: str) -> None:
    """As the Stand-In checkpoints are: tensors in float32, below `state_dict`."""
    import torch

    tensors: Mapping[str, torch.Tensor] = {
        name: torch.cat([piece.cpu() for piece in _values(name, shape, device)]).reshape(shape)
        for name, shape in shapes.items()
    }
    torch.save({"state_dict": tensors}, path)


def _outgoing(shapes: Shapes, dtype: str, device: str) -> list[Outgoing]:
    return [Outgoing(name, dtype, shape, partial(_bytes, name, shape, dtype, device)) for name, shape in shapes.items()]


def _bytes(name: str, shape: tuple[int, ...], dtype: str, device: str) -> Iterator[bytes]:
    import torch

    kind = {"BF16": torch.bfloat16, "F32": torch.float32}[dtype]
    for piece in _values(name, shape, device):
        yield piece.to(kind).cpu().view(torch.uint8).numpy().tobytes()


def _values(name: str, shape: tuple[int, ...], device: str) -> Iterator[torch.Tensor]:
    """The numbers of a tensor in float32, flat, in pieces: ones for norms, small ones for biases, else the variance."""
    import torch

    count, factor = math.prod(shape), _factor(name, shape)
    generator = torch.Generator(device).manual_seed(int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big"))
    for start in range(0, count, PIECE):
        length = min(PIECE, count - start)
        if factor is None:
            yield torch.ones(length, device=device)
        else:
            yield torch.randn(length, generator=generator, device=device) * factor


def _factor(name: str, shape: tuple[int, ...]) -> float | None:
    if name.endswith(("gamma", "norm.weight")) or (name.endswith(".weight") and len(shape) == 1):
        return None
    if len(shape) == 1:
        return BIAS
    return (LORA_SCALE if ".lora_" in name else 1.0) / math.sqrt(math.prod(shape[1:]))

"""What a safetensors file says about itself in its first bytes: names, dtypes, shapes and places of its tensors.

No tensor is read and torch is not needed, so that plans and checks cost milliseconds. The format:
https://huggingface.co/docs/safetensors (8 bytes of length, that much JSON, then the data).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin_batch.errors import NotReadyError

LENGTH_BYTES = 8
LONGEST_HEADER = 16 << 20
"""Bytes; a hundred times what the largest models have. The safetensors library takes 100 MB: here they cost minutes."""
MOST_SIDES = 64
"""Of a tensor, as torch has it; the product of a million numbers takes hours."""

DTYPE_BYTES: Mapping[str, int] = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
_METADATA = "__metadata__"
_AGAIN = "download it again"


class HeaderError(NotReadyError):
    """A file that is missing, damaged or no safetensors file."""


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a file.

    Attributes:
        dtype: as safetensors names it: `F32`, `BF16`, ...
        shape: of the tensor; empty for a single number.
        start: its first byte, counted from the beginning of the file.
        end: the byte after its last.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """All that a file says about itself: its tensors by name, and free text by key."""

    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """The header of the safetensors file at `path`.

    Raises:
        HeaderError: if the file is missing, cut short, or no safetensors file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(LENGTH_BYTES)
            length = int.from_bytes(start, "little")
            if len(start) < LENGTH_BYTES or not 2 <= length <= LONGEST_HEADER:
                raise HeaderError(f"{path} is no safetensors file", _cure(start))
            text = file.read(length)
    except FileNotFoundError as error:
        raise HeaderError(f"there is no file {path}") from error
    except OSError as error:
        raise HeaderError(f"{path} cannot be read: {error}") from error
    if len(text) < length:
        raise HeaderError(f"{path} is cut short inside its header", _AGAIN)
    header = _parse(path, text)
    _check_places(path, header, LENGTH_BYTES + length, size)
    return header


def _check_places(path: Path, header: Header, begin: int, size: int) -> None:
    """As the format demands: one tensor after the other, without gaps, and all of them there."""
    places = sorted((tensor.start, tensor.end) for tensor in header.tensors.values())
    needed = places[-1][1] if places else begin
    if size < needed:
        raise HeaderError(f"{path} is cut short: {size} of {needed} bytes", _AGAIN)
    if [start for start, _ in places] != [begin, *(end for _, end in places)][: len(places)]:
        raise HeaderError(f"{path} is no safetensors file: its tensors overlap or leave gaps", _AGAIN)


def tensor_shapes(shards: Iterable[Path]) -> dict[str, tuple[int, ...]]:
    """Shapes of all tensors in `shards` by name: for a DiT's files, of its parameters.

    Raises:
        HeaderError: if a file is missing, cut short, or no safetensors file.
    """
    return {name: tensor.shape for shard in shards for name, tensor in read_header(shard).tensors.items()}


def _cure(start: bytes) -> str:
    if start == b"version ":
        return "it is a pointer of Git LFS, not the file itself: run `git lfs pull`, or download the file"
    return "download it again; a .pt, .pth, .ckpt or .bin file has to be converted first"


def _parse(path: Path, text: bytes) -> Header:
    try:
        entries = json.loads(text)
        metadata = entries.pop(_METADATA, None) or {}
        begin = LENGTH_BYTES + len(text)
        tensors = {name: _tensor(entry, begin) for name, entry in entries.items()}
        return Header(tensors, {key: str(value) for key, value in metadata.items()})
    # What a damaged header makes of these lines: no JSON, other types, keys or numbers, or brackets without end.
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise HeaderError(f"{path} is no safetensors file: its header is damaged", _AGAIN) from error


def _tensor(entry: Mapping[str, Any], begin: int) -> TensorInfo:
    if len(entry["shape"]) > MOST_SIDES:
        raise ValueError("more sides than a tensor has")
    start, end = (_count(offset) for offset in entry["data_offsets"])
    dtype, shape = entry["dtype"], tuple(_count(side) for side in entry["shape"])
    expected = DTYPE_BYTES[dtype] * math.prod(shape) if dtype in DTYPE_BYTES else end - start
    if not isinstance(dtype, str) or end < start or end - start != expected:
        raise ValueError(f"{entry} contradicts itself")
    return TensorInfo(dtype, shape, begin + start, begin + end)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} counts nothing")
    return value

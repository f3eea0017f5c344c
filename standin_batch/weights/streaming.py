"""Writing a safetensors file piece by piece, however large its tensors are.

The format: https://huggingface.co/docs/safetensors. Tensors follow each other without gaps, wide numbers first, so that
each begins at a multiple of its numbers' width.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from standin_batch.weights.header import DTYPE_BYTES, LENGTH_BYTES

CHUNK = 1 << 18
"""Bytes that are held at once, a multiple of every number's width: what stays in a core's cache is rounded at 2.4 GB a
second, 16 MB at a time at 0.6 (measured on one core of a cloud machine)."""
ALIGNMENT = 8


@dataclass(frozen=True)
class Outgoing:
    """A tensor to be written.

    Attributes:
        name: of the tensor.
        dtype: as safetensors names it.
        shape: of the tensor.
        chunks: gives its bytes, row by row, in pieces of any size.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    chunks: Callable[[], Iterable[bytes]]

    @property
    def size(self) -> int:
        """Bytes of its data."""
        return DTYPE_BYTES[self.dtype] * math.prod(self.shape)


def file_size(tensors: Sequence[Outgoing], metadata: Mapping[str, str]) -> int:
    """Bytes of the file that `write_safetensors` would write."""
    return len(_head(_in_order(tensors), metadata)) + sum(tensor.size for tensor in tensors)


def write_safetensors(path: Path, tensors: Sequence[Outgoing], metadata: Mapping[str, str]) -> None:
    """Write `tensors` to `path`, asking for the data of one after the other.

    Args:
        path: of a file that nobody reads yet.
        tensors: in any order.
        metadata: free text by key.

    Raises:
        OSError: if the file cannot be written.
        ValueError: if a tensor gives more or fewer bytes than its shape says.
    """
    ordered = _in_order(tensors)
    with path.open("wb") as file:
        file.write(_head(ordered, metadata))
        for tensor in ordered:
            before = file.tell()
            file.writelines(tensor.chunks())
            if file.tell() - before != tensor.size:
                raise ValueError(f"{tensor.name} has {file.tell() - before} bytes of {tensor.size}")


def read_range(path: Path, start: int, end: int) -> Iterator[bytes]:
    """The bytes of `path` from `start` up to `end`, in chunks.

    Raises:
        OSError: if the file cannot be read, or ends before.
    """
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            chunk = file.read(min(CHUNK, end - start))
            if not chunk:
                raise OSError(f"{path} ends at byte {start}, before {end}")
            start += len(chunk)
            yield chunk


def _in_order(tensors: Iterable[Outgoing]) -> list[Outgoing]:
    return sorted(tensors, key=lambda tensor: -DTYPE_BYTES[tensor.dtype])


def _head(tensors: Sequence[Outgoing], metadata: Mapping[str, str]) -> bytes:
    entries: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    for tensor in tensors:
        ends = [offset, offset + tensor.size]
        entries[tensor.name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": ends}
        offset += tensor.size
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text

"""The tensors of one file on their way into another: rounded to bfloat16, or taken out of a pickle as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from standin_batch.weights.descriptions import StoredTensor
from standin_batch.weights.header import DTYPE_BYTES, TensorInfo, read_header
from standin_batch.weights.pickles import read_pickle
from standin_batch.weights.rounding import to_bfloat16
from standin_batch.weights.streaming import Outgoing, read_range

Count = Callable[[int], None]
"""Is told how many bytes were read just now."""


def _nobody(read: int) -> None:
    pass


@dataclass
class Leaving:
    """The tensors of a file.

    Attributes:
        outgoing: in the order of their data in the file.
        rounds: whether any is float32 and becomes bfloat16.
        read: bytes of tensors in the file.
        exact: whether all values that were given out so far are what they were.
    """

    outgoing: list[Outgoing] = field(default_factory=list)
    rounds: bool = False
    read: int = 0
    exact: bool = True


def halved(path: Path, count: Count = _nobody) -> Leaving:
    """The tensors of a safetensors file, float32 ones rounded to bfloat16 and all others as they are.

    Raises:
        HeaderError: if it is missing, cut short, or no safetensors file.
    """
    leaving = Leaving()
    for name, info in sorted(read_header(path).tensors.items(), key=lambda item: item[1].start):
        rounds = info.dtype == "F32"
        chunks = partial(_rounded, path, info, leaving, count) if rounds else partial(_plain, path, info, count)
        leaving.outgoing.append(Outgoing(name, "BF16" if rounds else info.dtype, info.shape, chunks))
        leaving.rounds |= rounds
        leaving.read += info.end - info.start
    return leaving


def unpickled(path: Path, count: Count = _nobody) -> Leaving:
    """The tensors in a file of `torch.save`, as they are.

    Raises:
        PickleError: if it is missing, cut short, or holds more than tensors.
    """
    leaving = Leaving()
    for name, info in sorted(read_pickle(path).tensors.items(), key=lambda item: item[1].start):
        chunks = partial(_plain if info.is_contiguous else _gathered, path, info, count)
        leaving.outgoing.append(Outgoing(name, info.dtype, info.shape, chunks))
        leaving.read += info.end - info.start
    return leaving


def _plain(path: Path, info: TensorInfo | StoredTensor, count: Count) -> Iterator[bytes]:
    for chunk in read_range(path, info.start, info.end):
        count(len(chunk))
        yield chunk


def _rounded(path: Path, info: TensorInfo, leaving: Leaving, count: Count) -> Iterator[bytes]:
    for chunk in _plain(path, info, count):
        rounded, exact = to_bfloat16(np.frombuffer(chunk, np.float32))
        leaving.exact &= exact
        yield rounded.tobytes()


def _gathered(path: Path, info: StoredTensor, count: Count) -> Iterator[bytes]:
    """A tensor that is a view, such as a transposed one: row by row from all that it spans."""
    width = DTYPE_BYTES[info.dtype]
    numbers = np.frombuffer(b"".join(_plain(path, info, count)), f"V{width}")
    strides = [width * stride for stride in info.stride]
    view: npt.NDArray[np.void] = np.lib.stride_tricks.as_strided(numbers, info.shape, strides, writeable=False)
    yield np.ascontiguousarray(view).tobytes()

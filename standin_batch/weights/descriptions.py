"""Descriptions of tensors out of a pickle of torch, and of nothing else.

A pickle is a program. Here it may only build what tensors are described by: every other name in it is refused, and
torch's own names are bound to descriptions, so nothing of a file is ever run.
"""

from __future__ import annotations

import collections
import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from standin_batch.weights.header import DTYPE_BYTES

STORAGES: Mapping[str, str] = {
    "FloatStorage": "F32", "BFloat16Storage": "BF16", "HalfStorage": "F16", "DoubleStorage": "F64",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}  # fmt: skip
"""Dtypes as safetensors names them, by torch's class."""


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a file.

    Attributes:
        dtype: as safetensors names it: `F32`, `BF16`, ...
        shape: of the tensor; empty for a single number.
        stride: for each side of the shape, how many numbers apart its neighbours lie.
        start: its first byte, counted from the beginning of the file.
        end: the byte after its last.
    """

    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    start: int
    end: int

    @property
    def is_contiguous(self) -> bool:
        """Whether its numbers follow each other row by row."""
        step = 1
        for side, stride in zip(reversed(self.shape), reversed(self.stride), strict=True):
            if side != 1 and stride != step:
                return False
            step *= side
        return True


class Forbidden(Exception):
    """A name that no description of tensors needs."""


@dataclass(frozen=True)
class Storage:
    """A run of numbers that tensors are parts of: its name in the file, its dtype, and how many numbers it has."""

    key: str
    dtype: str
    numbers: int


@dataclass(frozen=True)
class View:
    """A tensor before it is known where its storage lies; offset and stride in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def at(self, start: int) -> StoredTensor:
        """The same, with its storage's first byte at `start`.

        Raises:
            ValueError: if it reaches beyond its storage.
        """
        width = DTYPE_BYTES[self.storage.dtype]
        reach = [(side - 1) * stride for side, stride in zip(self.shape, self.stride, strict=True)]
        length = 0 if 0 in self.shape else sum(reach) + 1
        if min((self.offset, *self.shape, *self.stride)) < 0 or self.offset + length > self.storage.numbers:
            raise ValueError(f"a tensor of {self.shape} does not lie in its storage")
        first = start + self.offset * width
        return StoredTensor(self.storage.dtype, self.shape, self.stride, first, first + length * width)


class _Other:
    """Stands for anything of torch that describes no tensor."""

    def __init__(self, *values: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def _tensor(storage: Storage, offset: int, shape: Sequence[int], stride: Sequence[int], *_rest: object) -> View:
    return View(storage, offset, tuple(shape), tuple(stride))


def _parameter(data: object, *_rest: object) -> object:
    return data


_CALLABLE: Mapping[str, Any] = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
}
_DESCRIPTION = re.compile(r"torch\.(Size|device|Tensor|b?float\d+|u?int\d+|bool|complex\d+|serialization\._get_layout)")


class Descriptions(pickle.Unpickler):
    """Makes descriptions of tensors, and refuses everything else.

    Attributes:
        storages: all that were met, by key.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        """What a name in the pickle stands for here."""
        full = f"{module}.{name}"
        if full in _CALLABLE:
            return _CALLABLE[full]
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if _DESCRIPTION.fullmatch(full):
            return _Other
        raise Forbidden(full)

    def persistent_load(self, pid: Any) -> Storage:  # noqa: ANN401
        """A storage: `("storage", class, key, device, count of numbers)`; the old format adds views, now unused."""
        kind, dtype, key, _device, numbers, *views = pid
        if kind != "storage" or dtype not in DTYPE_BYTES or any(views):
            raise ValueError(f"unknown storage {pid!r}")
        return self.storages.setdefault(key, Storage(key, dtype, numbers))

"""Whether a file is a whole ONNX model, seen from the outermost fields of its protobuf; no weight is read.

The format: https://protobuf.dev/programming-guides/encoding and `ModelProto` of onnx.proto.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
IR_VERSION, GRAPH = 1, 7
"""Numbers of the fields that every model has."""
LONGEST_VARINT = 10


def fault_of_onnx(path: Path) -> str:
    """What is wrong with the ONNX model at `path`, to follow its name; empty if nothing is.

    Raises:
        OSError: if it cannot be read.
    """
    size = path.stat().st_size
    found = set()
    with path.open("rb") as file:
        try:
            while file.tell() < size:
                found.add(_skip_field(file))
        except ValueError:
            return "is no ONNX model"
        end = file.tell()
    if end > size:
        return f"is cut short: {size} of at least {end} bytes" if IR_VERSION in found else "is no ONNX model"
    return "" if {IR_VERSION, GRAPH} <= found else "is no ONNX model"


def _skip_field(file: IO[bytes]) -> int:
    """The number of the field that begins here; the file then stands behind it."""
    tag = _varint(file)
    number, kind = tag >> 3, tag & 7
    if number == 0:
        raise ValueError("no field has the number 0")
    if kind == VARINT:
        _varint(file)
    elif kind in (FIXED64, FIXED32):
        file.seek(8 if kind == FIXED64 else 4, os.SEEK_CUR)
    elif kind == BYTES:
        file.seek(_varint(file), os.SEEK_CUR)
    else:
        raise ValueError(f"no field is of kind {kind}")
    return number


def _varint(file: IO[bytes]) -> int:
    value = 0
    for place in range(LONGEST_VARINT):
        byte = file.read(1)
        if not byte:
            raise ValueError("the file ends inside a number")
        value |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            return value
    raise ValueError("a number without end")

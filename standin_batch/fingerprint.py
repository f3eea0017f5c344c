"""Canonical JSON and the digest over it: how a job gets its id.

Two values that mean the same give the same text, on every machine and Python; a type whose text could drift is refused.
"""

from __future__ import annotations

import hashlib
import json
import math

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_ATOMS = frozenset({str, int, bool, type(None)})


def canonical_json(value: object) -> str:
    """The one text of `value`: sorted keys, no spaces, UTF-8 as it is, whole floats written as floats.

    Raises:
        TypeError: for anything but None, bool, int, float, str, and lists, tuples and string-keyed dicts of those.
        ValueError: for a float that is not finite.
    """
    if not _is_plain(value):
        _refuse(value, "$")
    return _ENCODER.encode(value)


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _is_plain(value: object) -> bool:
    """Whether `value` surely has a canonical form. Asked of every part of every job, so it is quick, not thorough."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if kind is float:
        return math.isfinite(value)  # type: ignore[arg-type]
    if kind is dict:
        return all(type(key) is str and _is_plain(item) for key, item in value.items())  # type: ignore[attr-defined]
    return kind in (list, tuple) and all(map(_is_plain, value))  # type: ignore[call-overload]


def _refuse(value: object, where: str) -> None:
    """Say where in `value` there is what has no canonical form, and what to do."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where}: {value} has no canonical form")
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            _refuse(item, f"{where}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{where}: key {key!r} is a {type(key).__name__}; write it as a string")
            _refuse(item, f"{where}.{key}")
    elif value is not None and not isinstance(value, (str, int, float)):
        kind = type(value).__name__
        raise TypeError(f"{where}: a {kind} has no canonical form; convert it to a str, number, list or dict")

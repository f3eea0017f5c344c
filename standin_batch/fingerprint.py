"""Canonical JSON and the digest over it: how a job gets its id.

Two values that mean the same give the same text, on every machine and Python; a type whose text could drift is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TypeAlias

Canonical: TypeAlias = "bool | int | float | str | list[Canonical] | dict[str, Canonical] | None"


def canonical_json(value: object) -> str:
    """The one text of `value`: sorted keys, no spaces, UTF-8 as it is, whole floats written as floats.

    Raises:
        TypeError: for anything but None, bool, int, float, str, and lists, tuples and string-keyed dicts of those.
        ValueError: for a float that is not finite.
    """
    return json.dumps(_checked(value, "$"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _checked(value: object, where: str) -> Canonical:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where}: {value} has no canonical form")
        return value
    if isinstance(value, (list, tuple)):
        return [_checked(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{where}: key {key!r} is a {type(key).__name__}; write it as a string")
        return {key: _checked(item, f"{where}.{key}") for key, item in value.items()}
    raise TypeError(
        f"{where}: a {type(value).__name__} has no canonical form; convert it to a str, number, list or dict"
    )

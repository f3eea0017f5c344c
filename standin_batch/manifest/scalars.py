"""What an unquoted YAML scalar means: the core schema of YAML 1.2, without the surprises of 1.1.

`no`, `on` and dates are text, `010` is ten and `1:30` is not ninety; `1_000` is text too.
"""

from __future__ import annotations

import re

MAX_DIGITS = 40
"""No key of a manifest takes a number near that; Python itself refuses to print one of 4,300 digits."""

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


def resolve(text: str) -> bool | int | float | str | None:
    """The value of an unquoted scalar; a number of more than `MAX_DIGITS` characters stays text."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in "+-.0123456789" or len(text) > MAX_DIGITS:
        return text
    return _number(text)


def _number(text: str) -> int | float | str:
    integer = _INTEGER.match(text) or _BASED.match(text)
    if not integer and not _FLOAT.match(text):
        return float(text.replace(".", "", 1)) if _SPECIAL.match(text) else text
    if integer:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text)

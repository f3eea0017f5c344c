"""How messages speak: values quoted, types named, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

FORMATS = {
    "name": "a name",
    "path": "a path",
    "condition": 'a condition such as ">= 0.55"',
    "duration": "a length of time such as `30s`",
    "time-limit": "a limit of time such as `12h`",
}
"""What the formats of texts are called."""

MAX_CANDIDATES = 1_000
MAX_LISTED = 12


def clip(text: str, length: int = 60) -> str:
    """`text` on one line and not too long."""
    if len(text) <= length and text.isprintable():
        return text
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[: length + 1])
    return shown if len(text) <= length else shown[: length - 1] + "…"


def did_you_mean(wrong: str, known: Iterable[str], what: str = "known") -> str:
    """A hint: the nearest of `known`, or all of them if they are few."""
    candidates = list(known)[:MAX_CANDIDATES]
    near = get_close_matches(wrong[:80], candidates, n=1, cutoff=0.6) if wrong else []
    if near:
        return f"did you mean `{near[0]}`?"
    if not candidates:
        return ""
    listed = ", ".join(f"`{name}`" for name in candidates[:MAX_LISTED])
    return f"{what}: {listed}{', …' if len(candidates) > MAX_LISTED else ''}"


def show(value: object) -> str:
    """A value as a message quotes it."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, str):
        return f"'{clip(value, 40)}'"
    if isinstance(value, tuple | list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return str(value)


def in_words(schema: Mapping[str, Any]) -> str:
    """What a JSON Schema of one value takes, as a person would say it."""
    if "anyOf" in schema:
        parts = list(dict.fromkeys(in_words(part) for part in schema["anyOf"]))
        return (", or " if "," in "".join(parts) else " or ").join(parts)
    if choices := list(choices_of(schema)):
        return either([f"`{choice}`" for choice in choices])
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _bounds(schema)
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), "a text")
    return {"boolean": "`true` or `false`", "array": "a list"}.get(str(kind), "a mapping")


def choices_of(schema: Mapping[str, Any]) -> Iterable[str]:
    """The texts that a JSON Schema lists."""
    for part in schema.get("anyOf", (schema,)):
        for value in part.get("enum", [part["const"]] if "const" in part else []):
            yield str(value)


def either(words: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _bounds(schema: Mapping[str, Any]) -> str:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    step = f", a multiple of {schema['multipleOf']}" if "multipleOf" in schema else ""
    if low is not None and high is not None:
        return f" from {_figure(low)} to {_figure(high)}{step}"
    words = [
        f", {_figure(low)} or more" if low is not None else "",
        f" above {_figure(above)}" if above is not None else "",
    ]
    words += [
        f", up to {_figure(high)}" if high is not None else "",
        f", below {_figure(below)}" if below is not None else "",
    ]
    return "".join(words) + step


def _figure(number: float) -> str:
    return "2^63" if number == 2**63 else f"{number:,}" if abs(number) >= 10_000 else f"{number:g}"

"""Lengths of time as people write them: `30s`, `5 min`, `1h30m`."""

from __future__ import annotations

import re

UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
"""Seconds of each unit."""

_PART = r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(s|sec|m|min|h|d)"
PATTERN = rf"^(?:{_PART})+\s*$"
"""What `seconds_of` takes."""


def seconds_of(text: str) -> float | None:
    """The seconds that `text` stands for; None if it is no length of time."""
    if len(text) > 60 or not re.match(PATTERN, text):
        return None
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(_PART, text))

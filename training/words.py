"""The words that the tokenizer of the demo model knows: those of the captions."""

from __future__ import annotations

import re

from training.world.scene import ACTIONS, INK_TEMPLATES, TEMPLATES, WHERE


def words() -> tuple[str, ...]:
    """Every word of every caption once, in small letters, in the order of the alphabet."""
    said = (*TEMPLATES, *INK_TEMPLATES, *ACTIONS, *WHERE.values())
    found = (word for text in said for word in re.findall(r"[a-z]+", re.sub(r"\{\w+\}", "", text).lower()))
    return tuple(sorted(set(found)))

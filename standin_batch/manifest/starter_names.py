"""Names for what a starter manifest holds: from the names of files, and from the first words of prompts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_LENGTH = 40
"""Characters of a name: it becomes a part of the names of videos."""

MAX_WORDS = 3
"""Words of a prompt that name it."""

FILLERS = frozenset(
    (
        *("a", "an", "the", "and", "or", "of", "in", "on", "at", "to", "for", "from", "with", "by", "into"),
        *("is", "are", "as", "his", "her", "their", "its", "while", "who"),
    )
)
"""Words that tell nothing of a prompt."""

_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "ı": "i"}
)
"""Latin letters that are no letter with an accent."""


def name_of(text: str) -> str:
    """`text` as a name in a manifest: accents and blanks go; empty where most of it is in another script."""
    known = unicodedata.normalize("NFKD", text.translate(_LATIN)).encode("ascii", "ignore").decode()
    letters = sum(map(str.isalnum, known))
    if letters * 2 < sum(map(str.isalnum, text)):
        return ""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", known).strip("-.")[:MAX_LENGTH].rstrip("-.")


def prompt_name(text: str) -> str:
    """The first words of a prompt, as a name; empty where most of it is in another script."""
    words = [word for word in name_of(text[: 4 * MAX_LENGTH]).lower().replace(".", "").split("-") if word]
    told = [word for word in words if word not in FILLERS] or words
    return "-".join(told[:MAX_WORDS])


def distinct(names: Iterable[str], otherwise: str) -> list[str]:
    """The same names, each once, whatever the case: `ada`, `ada-2`.

    Args:
        names: empty ones are called after their place.
        otherwise: what those are called: `photo` for `photo-3`.
    """
    taken: set[str] = set()
    found = []
    for place, name in enumerate(names, start=1):
        wanted = free = name or f"{otherwise}-{place}"
        number = 2
        while free.casefold() in taken:
            free = f"{wanted}-{number}"
            number += 1
        taken.add(free.casefold())
        found.append(free)
    return found

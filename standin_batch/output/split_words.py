"""Names that `datasets` takes for splits: `test/ada.mp4` and `ada-test-0.mp4` are of the split `test` to it.

Then it looks for the rows of the metadata in that split alone, and finds none.
"""

from __future__ import annotations

import re

_WORDS = ("train", "training", "validation", "valid", "dev", "val", "test", "testing", "eval", "evaluation")
"""As in `datasets.data_files.SPLIT_KEYWORDS`; in small letters only."""

_WORD = re.compile(rf"(?:(?<=[-._ 0-9/])|^)({'|'.join(sorted(_WORDS, key=len, reverse=True))})(?=[-._ 0-9/]|$)")
"""Between what `datasets.data_files.NON_WORDS_CHARS` has, or the ends of a part of the path."""


def is_taken_for_split(path: str) -> bool:
    """Whether `datasets` would put the file at `path`, below its folder, into a split."""
    return _WORD.search(path) is not None


def told_apart(name: str) -> str:
    """`name` with these words in capitals, so that they are none."""
    return _WORD.sub(lambda found: found[1].capitalize(), name)

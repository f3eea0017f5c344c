"""Errors as Python shows them: with their cures, which the command line prints by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from standin_batch.errors import StandinError


@contextmanager
def shown() -> Iterator[None]:
    """Within the block, an error that has a cure takes it along into its traceback, where Python can (3.11)."""
    try:
        yield
    except StandinError as error:
        note = f"cure: {error.hint}"
        if error.hint and hasattr(error, "add_note") and note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        raise

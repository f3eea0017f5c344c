"""Room on a disk: how much there is where something is to be written, and whether that is enough."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from standin_batch.environment.finding import Finding, Level

GB = 10**9


def disk_finding(subject: str, folder: Path, needed: float = 0, what: str = "") -> Iterator[Finding]:
    """How much is free where `folder` is, or would be made.

    Args:
        subject: of the finding.
        folder: that is written to; it need not exist.
        needed: bytes that will be written.
        what: they are, in a word.
    """
    place = existing(folder)
    free = shutil.disk_usage(place).free
    told = f"{free / GB:,.1f} GB free in {folder}"
    if needed > free:
        message = f"{told}, but {what} takes {needed / GB:,.1f} GB"
        yield Finding(
            subject, Level.ERROR, message, f"df -h {shlex.quote(str(place))}  # make room, or use another disk"
        )
    else:
        yield Finding(subject, Level.OK, f"{told}; {what} takes {needed / GB:,.1f} GB" if needed else told)


def writable_finding(subject: str, folder: Path) -> Iterator[Finding]:
    """A finding if nothing can be written to `folder`, or it cannot be made."""
    place = existing(folder)
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return
    cure = f"ls -ld {shlex.quote(str(place))}  # give yourself the right to write, or name another folder"
    yield Finding(subject, Level.ERROR, f"nothing can be written to {folder}", cure)


def existing(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    absolute = path.absolute()
    return next(place for place in (absolute, *absolute.parents) if place.exists())

"""Where a data set may be written: a new folder, an empty one, or one that holds a data set already."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from standin_batch.errors import UsageError
from standin_batch.files import TEMPORARY_PREFIX
from standin_batch.locks.alive import is_alive
from standin_batch.output.layout import OutputLayout
from standin_batch.output.split import SPLITS

EXPORT = "export.json"
"""Says that a folder is a data set."""

_OURS = re.compile(
    rf"(?:README\.md|index\.parquet|{re.escape(EXPORT)}"
    rf"|(?:(?:{'|'.join(SPLITS)})/)?(?:metadata\.jsonl|videos/[^/]+\.(?:mp4|txt)|references/[^/]+\.png))"
)
"""Paths that a data set is made of."""


def check_place(layout: OutputLayout, target: Path, *, force: bool) -> Path:
    """The resolved path of `target`, where it may be written to.

    Raises:
        UsageError: if it may not.
    """
    found, output = target.resolve(), layout.folder.resolve()
    if found.is_relative_to(output) or output.is_relative_to(found):
        raise UsageError(f"{target} and the output folder {layout.folder} are in one another", "name another folder")
    if not found.exists():
        return found
    if not found.is_dir():
        raise UsageError(f"{target} is there, and no folder", "name another one")
    if any(found.iterdir()):
        _check_replaceable(found, target, force)
    return found


def _check_replaceable(found: Path, target: Path, force: bool) -> None:
    if not _is_export(found):
        raise UsageError(f"{target} holds something else than a data set", "name a new folder, or an empty one")
    if not force:
        raise UsageError(f"{target} holds a data set already", "replace it with --force, or name another folder")
    for path in found.rglob("*"):
        name = path.relative_to(found).as_posix()
        if (not path.is_dir() or path.is_symlink()) and not _OURS.fullmatch(name):
            raise UsageError(f"{target} holds {name}, which no export has written", "move it away first")


def _is_export(folder: Path) -> bool:
    try:
        return "standin" in json.loads((folder / EXPORT).read_bytes())["made_by"]
    except (OSError, ValueError, TypeError, KeyError):
        return False


@contextmanager
def temporary_beside(target: Path) -> Iterator[Path]:
    """A folder in a temporary one beside `target`, gone when the block ends; so is what killed exports left there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{TEMPORARY_PREFIX}*-{escape(target.name)}"):
        if left.is_dir() and not left.is_symlink() and not _has_owner(left):
            shutil.rmtree(left, ignore_errors=True)
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{target.name}")
    folder = temporary / "new"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _has_owner(left: Path) -> bool:
    pid = left.name.removeprefix(TEMPORARY_PREFIX).partition("-")[0]
    return not pid.isdigit() or (int(pid) != os.getpid() and is_alive(int(pid)))


def put_in_place(folder: Path, target: Path) -> None:
    """Rename `folder`, below a temporary one, to `target`; a data set that is there goes to the same place."""
    old = folder.with_name("old")
    if target.exists():
        target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise

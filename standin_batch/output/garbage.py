"""What lies in an output folder and belongs to no job: found by name alone, and removed on request.

Only what this program makes is looked at: records, videos, posters, latents, clips on their way, and temporary files of
writes that never ended.
Links are neither followed nor removed, so nothing outside of the folder is ever touched.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from standin_batch.files import TEMPORARY_PREFIX
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import read_record


@dataclass(frozen=True)
class Garbage:
    """A file that belongs to no job.

    Attributes:
        path: below the output folder.
        kind: `record`, `video`, `poster`, `latents`, `saved` or `temporary`.
        bytes: its size.
    """

    path: str
    kind: str
    bytes: int


def find_garbage(layout: OutputLayout, owned: Collection[str]) -> tuple[Garbage, ...]:
    """Every file of `layout` that none of the jobs in `owned` has a record of, sorted by path.

    Args:
        layout: of the output folder.
        owned: ids of the jobs of its manifest.
    """
    kept = _kept(layout, owned)
    found = []
    for kind, folder, suffix in _kinds(layout):
        for entry in _files(folder):
            path = os.path.relpath(entry.path, layout.folder)
            if entry.name.startswith(TEMPORARY_PREFIX):
                found += [Garbage(path, "temporary", _size(entry))] if _is_left_over(entry.name) else []
            elif entry.name.endswith(suffix) and entry.name[0] != "." and path not in kept:
                found.append(Garbage(path, kind, _size(entry)))
    return tuple(sorted(found, key=lambda item: item.path))


def remove_garbage(layout: OutputLayout, found: Collection[Garbage]) -> tuple[Garbage, ...]:
    """Remove `found`, records last, and folders of videos that are empty then; returns what could not be removed."""
    root = layout.folder.resolve()
    ordered = sorted(found, key=lambda item: item.kind == "record")
    left = tuple(item for item in ordered if not _remove(layout.folder / item.path, root))
    _remove_empty(layout.videos)
    return left


def _kinds(layout: OutputLayout) -> Iterator[tuple[str, Path, str]]:
    yield "record", layout.records, ".json"
    yield "video", layout.videos, ".mp4"
    yield "poster", layout.posters, ".webp"
    yield "latents", layout.latents_folder, ".safetensors"
    yield "saved", layout.saved, ".safetensors"


def _kept(layout: OutputLayout, owned: Collection[str]) -> frozenset[str]:
    """Files of jobs in `owned`. The video of a record that cannot be read is not known, so the job is done again."""
    kept = set()
    for job_id in owned:
        kept.add(layout.relative(layout.saved_state(job_id)))
        record = read_record(layout, job_id)
        if record is not None:
            own = (layout.record(job_id), layout.poster(job_id), layout.latents(job_id))
            kept |= {layout.relative(path) for path in own}
            kept |= {
                os.path.normpath(path) for path in (record["video"], record.get("latents")) if isinstance(path, str)
            }
    return frozenset(kept)


def _files(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Regular files in `folder` and below, not through links."""
    if os.path.islink(folder):  # noqa: PTH114 - a str below the top
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _files(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry
    except FileNotFoundError:
        return


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _is_left_over(name: str) -> bool:
    """Whether the process that wrote a temporary file is gone: its id is in the name."""
    writer = name[len(TEMPORARY_PREFIX) :].partition("-")[0]
    if not writer.isdecimal():
        return False
    try:
        os.kill(int(writer), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def _remove(path: Path, root: Path) -> bool:
    """Remove a file, if it is still one and its folder still lies in `root`."""
    try:
        if path.is_symlink() or not path.parent.resolve().is_relative_to(root):
            return False
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _remove_empty(folder: Path) -> None:
    """Remove folders below `folder` that have nothing in them."""
    if folder.is_symlink():
        return
    for path, _, _ in os.walk(folder, topdown=False):
        if Path(path) != folder:
            try:
                os.rmdir(path)  # noqa: PTH106 - refuses what is not empty, which is the point
            except OSError:
                continue

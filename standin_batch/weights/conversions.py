"""What was converted once: the record beside converted files, read without looking into any of them.

Converted shards lie in `bfloat16/` in the folder of the originals, under the same names; what came out of a pickle lies
beside it, as `.safetensors`. Either folder has its own `converted.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin_batch.digests import DigestCache
from standin_batch.files import write_atomic

BFLOAT16 = "bfloat16"
"""Folder of converted shards, in the folder of the originals."""
RECORD = "converted.json"
FORMAT_VERSION = 1
"""Raised when files are converted in another way; files of an older version are converted again."""


@dataclass(frozen=True)
class Converted:
    """A file that stands in for another one.

    Attributes:
        path: of the converted file.
        source_sha256: of the original's content, as 64 hexadecimal digits.
        exact: whether every value survived, as when float32 holds bfloat16 values.
        source_size: of the original, in bytes.
        source_mtime_ns: the original's time of change; with its size it spares reading it again.
    """

    path: Path
    source_sha256: str
    exact: bool
    source_size: int
    source_mtime_ns: int


def converted(folder: Path) -> Mapping[str, Converted]:
    """What stands in for the files in `folder`, by the original's name.

    Only the records are read. A converted file that is missing, or whose size is not the recorded one, counts as not
    converted, and so does everything in a record that cannot be read. Whether an original has changed since is for
    `is_current` to say.
    """
    return {**_entries(folder), **_entries(folder / BFLOAT16)}


def is_current(original: Path, entry: Converted, cache: DigestCache) -> bool:
    """Whether `original` is still what `entry` was made from; it is read only where its time of change differs.

    Raises:
        OSError: if it cannot be read.
    """
    status = original.stat()
    if status.st_size != entry.source_size:
        return False
    return status.st_mtime_ns == entry.source_mtime_ns or cache.sha256(original) == entry.source_sha256


def is_conversion(path: Path) -> bool:
    """Whether `path` was converted here, as far as the record beside it says, whole or not."""
    return any(isinstance(each, dict) and each.get("file") == path.name for each in _recorded(path.parent).values())


def remember(original: str, entry: Converted) -> None:
    """Write down that `entry.path` now stands in for the file called `original`; the other entries stay."""
    folder = entry.path.parent
    files = {
        **_recorded(folder),
        original: {
            "file": entry.path.name,
            "size": entry.path.stat().st_size,
            "exact": entry.exact,
            "source_sha256": entry.source_sha256,
            "source_size": entry.source_size,
            "source_mtime_ns": entry.source_mtime_ns,
        },
    }
    content = {"version": FORMAT_VERSION, "files": dict(sorted(files.items()))}
    write_atomic(folder / RECORD, json.dumps(content, indent=2) + "\n")


def _entries(folder: Path) -> dict[str, Converted]:
    found = {name: _entry(folder, fields) for name, fields in _recorded(folder).items()}
    return {name: entry for name, entry in found.items() if entry is not None}


def _recorded(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return dict(content["files"]) if content["version"] == FORMAT_VERSION else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _entry(folder: Path, fields: Any) -> Converted | None:  # noqa: ANN401
    try:
        path = folder / fields["file"]
        if path.stat().st_size != fields["size"]:
            return None
        return Converted(
            path=path,
            source_sha256=str(fields["source_sha256"]),
            exact=fields["exact"] is True,
            source_size=int(fields["source_size"]),
            source_mtime_ns=int(fields["source_mtime_ns"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None

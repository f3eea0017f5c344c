"""What was downloaded or linked below a root of checkpoints: from where, at which commit, with which content.

A file of JSON lines that is only ever appended to: a crash costs at most its last line, and the last line of a file
wins. It says what was verified when; whether the files are still there is for others to look at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

LEDGER = "weights.jsonl"


@dataclass(frozen=True)
class Entry:
    """One file.

    Attributes:
        file: its path below the root, with slashes.
        source: name of the `Source` that it belongs to.
        repository: on the hub; empty for a release asset.
        revision: the commit that it is from, or the address of a release asset; empty if nobody could be asked.
        size: bytes.
        sha256: of its content.
        at: when, in ISO 8601 with the zone.
    """

    file: str
    source: str
    repository: str
    revision: str
    size: int
    sha256: str
    at: str


@dataclass(frozen=True)
class Ledger:
    """The ledger of one root of checkpoints.

    Attributes:
        root: the folder; the ledger is made with the first entry.
    """

    root: Path

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.root / LEDGER

    def entries(self) -> Mapping[str, Entry]:
        """The newest entry of each file by its path below the root; lines that are damaged are passed over."""
        found: dict[str, Entry] = {}
        if not self.path.is_file():
            return found
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue
            found[entry.file] = entry
        return found

    def add(self, entry: Entry) -> None:
        """Append `entry`, down to the disk.

        Raises:
            OSError: if it cannot be written.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
        with self.path.open("a+b") as file:
            # One write with its own line feed before it, where a crash has cut the last line.
            file.write((b"" if self._ends_well() else b"\n") + line.encode())
            file.flush()
            os.fsync(file.fileno())

    def _ends_well(self) -> bool:
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            return file.read(1) in (b"", b"\n")


def now() -> str:
    """The time as entries have it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")

"""What files contain, remembered: a file is read again only when its path, size or time of change differs.

The memory is a file of JSON lines that is only ever appended to, so a crash costs at most its last line, and several
processes can share it. Machines that share it over a network can write over each other's lines: what is no whole line
is passed over, and its file read once more.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standin_batch.files import sha256_file
from standin_batch.fingerprint import digest

SETTLED_SECONDS = 2.0
"""A file changed more recently than this is not remembered: it could change again within one tick of its clock."""


def cache_folder() -> Path:
    """Where this user's caches lie: `STANDIN_CACHE`, else the platform's place."""
    if chosen := os.environ.get("STANDIN_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "standin_batch"


@dataclass
class DigestCache:
    """SHA-256 of files by (path, size, time of change).

    Attributes:
        path: the file of JSON lines; made with the first digest that is worth keeping.
    """

    path: Path
    _known: dict[tuple[str, int, int], str] | None = field(default=None, repr=False)

    @classmethod
    def default(cls) -> DigestCache:
        """The cache of this user."""
        return cls(cache_folder() / "digests.jsonl")

    def sha256(self, path: Path) -> str:
        """SHA-256 of the content of `path`, as 64 hexadecimal digits.

        Raises:
            OSError: if the file cannot be read.
        """
        remembered = self._remembered()
        real = path.resolve()
        status = real.stat()
        key = (str(real), status.st_size, status.st_mtime_ns)
        if key not in remembered:
            remembered[key] = sha256_file(real)
            if time.time() - status.st_mtime > SETTLED_SECONDS:
                self._append(key, remembered[key])
        return remembered[key]

    def known(self, path: Path) -> str | None:
        """SHA-256 of `path` where it is remembered, without reading the file.

        Raises:
            OSError: if there is no such file.
        """
        real = path.resolve()
        status = real.stat()
        return self._remembered().get((str(real), status.st_size, status.st_mtime_ns))

    def remember(self, path: Path, sha256: str) -> None:
        """Take down the SHA-256 of a file that the caller has just put in place and nobody else writes to.

        Raises:
            OSError: if there is no such file.
        """
        real = path.resolve()
        status = real.stat()
        key = (str(real), status.st_size, status.st_mtime_ns)
        if self._remembered().get(key) != sha256:
            self._remembered()[key] = sha256
            self._append(key, sha256)

    def of_several(self, what: str, paths: Sequence[Path], compute: Callable[[], str]) -> str:
        """Something that the contents of `paths` alone decide, computed once.

        Args:
            what: names it, and everything besides the contents that decides it.
            paths: in the order that counts.
            compute: gives it where it is not remembered.
        """
        key = (digest([what, *map(self.sha256, paths)]), 0, 0)
        known = self._remembered()
        if key not in known:
            known[key] = compute()
            self._append(key, known[key])
        return known[key]

    def _remembered(self) -> dict[tuple[str, int, int], str]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> dict[tuple[str, int, int], str]:
        known: dict[tuple[str, int, int], str] = {}
        if not self.path.is_file():
            return known
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                path, size, mtime, found = json.loads(line)
                known[(path, size, mtime)] = found
            except (ValueError, TypeError):
                continue
        return known

    def _append(self, key: tuple[str, int, int], found: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([*key, found]) + "\n")
        except OSError:
            # A cache that cannot be written costs time, never a run.
            return

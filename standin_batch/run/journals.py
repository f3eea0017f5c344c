"""Reading journals: the newest word on each job, all that became of one, and the runs.

At 100,000 jobs a file has 300,000 lines, and `standin status --watch` reads them every second: so only those are parsed
that are asked for. Which these are is seen by their first bytes; no text within a line can look the same, as its quotes
are escaped there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from standin_batch.run.journal import SUFFIX, Entry, Run, State

HEAD = b'{"job_id":"'
COMPLETED = b'","state":"COMPLETED","at":'
STATES = {state.value: state for state in State}

FIRST = 4096
"""Bytes at the beginning of a file that tell of its run."""

LAST = 100
"""Bytes at the end of a file that its last line is in, where that says when the run ended."""


def latest(folder: Path) -> dict[str, Entry]:
    """The newest entry of each job over all journals in `folder`."""
    entries: dict[str, Entry] = {}
    for file in _files(folder):
        for entry in file.newest():
            known = entries.get(entry.job_id)
            if known is None or entry.at >= known.at:
                entries[entry.job_id] = entry
    return entries


def history(folder: Path, job_id: str) -> list[Entry]:
    """Every entry of one job over all journals in `folder`, oldest first."""
    found = [entry for file in _files(folder) for entry in file.entries_of(job_id)]
    return sorted(found, key=lambda entry: entry.at)


def runs(folder: Path) -> list[Run]:
    """The runs of all journals in `folder`, oldest first."""
    return sorted((file.run() for file in _files(folder)), key=lambda run: run.started)


@dataclass(frozen=True)
class _File:
    """A journal as it lies on the disk.

    Attributes:
        begun: what its first line says of its run.
        content: all of it. It may be large, so nothing here copies it in one piece.
    """

    begun: Run
    content: bytes

    def newest(self) -> list[Entry]:
        """The newest entry of each job. Where one of these lines turns out to be broken, all lines are parsed."""
        lines = {line[len(HEAD) : line.find(b'"', len(HEAD))]: line for line in self._lines()}
        with suppress(ValueError, RecursionError):
            found = self._entries(json.loads(b"[%s]" % b",".join(lines.values())))
            if len(found) == len(lines):
                return found
        return list({entry.job_id: entry for entry in self._each(self._lines())}.values())

    def entries_of(self, job_id: str) -> list[Entry]:
        """Those of one job, oldest first."""
        return self._each(self._found(b'\n%s%s"' % (HEAD, job_id.encode(errors="replace"))))

    def run(self) -> Run:
        """The run, with what the rest of the file says of it."""
        completed = self.content.count(COMPLETED)
        first, last = self.content.find(COMPLETED), self.content.rfind(COMPLETED)
        ended = _object(self.content[-LAST:].rstrip().rpartition(b"\n")[2]).get("ended")
        return replace(
            self.begun,
            ended=ended if isinstance(ended, float) else None,
            completed=completed,
            first=self._moment(first),
            last=self._moment(last),
        )

    def _moment(self, place: int) -> float | None:
        """The time that stands behind a mark."""
        if place < 0:
            return None
        place += len(COMPLETED)
        told = self.content[place : place + 40].partition(b",")[0].partition(b"}")[0]
        with suppress(ValueError):
            return float(told)
        return None

    def _found(self, start: bytes) -> Iterator[bytes]:
        """The lines that start so; `start` begins with the end of the line before."""
        place = self.content.find(start)
        while place >= 0:
            end = self.content.find(b"\n", place + 1)
            yield self.content[place + 1 : end if end >= 0 else None]
            place = self.content.find(start, place + 1)

    def _lines(self) -> Iterator[bytes]:
        return (line for line in self.content.split(b"\n") if line.startswith(HEAD) and line.endswith(b"}"))

    def _each(self, lines: Iterable[bytes]) -> list[Entry]:
        return self._entries(map(_object, lines))

    def _entries(self, values: Iterable[Any]) -> list[Entry]:
        return [entry for value in values if (entry := _entry(value, self.begun)) is not None]


def _entry(told: Any, run: Run) -> Entry | None:  # noqa: ANN401 - whatever the file has
    """What a line says; None of a state, or a form, that this version does not know."""
    try:
        at, job_id, state, more = told["at"], told["job_id"], STATES[told["state"]], told.get
    except (KeyError, TypeError):
        return None
    return Entry(
        at,
        job_id,
        more("label", ""),
        state,
        more("error", ""),
        run.pid,
        more("kind", ""),
        more("hint", ""),
        more("attempt", 0),
        run.host,
        run.worker,
    )


def _files(folder: Path) -> Iterator[_File]:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with suppress(OSError):
            content = path.read_bytes()
            first, _, rest = content[:FIRST].partition(b"\n")
            begun = _run(_object(first).get("run"), _object(rest.partition(b"\n")[0]).get("device"))
            if begun is not None:
                yield _File(begun, content)


def _run(told: Any, device: Any) -> Run | None:  # noqa: ANN401 - whatever the file has
    kinds = {"pid": int, "host": str, "born": str, "started": float, "worker": str, "device": str}
    if not isinstance(told, dict) or not all(isinstance(told.get(name), kind) for name, kind in kinds.items()):
        return None
    run = Run(**{name: told[name] for name in kinds})
    return replace(run, device=device) if isinstance(device, str) else run


def _object(line: bytes) -> Mapping[str, Any]:
    """What a line says; nothing if it is broken."""
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        return found if isinstance(found, dict) else {}
    return {}

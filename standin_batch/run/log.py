"""The log of an output folder: one JSON object a line, with the job that it is about; the newest files are kept.

It helps whoever asks what happened, and nothing is decided by it: a full disk, or a file that is taken away, costs
lines and never the run. Only the run that holds the folder writes it, and at its very end what its command of
`--on-finish` prints. Each worker of a crew has a log of its own, as full files of one that several write would be moved
away under the others. `docs/running.md` names the fields.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from standin_batch.job import Job

MAX_BYTES = 10_000_000
"""Of one file: about 50,000 lines."""

KEPT = 4
"""Full files that are kept beside the one that is written: `log.jsonl.1` is the newest of them."""

MAX_TEXT = 20_000
"""Characters of one message or traceback; of a longer one the middle is left out."""

_job: ContextVar[tuple[str, str]] = ContextVar("job")
"""Id and label of the job at work."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the log.

    Attributes:
        time: ISO 8601 with milliseconds, UTC.
        level: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.
        logger: who says it: a module's name, `libraries` for what they print, `py.warnings`.
        message: what is said.
        thread: name of the thread that says it.
        job_id: of the job at work; empty where none is.
        label: how that job is called for people.
        traceback: of an exception; empty without one.
    """

    time: str
    level: str
    logger: str
    message: str
    thread: str
    job_id: str = ""
    label: str = ""
    traceback: str = ""


def log_to(path: Path) -> None:
    """Send this process's log to `path`, Python's warnings too; whatever heard it before hears it no more."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    logging.captureWarnings(True)
    # What no encoding has, such as half a surrogate pair, is written as JSON writes it.
    handler = _Lines(path, "a", MAX_BYTES, KEPT, encoding="utf-8", delay=True, errors="backslashreplace")
    handler.setFormatter(_AsJson())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


@contextmanager
def about(job: Job) -> Iterator[None]:
    """Within the block, all that this thread logs, also in libraries, is about `job`; other threads need their own."""
    token = _job.set((job.job_id, job.label))
    try:
        yield
    finally:
        _job.reset(token)


def read_logs(paths: Iterable[Path], job_id: str) -> tuple[Line, ...]:
    """What several logs say of a job, oldest first."""
    return tuple(sorted((line for path in paths for line in read_log(path, job_id)), key=lambda line: line.time))


def read_log(path: Path, job_id: str) -> Iterator[Line]:
    """What the log at `path` and its full files say of a job, oldest first; a line that is cut short is passed over.

    It is what was said while the job was at work, and what names it while none was.
    """
    for file in (*(path.with_name(f"{path.name}.{number}") for number in range(KEPT, 0, -1)), path):
        for line in _lines(file, job_id):
            if line.job_id == job_id or (not line.job_id and job_id in line.message):
                yield line


def _lines(path: Path, job_id: str) -> Iterator[Line]:
    sought = job_id.encode()
    with suppress(OSError), path.open("rb") as file:
        for raw in file:
            if sought in raw and (line := _parsed(raw)) is not None:
                yield line


def _parsed(raw: bytes) -> Line | None:
    try:
        found = json.loads(raw)
        return Line(**{field.name: str(found[field.name]) for field in fields(Line) if field.name in found})
    except (ValueError, TypeError, RecursionError):
        return None


class _Lines(RotatingFileHandler):
    """The file. What cannot be written is lost: standard error may be this very log, so nobody can be told."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Open the file anew for the next record: this stream holds what a full disk did not take."""
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()

    def _open(self) -> TextIOWrapper:
        """A line that a crash or a full disk cut short must not swallow the next one."""
        stream = super()._open()
        if _is_cut(Path(self.baseFilename)):
            stream.write("\n")
        return stream


def _is_cut(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        return bool(size) and os.pread(file.fileno(), 1, size - 1) != b"\n"


class _AsJson(logging.Formatter):
    """A record as one JSON object, without what is empty."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without its end."""
        job_id, label = _job.get(("", ""))
        line = Line(
            time=datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            level=record.levelname,
            logger=record.name,
            message=_cut(_message(record)),
            thread=record.threadName or "",
            job_id=job_id,
            label=label,
            traceback=_cut(self.formatException(record.exc_info)) if record.exc_info else "",
        )
        return json.dumps({name: value for name, value in vars(line).items() if value}, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """A library that mixes up a message's arguments still has something to say."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg} {record.args}"


def _cut(text: str) -> str:
    left_out = len(text) - MAX_TEXT
    if left_out <= 0:
        return text
    half = MAX_TEXT // 2
    return f"{text[:half]}\n… {left_out:,} characters left out …\n{text[-half:]}"

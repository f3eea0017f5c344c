"""News as JSON lines in a file that its worker writes and the driver reads, on another machine perhaps.

Each line is written in one go into a file that is opened and closed for it, so that a network file system shows it to
others, and no lock is needed: one process writes. A line that is cut off or broken is passed over.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from standin_batch.backends.crew import news
from standin_batch.backends.crew.news import Gone, Joined, Made, News, Told
from standin_batch.run import events
from standin_batch.run.events import JobStep
from standin_batch.run.journal import file_sink

logger = logging.getLogger(__name__)

STEP_SECONDS = 1.0
"""Between two steps that are told: a network file system is asked to do something for each."""

_NEWS = {kind.__name__: kind for kind in (Joined, Made, Gone)}
_EVENTS: dict[str, Any] = {
    name: kind for name, kind in vars(events).items() if isinstance(kind, type) and is_dataclass(kind)
}


def line_of(told: News) -> str:
    """News as a line, with its end. What has to be sent as a file is none: a worker that writes one sees the folder.

    Raises:
        TypeError: for news that are no line.
    """
    if isinstance(told, news.Sent):
        raise TypeError("files are not sent in lines")
    value = told.event if isinstance(told, Told) else told
    kind = "event" if isinstance(told, Told) else "news"
    return json.dumps({kind: type(value).__name__, **asdict(value)}, ensure_ascii=False, default=str) + "\n"


def news_of(line: bytes | str) -> News | None:
    """What a line tells; None of one that is broken, or of another version."""
    try:
        told = json.loads(line)
        if (name := told.pop("event", None)) is not None:
            return Told(_EVENTS[name](**told))
        return _NEWS[told.pop("news")](**told)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def telling(path: Path, clock: Callable[[], float] = time.monotonic) -> Callable[[News], None]:
    """Puts news at the end of a file; of steps only some, as the next one tells as much.

    Args:
        path: the file; made with the first.
        clock: in seconds.
    """
    sink, told_at = file_sink(path), [-STEP_SECONDS]

    def tell(what: News) -> None:
        if isinstance(what, Told) and isinstance(what.event, JobStep):
            if clock() - told_at[0] < STEP_SECONDS:
                return
            told_at[0] = clock()
        try:
            sink(line_of(what))
        except OSError as error:  # a full disk, a lost mount: records say what is done, all the same
            logger.warning("news could not be told: %s", error)

    return tell


class NewsFile:
    """A file of news that grows, read from where it was left.

    Args:
        path: of the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0

    def new(self) -> Iterator[News]:
        """What was told since the last time, as far as its lines are whole."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                content = file.read()
        except OSError:  # not there yet, or a mount that is away for a moment
            return
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        yield from filter(None, map(news_of, whole.splitlines()))


def told_before(path: Path) -> tuple[News, ...]:
    """All that a file tells."""
    return tuple(NewsFile(path).new())

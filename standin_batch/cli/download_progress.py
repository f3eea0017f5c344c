"""What a person sees during a download: bars on a terminal, lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Protocol

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from standin_batch.cli.console import count, duration, err, print_json, size
from standin_batch.weights.download_events import (
    Asking,
    DownloadEvent,
    DownloadFinished,
    DownloadStarted,
    DownloadWarned,
    FileChecked,
    FileDone,
    FileFailed,
    FileProgress,
    FileRetried,
    FileStarted,
    Waiting,
)

PLAIN_SECONDS = 30.0
"""Without a terminal, it is said this often how far all files are."""


class Reporter(Protocol):
    """Something that shows events; used as the context of a download."""

    def __call__(self, event: DownloadEvent) -> None:
        """Show one event."""

    def showing(self) -> AbstractContextManager[object]:
        """The block within which events are shown."""


def reporter(as_json: bool) -> Reporter:
    """The one that fits."""
    if as_json:
        return JsonReporter()
    return LiveReporter() if err.is_terminal else PlainReporter()


class JsonReporter:
    """One JSON object for each event on standard output: `{"event": "FileDone", "time": ..., ...}`."""

    def showing(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def __call__(self, event: DownloadEvent) -> None:
        """Print the event."""
        try:
            print_json({"event": type(event).__name__, "time": round(time.time(), 3), **asdict(event)})
        except BrokenPipeError:
            # Nobody reads any more: that is a wish to stop.
            raise KeyboardInterrupt from None


class PlainReporter:
    """A line for each thing that ended, and now and then how far all is; for logs and pipes."""

    def __init__(self) -> None:
        self._done: dict[str, int] = {}
        self._all = 0
        self._said = time.monotonic()

    def showing(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def __call__(self, event: DownloadEvent) -> None:
        """Print what is worth a line."""
        if isinstance(event, DownloadStarted):
            self._all = event.bytes
        if isinstance(event, (FileStarted, FileProgress)):
            self._done[event.file] = event.done
        elif isinstance(event, FileDone) and not event.linked_to:
            self._done[event.file] = event.size
        line = self._now() if isinstance(event, FileProgress) else _line(event)
        if line is not None:
            self._said = time.monotonic()
            err.print(line)

    def _now(self) -> Text | None:
        if time.monotonic() - self._said < PLAIN_SECONDS:
            return None
        return Text(f"  {size(sum(self._done.values()))} of {size(self._all)}")


class LiveReporter:
    """A bar for each file that comes and one for all, at the bottom; what ended scrolls above them."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=err,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._all: TaskID | None = None
        self._files: dict[str, TaskID] = {}
        self._done: dict[str, int] = {}

    def showing(self) -> AbstractContextManager[object]:
        """The block in which the bars are on the screen."""
        return self._bars

    def __call__(self, event: DownloadEvent) -> None:
        """Move the bars and print what ended."""
        if isinstance(event, DownloadStarted):
            self._all = self._bars.add_task("[bold]all", total=event.bytes)
        elif isinstance(event, FileStarted):
            self._files[event.file] = self._bars.add_task(event.file, total=event.size, completed=event.done)
        if isinstance(event, (FileStarted, FileProgress)):
            self._move(event.file, event.done)
        elif isinstance(event, FileChecked) and event.file in self._files:
            self._bars.update(self._files[event.file], description=f"{event.file} [dim]checking")
        elif isinstance(event, (FileDone, FileFailed)):
            self._end(event)
        if (line := _line(event)) is not None:
            err.print(line)

    def _move(self, file: str, done: int) -> None:
        self._bars.update(self._files[file], completed=done)
        self._done[file] = done
        if self._all is not None:
            self._bars.update(self._all, completed=sum(self._done.values()))

    def _end(self, event: FileDone | FileFailed) -> None:
        task = self._files.get(event.file)
        if task is None:
            return
        if isinstance(event, FileDone):
            self._move(event.file, event.size)
        self._bars.remove_task(task)


def _line(event: DownloadEvent) -> Text | None:
    """What is said of an event, once."""
    if isinstance(event, Waiting):
        return Text(f"another process downloads into {event.folder}; waiting for it")
    if isinstance(event, Asking):
        return Text(f"asking for {event.repository}", style="dim")
    if isinstance(event, DownloadStarted):
        return _started(event)
    if isinstance(event, FileRetried):
        return Text.assemble(("! ", "bold yellow"), f"{event.file}: {event.reason}; again in {event.pause:.0f} s")
    if isinstance(event, FileDone):
        tail = f"linked to {event.linked_to}" if event.linked_to else f"{size(event.size)}, verified"
        return Text.assemble(("✓ ", "bold green"), event.file, (f"  {tail}", "cyan"))
    if isinstance(event, FileFailed):
        return _with_cure(Text.assemble(("✗ ", "bold red"), event.file, "  ", (event.error, "red")), event.hint)
    if isinstance(event, DownloadWarned):
        return _with_cure(Text.assemble(("! ", "bold yellow"), event.message), event.hint)
    return _finished(event) if isinstance(event, DownloadFinished) else None


def _started(event: DownloadStarted) -> Text | None:
    if not event.files:
        return None
    resumed = f", {size(event.resumed_bytes)} of them from an earlier download" if event.resumed_bytes else ""
    return Text(f"{count(event.files, 'file')}, {size(event.bytes)} to fetch into {event.folder}{resumed}")


def _with_cure(text: Text, hint: str) -> Text:
    return Text.assemble(text, ("\n    cure: ", "bold green"), hint) if hint else text


def _finished(event: DownloadFinished) -> Text:
    if not event.fetched + event.linked + event.failed:
        return Text(f"all {count(event.here, 'file')} are in {event.folder} already; nothing was fetched")
    parts = [f"{count(event.fetched, 'file')} fetched"]
    parts += [f"{number} {word}" for number, word in ((event.linked, "linked"), (event.here, "here before")) if number]
    parts += [f"{event.failed} failed"] if event.failed else []
    head = ("stopped", "bold red") if event.failed else ("finished", "bold green")
    return Text.assemble(head, f": {', '.join(parts)} in {duration(event.seconds)}, in {event.folder}")

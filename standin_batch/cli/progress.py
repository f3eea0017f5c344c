"""What a person sees during a run: live bars on a terminal, lines elsewhere, JSON lines for programs, or nothing."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Protocol

from standin_batch.cli.console import err, print_json
from standin_batch.cli.profile import table_of
from standin_batch.cli.progress_lines import failed, told_safely, warned
from standin_batch.cli.progress_live import LiveReporter
from standin_batch.cli.progress_plain import PlainReporter
from standin_batch.run.events import Event, JobFailed, Profiled, Warned


class Reporter(Protocol):
    """Something that shows events; used as the context of a run."""

    def __call__(self, event: Event) -> None:
        """Show one event."""

    def showing(self) -> AbstractContextManager[object]:
        """The block within which events are shown."""


def reporter(as_json: bool, quiet: bool, profile: bool = False) -> Reporter:
    """The one that fits; with `profile` it also shows where the time went."""
    if as_json:
        return JsonReporter()
    usual = QuietReporter() if quiet else LiveReporter() if err.is_terminal else PlainReporter()
    return ProfilingReporter(usual) if profile else usual


def warn_of(event: Event) -> None:
    """Show a warning, for commands that are no runs; nothing else is worth a line there."""
    if isinstance(event, Warned):
        err.print(warned(told_safely(event)))


class JsonReporter:
    """One JSON object for each event on standard output: `{"event": "JobCompleted", "time": ..., ...}`."""

    def showing(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def __call__(self, event: Event) -> None:
        """Print the event."""
        try:
            self._print(event)
        except BrokenPipeError:
            # Nobody reads any more: that is a wish to stop, and no job's fault.
            raise KeyboardInterrupt from None
        except OSError:
            return  # a terminal that was closed

    def _print(self, event: Event) -> None:
        print_json({"event": type(event).__name__, "time": round(time.time(), 3), **asdict(event)})


class QuietReporter:
    """Failures only."""

    def showing(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def __call__(self, event: Event) -> None:
        """Show the event if it is a failure."""
        if isinstance(event, JobFailed):
            err.print(failed(told_safely(event)))


class ProfilingReporter:
    """Another reporter, and a table of where the time went."""

    def __init__(self, usual: Reporter) -> None:
        self._usual = usual

    def showing(self) -> AbstractContextManager[object]:
        """What the other sets up."""
        return self._usual.showing()

    def __call__(self, event: Event) -> None:
        """Show the event."""
        if isinstance(event, Profiled):
            err.print(table_of(event))
        else:
            self._usual(event)

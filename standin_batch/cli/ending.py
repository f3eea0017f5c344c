"""How a run ends, for whoever started it: the exit code, and the command of `--on-finish`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.errors import ExitCode, StandinError

if TYPE_CHECKING:
    from standin_batch.cli.progress import Reporter
    from standin_batch.run.events import Event, RunFinished
    from standin_batch.run.plan_manifest import PlannedManifest


@dataclass
class End:
    """What is known when a run ends.

    Attributes:
        manifest: its file.
        report: shows events.
        given: the command of `--on-finish`; None without one.
        allowed: whether the manifest's own command is obeyed.
        planned: the manifest as planned; None if it did not come so far.
        finished: what came of the run; None if it did not begin.
    """

    manifest: Path
    report: Reporter
    given: str | None
    allowed: bool
    planned: PlannedManifest | None = None
    finished: RunFinished | None = None

    def __call__(self, event: Event) -> None:
        """Show an event, and keep the last."""
        from standin_batch.run.events import RunFinished

        if isinstance(event, RunFinished):
            self.finished = event
        self.report(event)

    def say(self) -> None:
        """Tell that a command will not be run, before the run that it is waited for."""
        from standin_batch.run.on_finish import command_of

        _, warning = command_of(self.given, self._written, allowed=self.allowed)
        if warning is not None:
            self.report(warning)

    def finish(self, code: ExitCode | None, why: str) -> None:
        """Run the command, if there is one."""
        from standin_batch.run.events import Finishing
        from standin_batch.run.on_finish import Ending, command_of, finish

        command, _ = command_of(self.given, self._written, allowed=self.allowed)
        if command is None:
            return
        self.report(Finishing(command))
        folder = None if self.planned is None else self.planned.store.layout.folder
        warning = finish(command, Ending(self.manifest, code, folder, self.finished, why or _why(self.finished)))
        if warning is not None:
            self.report(warning)

    @property
    def _written(self) -> str | None:
        return None if self.planned is None else self.planned.manifest.run.on_finish


@contextmanager
def ended(end: End) -> Iterator[End]:
    """After the block, however it ends, the command of `--on-finish` is run."""
    from standin_batch.run.events import Warned

    code: ExitCode | None = None
    why = ""
    try:
        yield end
        if end.finished is not None:
            code = exit_code(end.finished)
    except StandinError as error:
        code, why = error.exit_code, error.message
        raise
    except KeyboardInterrupt as error:
        code, why = ExitCode.STOPPED, str(error) or "Ctrl-C"
        if end.finished is None:
            end.report(Warned(f"stopped before the first job: {why}"))
        raise
    finally:
        end.finish(code, why)


def exit_code(finished: RunFinished) -> ExitCode:
    """What a run leaves with: what the machine lacks stands above what the jobs do, and that above a stop."""
    from standin_batch.run.failure import ENDING

    if finished.why in {kind.value for kind in ENDING}:
        return ExitCode.NOT_READY
    if finished.stopped:
        return ExitCode.STOPPED
    missing = finished.failed, finished.failed_before, finished.not_accepted, finished.unscored
    if any(missing):
        return ExitCode.JOBS_FAILED
    return ExitCode.STOPPED if finished.remaining else ExitCode.OK


def _why(finished: RunFinished | None) -> str:
    if finished is None or finished.why or finished.failed:
        return ""
    if finished.not_accepted:
        return f"{finished.not_accepted} without an accepted clip"
    return f"{finished.failed_before} failed in an earlier run" if finished.failed_before else ""

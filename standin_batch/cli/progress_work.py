"""What is being done right now, below the bar of the run: by this process, or by each worker of a crew."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from standin_batch.cli.console import err

MOST = 8
"""Workers with a line; of more it tells how many they are."""

WAITING = "waiting"


class Work:
    """Lines with a spinner, what is done and, of a clip, its bar. The worker "" is this process."""

    def __init__(self) -> None:
        self._alone = _lines(TextColumn("{task.description}"))
        self._crew = _lines(TextColumn("[bold]{task.fields[worker]}"), _Label())
        self._lines: dict[str, TaskID] = {}
        self._jobs: dict[str, str] = {}

    def __rich__(self) -> RenderableType:
        """All lines, as they are now."""
        return Group(*self._pieces())

    def _pieces(self) -> Iterator[RenderableType]:
        yield self._alone
        yield self._crew
        if (more := len(self._crew.tasks) - MOST) > 0:
            yield Text(f"  and {more:,} more {'worker' if more == 1 else 'workers'}", style="dim")

    def show(self, worker: str, what: str, steps: int | None = None, job_id: str = "") -> None:
        """Let a worker do something else now: a clip of so many steps, or what has none."""
        self._show(worker, what, steps, "" if steps is None else "preparing")
        self._jobs[worker] = job_id

    def rest(self, worker: str) -> None:
        """Nothing is to be done by a worker, which is there; this process has no line then."""
        if worker:
            self._show(worker, WAITING, 1, "")
            self._jobs[worker] = ""
        else:
            self.hide(worker)

    def _show(self, worker: str, what: str, steps: int | None, detail: str) -> None:
        if worker and worker in self._lines:  # it keeps its place among the others
            self._crew.reset(self._lines[worker], description=what, detail=detail, worker=worker)
            (task,) = (task for task in self._crew.tasks if task.id == self._lines[worker])
            task.total = steps  # rich's own methods take None for no change
            return
        self.hide(worker)
        lines = self._crew if worker else self._alone
        self._lines[worker] = lines.add_task(what, total=steps, detail=detail, worker=worker)
        self._show_first()

    def step(self, worker: str, label: str, step: int, steps: int) -> None:
        """A step of a worker's clip is done."""
        if worker in self._lines:
            lines = self._crew if worker else self._alone
            detail = "decoding" if step == steps else f"step {step}/{steps}"
            lines.update(self._lines[worker], description=label, completed=step, total=steps, detail=detail)

    def ended(self, worker: str, job_id: str) -> None:
        """A clip has ended. This process shows what is next, a worker also that nothing is."""
        if worker and self._jobs.get(worker) == job_id:
            self.rest(worker)

    def hide(self, worker: str) -> None:
        """Nothing is done by a worker, which leaves."""
        if worker in self._lines:
            (self._crew if worker else self._alone).remove_task(self._lines.pop(worker))
            self._jobs.pop(worker, None)
            self._show_first()

    def hide_all(self) -> None:
        """Nothing is done any more."""
        for worker in tuple(self._lines):
            self.hide(worker)

    def _show_first(self) -> None:
        for place, task in enumerate(self._crew.tasks):
            self._crew.update(task.id, visible=place < MOST)


class _Label(ProgressColumn):
    """What is done: on a narrow screen it gives way, and the other columns stay whole."""

    def render(self, task: Task) -> Text:
        """In one line, cut where there is no room."""
        return Text(task.description, no_wrap=True, overflow="ellipsis")


def _lines(*columns: ProgressColumn) -> Progress:
    detail = TextColumn("[dim]{task.fields[detail]}")
    return Progress(SpinnerColumn(), *columns, BarColumn(bar_width=16), detail, console=err)

"""Tasks that Slurm has begun and whose workers never said a word: why, by the last lines that they have printed.

Such a task has failed before its first job: by a line of `setup`, by a Python that is not on the node, by its memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from standin_batch.backends.crew.news import DIED, Gone, Joined
from standin_batch.backends.crew.news_lines import told_before
from standin_batch.backends.slurm.array import Array, events_file, workers_of
from standin_batch.errors import NotReadyError
from standin_batch.output.layout import OutputLayout

BY_ITSELF = frozenset(("FAILED", "OUT_OF_MEMORY"))
"""States of tasks that have ended by what they did, and would again."""

LINES = 3
"""Lines that are shown of what a task has printed."""

LENGTH = 200
"""Characters of a line that are shown."""

BYTES = 8192
"""Of the end of a file that is read: a task may have printed for hours."""


def never_began(array: Array, layout: OutputLayout, states: Mapping[int, str], gone: Mapping[int, Gone]) -> str:
    """What the first task has printed that could not begin, in a sentence; empty where there is none.

    Args:
        array: that is over.
        layout: of the output folder.
        states: of its tasks, in Slurm's words, as far as they are known.
        gone: what their workers have told last.

    Raises:
        NotReadyError: if no worker of the array ever began, and so none of the next will.
    """
    failed = [rank for rank in states if _has_failed(states[rank], gone.get(rank)) and not _began(array, layout, rank)]
    if not failed:
        return ""
    rank = failed[0]
    printed = errors_of(array, layout, rank)
    why = gone[rank].why if rank in gone else last_lines(printed) or "it has printed nothing"
    told = f"task {rank} of the array {array.id} could not begin: {why}"
    if not any(_began(array, layout, rank) for rank in range(len(array.shards))):
        raise NotReadyError(told, f"look into {printed}, and at `setup` in the machine file")
    return f"{told} ({printed})"


def errors_of(array: Array, layout: OutputLayout, rank: int) -> Path:
    """Where submitit has a task and its worker print errors."""
    task = f"{array.id}_{rank}" if len(array.shards) > 1 else array.id  # one task is no array
    return layout.array.tasks.absolute() / f"{task}_0_log.err"


def last_lines(path: Path) -> str:
    """The last lines of a file that are not empty, in one; empty where it cannot be read.

    What `srun` says of the end of a task comes last and tells least: it is shown where there is nothing else.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - BYTES))
            text = file.read(BYTES).decode(errors="replace")
    except OSError:
        return ""
    lines = [line.strip()[:LENGTH] for line in text.splitlines() if line.strip()]
    own = [line for line in lines if not line.startswith("srun: ")]
    return " / ".join((own or lines)[-LINES:])


def _has_failed(state: str, gone: Gone | None) -> bool:
    return state in BY_ITSELF if gone is None else gone.kind == DIED


def _began(array: Array, layout: OutputLayout, rank: int) -> bool:
    """Whether a worker of a rank was ever ready for jobs."""
    workers = workers_of(layout, array.id, rank)
    return any(isinstance(news, Joined) for worker in workers for news in told_before(events_file(layout, worker)))

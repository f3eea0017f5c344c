"""Arrays of tasks that a scheduler may start at any time in an output folder, also when nobody leads them any more.

Here it is only said whether there is one, and that it is not wanted any more; what it makes is the backend's affair.
Nobody is asked but the folder: a machine that sees it need not know the scheduler.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from standin_batch.files import write_atomic
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputError


@dataclass(frozen=True)
class Submitted:
    """An array that was submitted.

    Attributes:
        name: that its scheduler knows it by.
        id: that its scheduler gave it; empty where that is not written down.
    """

    name: str
    id: str

    def __str__(self) -> str:
        return f"the array {self.id} ({self.name})" if self.id else f"the array {self.name}"


def may_begin(layout: OutputLayout) -> Submitted | None:
    """The array whose tasks may begin in an output folder, as far as that says; None where none may.

    Not one that was asked to stop: its tasks end before they begin anything.
    """
    try:
        told = json.loads(layout.array.file.read_bytes())
        array, ranks = Submitted(str(told["name"]), str(told["id"])), range(len(told["shards"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    over = layout.array.stop.exists() or all(layout.array.done(rank).exists() for rank in ranks)
    return None if over else array


def ask_array(layout: OutputLayout) -> Submitted | None:
    """Have all tasks of an array stop, those that only begin, too.

    Returns:
        Which array that is; None where none may begin.

    Raises:
        OutputError: if the folder cannot be written.
    """
    array = may_begin(layout)
    if array is not None:
        try:
            write_atomic(layout.array.stop, "")
        except OSError as error:
            cure = f"scancel --name={array.name}"
            raise OutputError(f"{layout.array.stop} cannot be written: {error.strerror}", cure) from error
    return array

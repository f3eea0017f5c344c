"""What those who make jobs are given, with a list of all that is told."""

from __future__ import annotations

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputOptions, Store
from standin_batch.run.conduct import Desk
from standin_batch.run.journal import Journal
from standin_batch.run.stopping import Stop
from standin_batch.run.tally import Tally


def make_desk(folder, told, planned=()):
    """A desk of a run into `folder` that is to make the jobs of these ids."""
    layout, tally = OutputLayout(folder), Tally(set(planned))
    return Desk(
        store=Store(layout, OutputOptions("{job_id}", 5, lossless=False, keep_latents=False)),
        tally=tally,
        journal=Journal(layout.journals),
        emit=tally.listening(told.append),
        stop=Stop(),
        refresh=lambda: None,
    )

"""A planned run as Python sees it: what would be made, why, and what it takes; readable in a notebook."""

from __future__ import annotations

import io
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.errors import UsageError
from standin_batch.job import Job
from standin_batch.manifest import Manifest, load_manifest
from standin_batch.plan.estimate import Estimate
from standin_batch.plan.makespan import Makespan
from standin_batch.plan.plan import PlannedJob
from standin_batch.run.plan_manifest import PlannedManifest, Selection, plan_loaded

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 110
"""Characters of a line of text."""

HTML = "<pre style='white-space: pre; line-height: 1.3'><code style='font-family: monospace'>{code}</code></pre>"
"""Of a notebook; rich puts the text in place of `{code}`."""


@dataclass(frozen=True, repr=False)
class PlannedRun:
    """What `run` would do.

    Attributes:
        planned: the manifest, the store of its results, and the plan.
        checkpoints: the folder in place of each model's own.
    """

    planned: PlannedManifest
    checkpoints: Path | None = None

    @property
    def manifest(self) -> Manifest:
        """As it was read."""
        return self.planned.manifest

    @property
    def folder(self) -> Path:
        """Where the videos go."""
        return self.planned.store.layout.folder

    @property
    def jobs(self) -> tuple[PlannedJob, ...]:
        """What would run, in order, each with the reason."""
        return self.planned.plan.to_run

    @property
    def done(self) -> tuple[Job, ...]:
        """What is made already."""
        return self.planned.plan.done

    def estimate(self) -> Estimate:
        """What it takes: steps, hours, bytes and memory; None where this machine has not measured it."""
        return self.planned.estimate()

    def makespan(self, workers: int) -> Makespan:
        """What it takes with several workers, each with a device like this one: the time, and what each makes.

        Raises:
            UsageError: if there are none.
        """
        if workers < 1:
            raise UsageError(f"workers is {workers}", "ask for one worker or more")
        return self.planned.makespan(workers)

    def __len__(self) -> int:
        """How many videos would be made."""
        return len(self.jobs)

    def __repr__(self) -> str:
        to_make, made = len(self), len(self.done)
        return f"<PlannedRun {self.manifest.name}: {to_make:,} to make, {made:,} made before, into {self.folder}>"

    def __str__(self) -> str:
        """As `standin plan` shows it."""
        console = self._drawn(colours=False)
        return console.export_text().rstrip()

    def _repr_html_(self) -> str:
        """The same with colours, for notebooks."""
        return self._drawn(colours=True).export_html(inline_styles=True, code_format=HTML)

    def _drawn(self, *, colours: bool) -> Console:
        from rich.console import Console

        from standin_batch.cli.plan_drawn import drawn

        console = Console(
            file=io.StringIO(),
            record=True,
            width=WIDTH,
            highlight=False,
            force_jupyter=False,
            force_terminal=colours,
            no_color=not colours,
        )
        for part in drawn(self.planned):
            console.print(part)
        return console


def planned(
    manifest: Manifest | str | os.PathLike[str],
    only: Collection[str] = (),
    limit: int | None = None,
    force: bool = False,
    retry_failed: bool = False,
    preview: bool = False,
    checkpoints: str | os.PathLike[str] | None = None,
) -> PlannedRun:
    """Plan a manifest, or its file; the arguments are those of `api.plan`."""
    if isinstance(only, str):
        only = [only]
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}", "make at least one video, or leave it out for all")
    folder = None if checkpoints is None else Path(checkpoints)
    loaded = manifest if isinstance(manifest, Manifest) else load_manifest(Path(manifest))
    selection = Selection(
        only=tuple(only), limit=limit, force=force, retry_failed=retry_failed, preview=preview, checkpoints=folder
    )
    return PlannedRun(plan_loaded(loaded, selection), folder)

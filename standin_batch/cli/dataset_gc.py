"""`standin dataset gc`: what no job of the manifest owns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson, Checkpoints, Overrides
from standin_batch.cli.place import Target
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from standin_batch.job import Job
    from standin_batch.output.garbage import Garbage
    from standin_batch.output.layout import OutputLayout

SHOWN_FILES = 20
"""Files that are listed one by one; `--json` lists all."""


def gc(
    target: Target,
    yes: Annotated[bool, typer.Option("--yes", "--delete", help="Remove what is listed.")] = False,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    checkpoints: Checkpoints = None,
    as_json: AsJson = False,
) -> int:
    """List what no job of the manifest owns: records, videos, posters and latents of others, and what killed runs left.

    An output folder alone is taken with its manifest.lock.yaml. Nothing is removed without [cyan]--yes[/]; links are
    left alone, and so is all that is not in videos/, records/, posters/ and latents/.

    [bold]Examples[/bold]

      standin dataset gc manifest.yaml
      standin dataset gc outputs/quickstart --yes
    """
    from standin_batch.cli.console import print_json
    from standin_batch.output.garbage import find_garbage, remove_garbage
    from standin_batch.output.index import write_index
    from standin_batch.run.posts import alone

    layout, owned = _owned(target, overrides, checkpoints)
    found = find_garbage(layout, owned)
    left = found
    if yes and found:
        with alone(layout):
            found = find_garbage(layout, owned)
            left = remove_garbage(layout, found)
            write_index(layout)
    if as_json:
        print_json(_json(layout, found, left))
    else:
        _print(layout, found, left, yes)
    return ExitCode.JOBS_FAILED if yes and left else ExitCode.OK


def _owned(target: Path, overrides: Sequence[str], checkpoints: Path | None) -> tuple[OutputLayout, frozenset[str]]:
    """The output folder, and the ids of all jobs of its manifest and of their attempts."""
    from standin_batch.attempts import attempts
    from standin_batch.run.folder_jobs import folder_jobs

    found = folder_jobs(target, overrides, checkpoints)
    _refuse_strangers(found.layout, found.jobs)
    return found.layout, frozenset(each.job_id for job in found.jobs for each in attempts(job))


def _refuse_strangers(layout: OutputLayout, jobs: Sequence[Job]) -> None:
    """Refuse to call everything garbage because the ids of the jobs are not what they were when they ran."""
    from standin_batch.errors import UsageError
    from standin_batch.output.store import recorded_ids
    from standin_batch.weights.content import MISSING
    from standin_batch.weights.locate import WeightsMissing

    cure = "name the weights it was made with: --checkpoints DIR"
    if any(digest.startswith(MISSING) for job in jobs for digest in job.weights.values()):
        raise WeightsMissing("the weights are not here, so the ids of the jobs are not known", cure)
    recorded = recorded_ids(layout)
    if recorded and recorded.isdisjoint(job.job_id for job in jobs):
        raise UsageError(f"none of the {len(recorded):,} records in {layout.folder} belongs to this manifest", cure)


def _json(layout: OutputLayout, found: Sequence[Garbage], left: Sequence[Garbage]) -> dict[str, object]:
    from dataclasses import asdict

    stays = set(left)
    return {
        "folder": str(layout.folder),
        "files": [{**asdict(item), "removed": item not in stays} for item in found],
        "bytes": sum(item.bytes for item in found),
        "removed": len(found) - len(left),
    }


def _print(layout: OutputLayout, found: Sequence[Garbage], left: Sequence[Garbage], removing: bool) -> None:
    from standin_batch.cli.console import count, err, out, warn

    if not found:
        err.print(f"nothing to remove: every file in {layout.folder} has its job")
        return
    out.print(_kinds(found))
    shown = left if removing else found
    for item in shown[:SHOWN_FILES]:
        out.print(f"  {item.path}", markup=False)
    if (more := len(shown) - SHOWN_FILES) > 0:
        out.print(f"  … and {more:,} more", style="dim")
    if not removing:
        err.print(f"nothing was removed; {count(len(found), 'file')} would be with --yes")
    elif left:
        warn(f"{count(len(left), 'file')} could not be removed", "check the permissions of the folder")
    else:
        err.print(f"{count(len(found), 'file')} removed from {layout.folder}")


def _kinds(found: Sequence[Garbage]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    from standin_batch.cli.console import size

    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("what no job owns", "files", "size"):
        table.add_column(column, justify="left" if column == "what no job owns" else "right")
    for kind in dict.fromkeys(item.kind for item in found):
        sizes = [item.bytes for item in found if item.kind == kind]
        table.add_row(kind, f"{len(sizes):,}", size(sum(sizes)))
    table.add_row("together", f"{len(found):,}", size(sum(item.bytes for item in found)), style="bold")
    return table

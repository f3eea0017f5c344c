"""`standin init`: from a folder of photographs and a file of prompts to a manifest."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import Checkpoints
from standin_batch.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from standin_batch.face.detect import Detector
    from standin_batch.manifest.starter import Look, Starter
    from standin_batch.run.first_manifest import Wish
    from standin_batch.run.photographs import LeftOut, Photograph

SHOWN = 5
"""Files of a kind that are named."""


def init(
    photographs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PHOTOGRAPHS", help="A folder of photographs, or the files themselves.", show_default=False
        ),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(
            "--prompts",
            metavar="FILE",
            help="Prompts: text (one a line), CSV or JSONL; two examples without it.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The manifest.")] = Path(
        "manifest.yaml"
    ),
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="The base model.", show_default="what this machine can run"),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Of the manifest.", show_default="that of the folder"),
    ] = None,
    seeds: Annotated[
        str, typer.Option("--seeds", metavar="SEEDS", help="A take of each video for each: 0..3, 7, or 1,5,9.")
    ] = "0..1",
    field: Annotated[
        str | None,
        typer.Option("--field", metavar="NAME", help="Column or key of the prompts in a CSV or JSONL file."),
    ] = None,
    look: Annotated[bool, typer.Option("--look/--no-look", help="Look for faces in the photographs.")] = True,
    checkpoints: Checkpoints = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a manifest that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, also on a terminal.")] = False,
) -> int:
    """Write a manifest for a folder of photographs and a file of prompts: commented, checked, ready to run.

    Each photograph becomes an identity, each line a prompt, every combination a video. On a terminal, without
    photographs, it asks.

    [bold]Examples[/bold]

      standin init
      standin init photos/ --prompts prompts.txt
      standin init ada.jpg grace.heic --model wan2.2-t2v-a14b --seeds 0..3 -o pioneers.yaml
    """
    from standin_batch.cli.questions import asked
    from standin_batch.run.first_manifest import Wish, fitting_model, seeds_of, starter_of, write_starter
    from standin_batch.run.measured import likely_device
    from standin_batch.weights.registry import row

    _refuse_to_replace(output, force)
    seeds_of(seeds)
    wish = Wish(output, row(model or fitting_model(likely_device())).name, name, prompts, field, seeds)
    places = list(photographs or ())
    if not places and not yes and sys.stdin.isatty() and sys.stderr.isatty():
        places, wish = asked(wish)
    usable, left_out, how = _photographs(places or _usual_folder(), wish, checkpoints, look)
    starter = starter_of(wish, usable, how)
    write_starter(starter, output)
    _tell(starter, left_out, output, examples=wish.prompts is None)
    return ExitCode.OK


def _refuse_to_replace(output: Path, force: bool) -> None:
    if output.is_dir():
        raise UsageError(f"{output} is a folder", f"name a file: --output {shlex.quote(str(output / 'manifest.yaml'))}")
    if output.exists() and not force:
        raise UsageError(f"{output} is there already", "name another with --output, or replace it with --force")


def _usual_folder() -> list[Path]:
    from standin_batch.cli.questions import FOLDER

    if FOLDER.is_dir():
        return [FOLDER]
    raise UsageError("no photographs were named", "for example: standin init photos/ --prompts prompts.txt")


def _photographs(
    places: Sequence[Path], wish: Wish, checkpoints: Path | None, look: bool
) -> tuple[list[Photograph], list[LeftOut], Look]:
    """The pictures, what is left out, and how they were looked at."""
    from standin_batch.run.photographs import found_in, looked_at

    files, others = found_in(places)
    with _looking(wish.model, checkpoints, look and bool(files)) as (detector, how), _passing(len(files)) as passing:
        usable, broken = looked_at(files, detector, passing)
    if not usable:
        told = f": {broken[0].path.name}: {broken[0].why}" if broken else ""
        cure = "bring JPEG, PNG, WebP, HEIC, AVIF or TIFF"
        raise UsageError(f"there is no picture to use in {places[0]}{told}", cure)
    prompts = None if wish.prompts is None else wish.prompts.resolve()
    return usable, [*broken, *(other for other in others if other.path.resolve() != prompts)], how


@contextmanager
def _looking(model: str, checkpoints: Path | None, look: bool) -> Iterator[tuple[Detector | None, Look]]:
    """Within the block, who looks for faces, if anybody does."""
    from standin_batch.cli.console import warn
    from standin_batch.face.detect import FaceModelsMissing
    from standin_batch.manifest.starter import Look
    from standin_batch.run.photographs import detecting
    from standin_batch.weights.locate import is_made_here
    from standin_batch.weights.registry import ROWS

    with ExitStack() as stack:
        detector, how = None, Look.NO_MODELS if look else Look.NOT_ASKED
        if look:
            try:
                detector = stack.enter_context(detecting(model, checkpoints))
            except FaceModelsMissing as error:
                warn(f"nobody looks for faces: {error.message}", error.hint)
        if detector is not None:
            how = Look.TINY if is_made_here(ROWS[model], checkpoints) else Look.DETECTOR
        yield detector, how


@contextmanager
def _passing(total: int) -> Iterator[Callable[[Path], object]]:
    """Within the block, a bar on the terminal tells where we are."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from standin_batch.cli.console import err, printable

    columns = (
        TextColumn("looking at"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total)
        seen = iter(range(total))
        yield lambda path: progress.update(task, completed=next(seen, total), description=printable(path.name))


def _tell(starter: Starter, left_out: Sequence[LeftOut], output: Path, examples: bool) -> None:
    from rich.text import Text

    from standin_batch.cli.console import count, err, printable
    from standin_batch.manifest.starter import commands

    subjects = [picture.name for picture in starter.pictures if picture.kind == "subject"]
    err.print(f"{count(len(starter.pictures), 'photograph')}{_kinds(starter, subjects)}")
    for other in left_out[:SHOWN]:
        err.print(Text.assemble(("left out: ", "bold yellow"), printable(f"{other.path.name} ({other.why})")))
    if (more := len(left_out) - SHOWN) > 0:
        err.print(f"  … and {more:,} more files")
    if examples:
        err.print("no --prompts: two examples stand in for them")
    product = (
        f"{count(len(starter.pictures), 'identity', 'identities')} x {count(starter.prompt_count, 'prompt')} "
        f"x {count(starter.seed_count, 'seed')} = {count(starter.total, 'video')}"
    )
    err.print(Text.assemble(("written: ", "bold green"), printable(str(output)), f": {product}\n"))
    found = commands(starter)
    width = max(map(len, found))
    for command, about in found.items():
        err.print(Text.assemble("  ", (printable(command.ljust(width)), "cyan"), (f"  # {about}", "dim")))


def _kinds(starter: Starter, subjects: Sequence[str]) -> str:
    """Who is taken as what."""
    from standin_batch.manifest.starter import Look

    if starter.look in (Look.NOT_ASKED, Look.NO_MODELS):
        why = "" if starter.look is Look.NOT_ASKED else f", as there are no face models of {starter.model} here"
        return f", each taken as a face{why}"
    if not subjects:
        return ", each with a face"
    named = ", ".join(subjects[:SHOWN]) + (", …" if len(subjects) > SHOWN else "")
    knows = " that the tiny model knows" if starter.look is Look.TINY else ""
    return f"; without a face{knows}, and taken as they are: {named}"

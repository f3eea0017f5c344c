"""`standin weights convert`: float32 shards to bfloat16 and pickles to safetensors, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson, Checkpoints
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from standin_batch.digests import DigestCache
    from standin_batch.weights.convert import Conversion, Converted, Tell
    from standin_batch.weights.registry import ModelRow

Rows = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ROW]...", help="Models; every one that is here if none is named.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be converted, and convert nothing.")]


def convert(
    rows: Rows = None, checkpoints: Checkpoints = None, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """Convert weights once, so that every later start reads half as much.

    Float32 shards become bfloat16 in [cyan]bfloat16/[/] beside them, rounded as PyTorch rounds; the text encoder and
    the VAE become safetensors with the numbers they have. The originals stay. What was converted before and has not
    changed is left alone.

    [bold]Examples[/bold]

      standin weights convert --dry-run
      standin weights convert wan2.1-t2v-14b
      standin weights convert --checkpoints /data/checkpoints --json
    """
    from standin_batch.cli.console import print_json
    from standin_batch.digests import DigestCache
    from standin_batch.weights.convert import convert_all

    cache = DigestCache.default()
    found = _found(_rows(rows or [], checkpoints), checkpoints, cache)
    made: dict[Path, Converted] = {}
    if not dry_run:
        with _showing(found) as tell:
            for conversion, entry in convert_all(found, cache, tell):
                made[conversion.source] = entry
                _say(conversion, entry)
    if as_json:
        print_json([_json(conversion, made.get(conversion.source)) for conversion in found])
    else:
        _sum_up(found, dry_run)
    return ExitCode.OK


def _rows(names: Sequence[str], checkpoints: Path | None) -> list[ModelRow]:
    """The rows that were named, or all that are here."""
    from standin_batch.errors import UsageError
    from standin_batch.weights.convert import is_here
    from standin_batch.weights.cure import get_again
    from standin_batch.weights.locate import WeightsMissing, is_made_here, root_of
    from standin_batch.weights.registry import ROWS, row

    rows = [row(name) for name in dict.fromkeys(names)] or [each for each in ROWS.values() if each.is_downloaded]
    if made := next((each for each in rows if is_made_here(each, checkpoints)), None):
        raise UsageError(f"{made.name} is made on this machine, as bfloat16", "name a model that is downloaded")
    absent = [each for each in rows if not is_here(each, checkpoints)]
    if absent and (names or len(absent) == len(rows)):
        root, which = root_of(absent[0], checkpoints), absent[0].name if names else "any model"
        raise WeightsMissing(f"there are no weights of {which} in {root}", get_again(absent[0], root))
    return [each for each in rows if each not in absent]


def _found(rows: Sequence[ModelRow], checkpoints: Path | None, cache: DigestCache) -> list[Conversion]:
    """What there is to convert for all rows together, each file once."""
    from standin_batch.weights.convert import conversions_of

    every = (each for row in rows for each in conversions_of(row, checkpoints, cache))
    return list({each.source: each for each in every}.values())


@contextmanager
def _showing(found: Sequence[Conversion]) -> Iterator[Tell]:
    """Gives what is told of bytes that were read: a bar on a terminal, which stays silent elsewhere."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from standin_batch.cli.console import err

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=sum(each.read for each in found if each.done is None))

        def tell(conversion: Conversion, read: int) -> None:
            progress.update(task, description=conversion.source.name, advance=read)

        yield tell


def _say(conversion: Conversion, entry: Converted) -> None:
    from standin_batch.cli.console import err

    how = "no value changed" if entry.exact else "rounded"
    err.print(f"{entry.path}: {how}", markup=False)


def _sum_up(found: Sequence[Conversion], dry_run: bool) -> None:
    from standin_batch.cli.console import count, err, out, size

    todo = [each for each in found if each.done is None]
    if dry_run:
        for each in todo:
            out.print(f"{size(each.size):>9}  {each.source} -> {each.target}", markup=False)
    what = f"{count(len(todo), 'file')}, {size(sum(each.size for each in todo))}"
    left = f"; {count(len(found) - len(todo), 'file')} converted before" if len(found) > len(todo) else ""
    if todo:
        err.print(f"{what} {'would be written' if dry_run else 'written'}{left}")
    else:
        err.print(f"nothing to convert{left}")


def _json(conversion: Conversion, made: Converted | None) -> dict[str, object]:
    """`state` is `converted` just now, `left` as it was before, or `planned`."""
    entry = made or conversion.done
    return {
        "source": str(conversion.source),
        "target": str(conversion.target),
        "bytes": conversion.size,
        "state": "converted" if made else "left" if conversion.done else "planned",
        "exact": entry.exact if entry else None,
        "source_sha256": entry.source_sha256 if entry else None,
    }

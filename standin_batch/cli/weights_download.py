"""`standin weights download`: fetch just what is needed, verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson, Checkpoints
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from standin_batch.weights.needs import Need, Use
    from standin_batch.weights.stock import Stock


def download(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[MANIFEST|ROW]", help="A manifest, or the name of a model.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list it; no network is used.")] = False,
    folders: Annotated[
        list[Path],
        typer.Option(
            "--from",
            metavar="DIR",
            help="Link files that are in this folder already, instead of fetching them; repeat for more.",
            show_default=False,
        ),
    ] = [],  # noqa: B006 - typer copies it
    checkpoints: Checkpoints = None,
    at_once: Annotated[int, typer.Option("--jobs", metavar="N", min=1, help="Files that come at the same time.")] = 4,
    as_json: AsJson = False,
) -> int:
    """Fetch the weights that a manifest's jobs or a model need, verify them, and put them in their places.

    Run it again after a cut: it goes on where it stopped. What the hub's cache has is linked.
    HF_TOKEN, HF_ENDPOINT and the like work as with huggingface_hub; STANDIN_GITHUB_MIRROR replaces https://github.com.

    [bold]Examples[/bold]

      standin weights download manifest.yaml --dry-run
      standin weights download wan2.1-t2v-14b --checkpoints /data/checkpoints
      standin weights download wan2.1-vace-14b --from /data/models
    """
    from standin_batch.cli.console import err
    from standin_batch.weights.locate import root_of
    from standin_batch.weights.needs import needs
    from standin_batch.weights.stock import stock

    uses = _uses(what)
    needed = needs(uses)
    if not needed:
        err.print(f"{what} needs no download: {_instead(uses)}")
        return ExitCode.OK
    root = next(root_of(use.row, checkpoints) for use in uses if use.row.is_downloaded)
    if dry_run:
        _show(root, stock(root, needed), as_json)
    else:
        _download(root, needed, folders, at_once, as_json)
    return ExitCode.OK


def _instead(uses: Sequence[Use]) -> str:
    """Where weights come from that are not downloaded."""
    comes = "its weights come with the repository" if any(use.row.is_in_repository for use in uses) else ""
    made = "its weights are made on this machine" if any(use.row.generator is not None for use in uses) else ""
    return ", or ".join(filter(None, (comes, made)))


def _download(root: Path, needed: Sequence[Need], folders: Sequence[Path], at_once: int, as_json: bool) -> None:
    from standin_batch.cli.download_progress import reporter
    from standin_batch.errors import UsageError
    from standin_batch.weights.download import download

    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"--from {folder}: there is no such folder", "name a folder that holds weights")
    shown = reporter(as_json)
    with shown.showing():
        download(needed, root, shown, folders=folders, at_once=at_once)


def _uses(what: str | None) -> Sequence[Use]:
    from standin_batch.errors import UsageError
    from standin_batch.run.manifest_uses import uses_named
    from standin_batch.weights.needs import names

    if what is None:
        first, *others = names()
        raise UsageError("name a manifest or a model", f"standin weights download {first}  # or: {', '.join(others)}")
    return uses_named(what)


def _show(root: Path, stocks: Sequence[Stock], as_json: bool) -> None:
    from standin_batch.cli.console import err, out, print_json, size

    left = sum(each.left for each in stocks)
    if as_json:
        print_json({"root": str(root), "bytes_to_fetch": left, "files": [_json(each) for each in stocks]})
        return
    out.print(_table(root, stocks))
    out.print(f"to fetch: {size(left)}, into {root}", markup=False)
    for source in dict.fromkeys(each.need.source for each in stocks):
        out.print(f"  {source.name}: {source.repository or source.url}, {source.licence}", markup=False)
    err.print("sizes as known without asking; nothing was fetched")


def _json(stock: Stock) -> dict[str, object]:
    source, files = stock.need.source, stock.need.files
    return {
        "source": source.name,
        "page": source.page,
        "revision": source.revision,
        "files": files.names,
        "count": files.count,
        "bytes": files.size,
        "what": files.what,
        "licence": source.licence,
        "folder": str(stock.folder),
        "used_by": stock.need.used_by,
        "here": sorted(stock.here),
        "bytes_to_fetch": stock.left,
    }


def _table(root: Path, stocks: Sequence[Stock]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    from standin_batch.cli.console import size

    table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    for column in ("what", "files", "size", "goes to", "for", "here"):
        table.add_column(column, justify="right" if column in ("files", "size") else "left", overflow="fold")
    for each in stocks:
        files = each.need.files
        here = "yes" if each.complete else f"{len(each.here)} of {files.count}" if each.here else "no"
        folder, rows = f"{each.folder.relative_to(root)}/", ", ".join(each.need.used_by)
        table.add_row(files.what, f"{files.count}", size(files.size), folder, rows, here)
    return table

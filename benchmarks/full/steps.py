"""The steps of `benchmarks.fullsize` and its command line."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.common import BenchmarkError, Report, publish, with_json
from benchmarks.full import clips, page, stock, table, write
from benchmarks.full.parts import SCALES, row_of
from benchmarks.timing import default_device
from standin_batch.errors import NotReadyError, UsageError

SPARE = 2_000_000_000
"""Bytes of disk that are left for videos and latents."""


def take(words: Sequence[str], text: str | None) -> None:
    """Take one step.

    Args:
        words: of the command line.
        text: that stands above its help.

    Raises:
        StandinError: if a step cannot be taken, or fails.
    """
    own, further = _split(words)
    arguments = _parser(text).parse_args(own)
    if further and arguments.step is not _run:
        raise UsageError(f"{further[0]} stands behind `--`, and only `run` takes that")
    arguments.options = further
    if arguments.step is not _check:
        arguments.folder = _folder(arguments)
    step: Callable[[argparse.Namespace], None] = arguments.step
    step(arguments)


def _parser(text: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.fullsize",
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = made.add_subparsers(required=True, metavar="STEP")
    _named(steps, "check", _check, "import all that is needed")
    _step(steps, "write", _write, "write random weights").add_argument("--device", help="that draws the numbers")
    planned = _sizes(_step(steps, "manifest", _manifest, "write the manifest"))
    planned.add_argument("--steps", type=int, default=20, help="of denoising")
    ran = _step(steps, "run", _run, "run the manifest; behind `--` stand options of `standin run`")
    ran.add_argument("--name", default=clips.EXACT, help="of the run, where options make it another")
    ran.add_argument("--minutes", type=int, help="stop before, to be gone on with")
    ran.add_argument("--device", default="auto", help="as of `standin run`")
    ran.add_argument("--skip-reading", action="store_true", help="do not time the plain reading of the files")
    _sizes(_step(steps, "stock", _stock, "time stock DiffSynth")).add_argument("--device", default="auto")
    reported = with_json(_step(steps, "report", _report, "print the table"))
    reported.add_argument("--fill", type=Path, metavar="PAGE", help="put it into docs/performance.md, too")
    return made


def _split(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What stands before `--`, and behind it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _named(
    steps: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    do: Callable[[argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    step = steps.add_parser(name, help=text, description=text)
    step.set_defaults(step=do)
    return step


def _step(
    steps: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    do: Callable[[argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    step = _named(steps, name, do, text)
    step.add_argument("folder", type=Path, metavar="DIR")
    step.add_argument("--scale", choices=SCALES, default="14b", help="of the weights")
    return step


def _sizes(step: argparse.ArgumentParser) -> argparse.ArgumentParser:
    for name in ("width", "height", "frames"):
        step.add_argument(f"--{name}", type=int, help="the model's own unless said")
    return step


def _folder(arguments: argparse.Namespace) -> Path:
    """The folder of the benchmark, which `write` makes and the other steps find."""
    folder: Path = arguments.folder.resolve()
    if arguments.step is not _write and not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "`write` makes it, and takes the first step")
    return folder


def _check(_: argparse.Namespace) -> None:
    """What is left of it: the check itself comes before this module's own imports."""
    _told("all that is needed can be imported")


def _write(arguments: argparse.Namespace) -> None:
    row, folder = row_of(arguments.scale), arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    missing = write.size(row) - there + SPARE - shutil.disk_usage(folder).free
    if missing > 0:
        raise NotReadyError(f"{missing / 1e9:.1f} GB of disk are missing in {folder}", "name another folder")
    write.write(folder, row, arguments.device or default_device(), _told)


def _manifest(arguments: argparse.Namespace) -> None:
    _told(str(clips.write_manifest(arguments.folder, row_of(arguments.scale), arguments)))
    _told(clips.plan(arguments.folder))


def _run(arguments: argparse.Namespace) -> None:
    try:
        _told(str(clips.run(arguments.folder, row_of(arguments.scale), arguments)))
    except BenchmarkError as error:
        clips.say_failed(arguments.folder, arguments.name, _why(error))
        raise


def _why(error: BenchmarkError) -> str:
    """What a process said before it left, in a line; else the message itself."""
    _, _, told = error.message.partition("left with ")
    return " ".join((told or error.message).split())


def _stock(arguments: argparse.Namespace) -> None:
    _told(str(stock.measure(arguments.folder, row_of(arguments.scale), arguments)))


def _report(arguments: argparse.Namespace) -> None:
    rows, settings = table.rows(arguments.folder), {"model": row_of(arguments.scale).name}
    publish(Report("Full size, through the command line", rows, settings), arguments.json)
    if arguments.fill is not None:
        page.fill(arguments.fill, rows, table.machine(arguments.folder))


def _told(text: str) -> None:
    print(text, flush=True)

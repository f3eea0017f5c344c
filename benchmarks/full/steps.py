"""The true size, all but the picture real: random weights at 14B shapes, run through the command line.

Steps, each below ten minutes on a machine with one H200; they share a folder that may be on any disk of 64 GB:

  python -m benchmarks.fullsize write DIR       41 GB of weights in the hub's layout; goes on where it was cut
  python -m benchmarks.fullsize manifest DIR    2 identities x 2 seeds, a short job with a LoRA; digests of all files
  python -m benchmarks.fullsize run DIR         `standin run --json`; --minutes 8 stops in time, the same step goes on
  python -m benchmarks.fullsize stock DIR       a CFG step of stock DiffSynth on the same files
  python -m benchmarks.fullsize report DIR      the table; what was not measured says so

Speed-ups that a manifest has to ask for are runs of their own: `run DIR --name fp8`, or `sage`, `cache`, `compile` and
`turbo`. Any other name takes options of `standin run` behind `--`:

  python -m benchmarks.fullsize run DIR --name tiled -- --set defaults.vae_tiled=true

`--scale tiny` does the same at sizes that a CPU runs. Subjects are no faces: no face model is needed, and neither
insightface nor facexlib. Nothing is downloaded or installed: this checkout goes on PYTHONPATH, and so do these wheels
where the machine has them not: diffsynth with modelscope, modelscope-hub, ftfy and wcwidth; pydantic with
pydantic-core, annotated-types and typing-inspection; typer, rich, pyyaml, numpy, pillow, pyarrow, imageio-ffmpeg and
opencv-python-headless; for scores also imagehash with PyWavelets and scipy (without, a warning says that clips are not
scored).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.common import BenchmarkError, Report, publish, with_json
from benchmarks.full import clips, page, stock, table, write
from benchmarks.full.parts import SCALES, row_of
from benchmarks.timing import default_device
from standin_batch.errors import StandinError

SPARE = 2_000_000_000
"""Bytes of disk that are left for videos and latents."""


def main() -> None:
    """Take one step."""
    own, further = _split(sys.argv[1:])
    arguments = _parser().parse_args(own)
    if further and arguments.step is not _run:
        raise StandinError(f"{further[0]} stands behind `--`, and only `run` takes that")
    arguments.options = further
    arguments.folder = arguments.folder.resolve()
    step: Callable[[argparse.Namespace], None] = arguments.step
    step(arguments)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.fullsize",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = made.add_subparsers(required=True, metavar="STEP")
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


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """What stands before `--`, and behind it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _step(
    steps: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    do: Callable[[argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    step = steps.add_parser(name, help=text, description=text)
    step.set_defaults(step=do)
    step.add_argument("folder", type=Path, metavar="DIR")
    step.add_argument("--scale", choices=SCALES, default="14b", help="of the weights")
    return step


def _sizes(step: argparse.ArgumentParser) -> argparse.ArgumentParser:
    for name in ("width", "height", "frames"):
        step.add_argument(f"--{name}", type=int, help="the model's own unless said")
    return step


def _write(arguments: argparse.Namespace) -> None:
    row, folder = row_of(arguments.scale), arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    missing = write.size(row) - there + SPARE - shutil.disk_usage(folder).free
    if missing > 0:
        raise StandinError(f"{missing / 1e9:.1f} GB of disk are missing in {folder}", "name another folder")
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


if __name__ == "__main__":
    try:
        main()
    except StandinError as error:
        sys.exit(f"error: {error.message}" + (f"\n  cure: {error.hint}" if error.hint else ""))

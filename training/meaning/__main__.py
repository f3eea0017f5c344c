"""`python -m training.meaning --out DIR`: ask the demo model, and measure what it answers.

It is asked through `standin run`; what is made before is not made again. Leaves with 1 if a number misses its bar.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from standin_batch.errors import StandinError
from standin_batch.weights.locate import root_of
from training.meaning.answers import answers
from training.meaning.asked import ask
from training.meaning.cases import SHORT, cases, in_full
from training.meaning.examine import examine, run
from training.meaning.measure import Values
from training.meaning.sheets import sheets
from training.meaning.thresholds import FEW, THRESHOLDS, Bar, missed
from training.weights import ROW

CHARACTERS = 50
LORA = Path("manifests") / "loras" / "ink.safetensors"


def main() -> None:
    """Ask, measure, and say what came out."""
    arguments = _arguments()
    try:
        values = _measured(arguments)
    except StandinError as error:
        sys.exit(f"error: {error.message}\n  cure: {error.hint}")
    bars = FEW if arguments.short else THRESHOLDS
    show(values, bars)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if missed(values, bars) else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.meaning", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of what is asked and answered")
    parser.add_argument("--characters", type=int, default=CHARACTERS, help="to be told apart")
    parser.add_argument("--short", action="store_true", help="ask as little as CI does, with bars for that")
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help="as of `standin run`")
    parser.add_argument("--lora", type=Path, default=LORA, metavar="FILE", help="the style LoRA")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="write a picture for each mode there")
    return parser.parse_args()


def _measured(arguments: argparse.Namespace) -> Values:
    amounts = SHORT if arguments.short else in_full(arguments.characters)
    asked = cases(amounts)
    manifest = ask(arguments.out / "asked", asked, arguments.lora)
    run(manifest, arguments.out / "answers", arguments.checkpoints)
    clips = answers(arguments.out / "answers", [case.name for case in asked])
    if arguments.sheets is not None:
        arguments.sheets.mkdir(parents=True, exist_ok=True)
        for name, sheet in sheets(asked, clips).items():
            Image.fromarray(sheet).save(arguments.sheets / f"{name}.png", optimize=True)
    return examine(asked, clips, amounts.gallery, root_of(ROW, arguments.checkpoints))


def show(values: Values, bars: Mapping[str, Bar]) -> None:
    """Print the table."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("measure", "value", "threshold", "ok"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for name, value in values.items():
        bar = bars.get(name)
        met = "" if bar is None else "yes" if bar.met(value) else "NO"
        table.add_row(name, "no face" if value is None else f"{value:.3g}", str(bar or ""), met)
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()

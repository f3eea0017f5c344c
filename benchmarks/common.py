"""What every benchmark has in common: rows of a table, what they are printed and written as, and on which machine.

A row without a value was not measured, and says so with its reason. Nothing is measured here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from standin_batch import __version__
from standin_batch.environment.processor import processor
from standin_batch.errors import StandinError

ROOT = Path(__file__).resolve().parent.parent
"""The checkout, in which manifests, faces and LoRAs lie."""

NOT_MEASURED = "not measured"

PACKAGES = ("torch", "diffsynth", "transformers", "safetensors", "numpy", "onnxruntime-gpu", "onnxruntime")


class BenchmarkError(StandinError):
    """Something that was to be measured did not run."""


@dataclass(frozen=True)
class Row:
    """One answer.

    Attributes:
        what: was measured.
        value: what came out; None where nothing was measured.
        unit: of the value; empty for a ratio.
        most: the bar that the value may not pass; None without one.
        least: the bar that it has to reach; None without one.
        note: how it was measured, or why not.
    """

    what: str
    value: float | None = None
    unit: str = ""
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is reached; None without a value or a bar."""
        if self.value is None or (self.most is None and self.least is None):
            return None
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def bar(self) -> str:
        """In words; empty without one."""
        bounds = [
            f"{word} {number(bound)}" for word, bound in (("<=", self.most), (">=", self.least)) if bound is not None
        ]
        return " ".join(bounds)


@dataclass(frozen=True)
class Report:
    """What a benchmark found.

    Attributes:
        question: that it answers.
        rows: the answers.
        settings: sizes, numbers and paths that decide them.
        details: further figures that only the JSON has.
    """

    question: str
    rows: Sequence[Row]
    settings: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


def parser(module: str, text: str | None) -> argparse.ArgumentParser:
    """The command line of a benchmark: its docstring as help, and `--json`."""
    made = argparse.ArgumentParser(
        prog=f"python -m {module}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    return with_json(made)


def with_json(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The same with `--json`."""
    commit()  # as it is now: what is measured may take long
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return made


def multiple_of(unit: int) -> Callable[[str], int]:
    """What turns a word of the command line into a whole number of `unit`s, for `type=` of an argument."""

    def number_of(word: str) -> int:
        found = int(word)
        if found < unit or found % unit:
            raise argparse.ArgumentTypeError(f"{word} is no multiple of {unit}")
        return found

    number_of.__name__ = "number"  # argparse names it where a word is none
    return number_of


def size(word: str) -> str:
    """A word of the command line that says a width and a height, such as 832x480, for `type=` of an argument."""
    if not re.fullmatch(r"[1-9]\d*x[1-9]\d*", word):
        raise argparse.ArgumentTypeError(f"{word!r} is no size; an example is 832x480")
    return word


def guarded(main: Callable[[], None]) -> None:
    """Call `main`; what a user can act on is told in two lines, and the process leaves with the error's code."""
    try:
        main()
    except StandinError as error:
        told = f"error: {error.message}" + (f"\n  cure: {error.hint}" if error.hint else "")
        print(told, file=sys.stderr)
        sys.exit(int(error.exit_code))


def publish(report: Report, path: Path | None) -> None:
    """Print the table of a report, and write it to `path` as JSON if that is not None."""
    _print(report)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(as_json(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def as_json(report: Report) -> dict[str, Any]:
    """A report with all that is needed to measure it again."""
    rows = [{**asdict(row), "value": NOT_MEASURED if row.value is None else row.value} for row in report.rows]
    return {
        "question": report.question,
        "command": shlex.join(["python", "-m", _module(), *sys.argv[1:]]),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        "settings": dict(report.settings),
        "rows": rows,
        "details": dict(report.details),
    }


def machine() -> dict[str, Any]:
    """The processor, how many of its cores this process may use, the memory, and the GPUs in the driver's words."""
    from standin_batch.environment.gpu import ask_driver

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    driver = ask_driver()
    gpus = [asdict(gpu) for gpu in driver.gpus] if driver is not None else []
    return {"cpu": _cpu(), "cores": len(os.sched_getaffinity(0)), "memory_bytes": memory, "gpus": gpus}


def versions() -> dict[str, str]:
    """Of Python, this package and the libraries that the figures depend on, as far as they are there."""
    found = {"python": platform.python_version(), "standin_batch": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str:
    """The commit of the checkout, with `+` behind it where files differ from it; `unknown` outside of git."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def number(value: float) -> str:
    """A figure as people read it: three or four digits that count."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}" if abs(value) >= 100 else f"{value:.3g}"


def _print(report: Report) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False, title=report.question, title_justify="left", title_style="bold")
    for column in ("what", "value", "bar", ""):
        table.add_column(column, justify="right" if column == "value" else "left", overflow="fold")
    for row in report.rows:
        table.add_row(row.what, _value(row), _bar(row), row.note)
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(table)
    told = {**report.settings, "cpu": _cpu(), "cores": machine()["cores"], "commit": commit(), **versions()}
    console.print(", ".join(f"{key} {value}" for key, value in told.items()), style="dim")


def _value(row: Row) -> str:
    return NOT_MEASURED if row.value is None else f"{number(row.value)} {row.unit}".rstrip()


def _bar(row: Row) -> str:
    return row.bar + {True: ", met", False: ", missed", None: ""}[row.met]


def _module() -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec is not None else Path(sys.argv[0]).stem


def _cpu() -> str:
    return processor() or platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True)
    return ran.stdout.strip()

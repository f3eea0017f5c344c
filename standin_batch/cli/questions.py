"""The questions of `standin init`: each answer is looked at where it is given, and asked for again if it is no use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from standin_batch.errors import StandinError

if TYPE_CHECKING:
    from standin_batch.run.first_manifest import Wish

T = TypeVar("T")

FOLDER = Path("photos")
PROMPTS = Path("prompts.txt")
"""What is proposed where it is there."""


def asked(wish: Wish) -> tuple[list[Path], Wish]:
    """Where the photographs are, and the wish with what was answered; what it has of prompts is not asked."""
    from standin_batch.cli.console import err
    from standin_batch.run.first_manifest import seeds_of
    from standin_batch.weights.registry import ROWS, row

    err.print(f"A few questions, and {wish.path} is written. Enter takes what is in brackets.\n", style="dim")
    places = _ask("Folder of photographs", str(FOLDER) if FOLDER.is_dir() else None, _folder)
    if wish.prompts is None:
        wish = replace(wish, prompts=_prompts(wish))
    model = _ask(f"Model ({', '.join(ROWS)})", wish.model, lambda text: row(text).name)
    seeds = _ask("Seeds: a take of each video for each", wish.seeds, lambda text: seeds_of(text)[0])
    err.print()
    return places, replace(wish, model=model, seeds=seeds)


def _prompts(wish: Wish) -> Path | None:
    from standin_batch.run.first_manifest import prompts_of

    def file(text: str) -> Path | None:
        path = Path(text).expanduser() if text else None
        if path is not None:
            prompts_of(path, wish.field, wish.path)
        return path

    if PROMPTS.is_file():
        return _ask("Text file of prompts, one a line", str(PROMPTS), file)
    return _ask("Text file of prompts, one a line (Enter for two examples)", "", file)


def _folder(text: str) -> list[Path]:
    from standin_batch.errors import UsageError
    from standin_batch.run.photographs import found_in

    places = [Path(text).expanduser()]
    if not found_in(places)[0]:
        raise UsageError(f"there is no picture in {text}")
    return places


def _ask(question: str, default: str | None, read: Callable[[str], T]) -> T:
    """What `read` makes of the first answer that it does not refuse."""
    from standin_batch.cli.console import show_error

    while True:
        answer = typer.prompt(question, default=default, show_default=bool(default), err=True)
        try:
            return read(str(answer).strip())
        except StandinError as error:
            show_error(error)

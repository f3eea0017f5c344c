"""What to do about a broken file of a model, in one line that can be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from standin_batch.weights.conversions import is_conversion
from standin_batch.weights.registry import ModelRow

CHECKPOINTS = Path("checkpoints")
MADE_HERE = "leave out --checkpoints and unset STANDIN_CHECKPOINTS: this model is made in checkpoints/tiny"


def get_again(row: ModelRow, root: Path, broken: Iterable[Path] = ()) -> str:
    """Remove `broken` and fetch it anew; what was converted here is converted anew, what was made here made anew.

    Args:
        row: whose files they are.
        root: the folder that holds the files of the model.
        broken: files or folders that must not stay.
    """
    broken = tuple(broken)
    if row.generator is not None:
        return f"rm -r {_quoted(root)}  # it is made anew" if root == CHECKPOINTS / row.root else MADE_HERE
    ours = bool(broken) and all(map(is_conversion, broken))
    command = f"standin weights {'convert' if ours else 'download'} {row.name}{_option(row, root)}"
    return f"rm -r {' '.join(_quoted(path) for path in _with_targets(broken))} && {command}" if broken else command


def _option(row: ModelRow, root: Path) -> str:
    return "" if root == CHECKPOINTS / row.root else f" --checkpoints {_quoted(root)}"


def _with_targets(paths: Iterable[Path]) -> Iterable[Path]:
    """A link alone would be made again, to the same broken file."""
    for path in paths:
        yield path
        if path.is_symlink() and path.exists():
            yield path.resolve()


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))

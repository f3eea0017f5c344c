"""What to do about a broken file of a model, in one line that can be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from standin_batch.weights.conversions import is_conversion
from standin_batch.weights.registry import ModelRow

CHECKPOINTS = Path("checkpoints")
WITH_REPOSITORY = "it comes with the project's repository: run in a clone of that, or name CLONE/{0} with --checkpoints"
MADE_HERE = "leave out --checkpoints and unset STANDIN_CHECKPOINTS: this model is made in checkpoints/tiny"


def get_again(row: ModelRow, root: Path, broken: Iterable[Path] = (), missing: Path | None = None) -> str:
    """Remove `broken` and fetch it anew; what was converted here is converted anew, what was made here made anew,
    and what came with the repository is taken from there.

    Nothing outside `root` is removed: of a file that is linked only the link, for its target is somebody else's.

    Args:
        row: whose files they are.
        root: the folder that holds the files of the model.
        broken: files or folders that must not stay.
        missing: what is not there.
    """
    broken = tuple(broken)
    if row.generator is not None:
        return f"rm -r {_quoted(root)}  # it is made anew" if root == CHECKPOINTS / row.root else MADE_HERE
    if row.is_in_repository:
        return _from_repository(CHECKPOINTS / row.root, root, broken)
    ours = bool(broken) and all(map(is_conversion, broken))
    name = row.name if ours else _name(row, (*broken, *([missing] if missing else [])))
    command = f"standin weights {'convert' if ours else 'download'} {name}{_option(row, root)}"
    return f"rm -r {' '.join(_quoted(path) for path in _ours(broken, root))} && {command}" if broken else command


def _from_repository(own: Path, root: Path, broken: Iterable[Path]) -> str:
    paths = " ".join(map(_quoted, broken))
    return f"git checkout -- {paths}" if paths and root == own else WITH_REPOSITORY.format(own)


def _name(row: ModelRow, paths: Iterable[Path]) -> str:
    """Of what is to be fetched: a module where all of it is a module's."""
    folders = [set(path.parts) for path in paths]
    for module in row.modules.values():
        names = {module.source.folder, module.source.repository.rpartition("/")[2]}
        if folders and all(parts & names for parts in folders):
            return module.name
    return row.name


def _option(row: ModelRow, root: Path) -> str:
    return "" if root == CHECKPOINTS / row.root else f" --checkpoints {_quoted(root)}"


def _ours(paths: Iterable[Path], root: Path) -> Iterable[Path]:
    """With the targets of links that lie below `root` as well: a link alone would be made again."""
    for path in paths:
        yield path
        if path.is_symlink() and path.exists() and path.resolve().is_relative_to(root.resolve()):
            yield path.resolve()


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))

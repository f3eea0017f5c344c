"""What is wrong with a file of a model, and how files are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from standin_batch.errors import NotReadyError
from standin_batch.weights.cure import get_again
from standin_batch.weights.header import read_header
from standin_batch.weights.mistaken import mistaken
from standin_batch.weights.pickles import read_pickle
from standin_batch.weights.registry import ModelRow
from standin_batch.weights.shapes import Shapes


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        path: the file or folder.
        message: what is wrong with it, to follow its path: `is cut short: 10 of 20 bytes`.
        cure: a line to paste.
    """

    path: Path
    message: str
    cure: str


class Broken(Exception):
    """What is wrong with a file whose tensors were asked for, to follow its path."""


@dataclass(frozen=True)
class Look:
    """Looks at files of one model.

    Attributes:
        row: the model.
        root: the folder that holds its files.
    """

    row: ModelRow
    root: Path

    def fault(self, path: Path, message: str, *broken: Path) -> Fault:
        """Something wrong with `path`, cured by fetching `broken` anew: `path` itself unless given."""
        return Fault(path, message, get_again(self.row, self.root, broken or (path,)))

    def missing(self, path: Path, message: str) -> Fault:
        """Something that has to be fetched, with nothing in its way."""
        return Fault(path, message, get_again(self.row, self.root))

    def mistaken(self, path: Path) -> Iterator[Fault]:
        """A fault if `path` is seen to be something else at once."""
        try:
            message = mistaken(path)
        except OSError as error:
            message = f"cannot be read: {error}"
        if message:
            yield self.missing(path, message) if message == "is missing" else self.fault(path, message)


def shapes_in(path: Path) -> Shapes:
    """The shapes of the tensors in a safetensors file or a pickle, by name.

    Raises:
        Broken: if there are none to be had.
    """
    try:
        if message := mistaken(path):
            raise Broken(message)
        tensors = read_header(path).tensors if path.suffix == ".safetensors" else read_pickle(path).tensors
    except OSError as error:
        raise Broken(f"cannot be read: {error}") from error
    except NotReadyError as error:
        raise Broken(error.message.removeprefix(f"{path} ")) from error
    return {name: tensor.shape for name, tensor in tensors.items()}


def difference(found: Shapes, expected: Shapes, passed_over: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """The first tensor that is missing, of another shape or too many, and what is wrong; None if there is none.

    Args:
        found: in a file.
        expected: of it.
        passed_over: beginnings of names that may be there.
    """
    for name, shape in expected.items():
        if name not in found:
            return name, f"has no tensor {name}"
        if found[name] != shape:
            return name, f"has {name} of shape {_sides(found[name])} in place of {_sides(shape)}"
    more = next((name for name in found if name not in expected and not name.startswith(passed_over)), None)
    return None if more is None else (more, f"has a tensor {more} too many")


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"

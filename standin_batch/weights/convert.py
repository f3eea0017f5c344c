"""Files of a model, converted once: float32 shards to bfloat16, pickles of torch to safetensors.

Half the bytes are read at every later start, and a pickle is not read twice. Tensor by tensor and chunk by chunk, so
that memory does not grow with the files. The originals stay as they are; what was converted is in `conversions`.
"""

from __future__ import annotations

import contextlib
import errno
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import NotReadyError
from standin_batch.files import TEMPORARY_PREFIX, replace_atomic
from standin_batch.locks.held import HeldError
from standin_batch.locks.lock import exclusive
from standin_batch.weights.conversions import BFLOAT16, Converted, converted, is_current, remember
from standin_batch.weights.cure import get_again
from standin_batch.weights.folders import folder_of
from standin_batch.weights.header import read_header
from standin_batch.weights.locate import TEXT_ENCODERS, VAES, root_of
from standin_batch.weights.registry import ModelRow
from standin_batch.weights.streaming import file_size, write_safetensors
from standin_batch.weights.tensors import halved, unpickled

__all__ = ["Conversion", "ConvertError", "Converted", "conversions_of", "convert_all", "converted", "is_here"]

PICKLES = tuple(name for name in (*TEXT_ENCODERS, *VAES) if name.endswith(".pth"))
MADE_BY = {"format": "pt", "made_by": "standin weights convert"}
"""Metadata of converted files: they tell ours from those that somebody else put in the same place."""
SPARE_BYTES = 100_000_000
LOCK = ".converting"
"""In each folder that is converted into, while it is."""

Tell = Callable[["Conversion", int], None]
"""Is told of a file at work and how many bytes of it were read."""


class ConvertError(NotReadyError):
    """A file cannot be converted here."""


@dataclass(frozen=True)
class Conversion:
    """One file, and what it becomes.

    Attributes:
        source: the original.
        target: the converted file.
        size: of the converted file, in bytes.
        read: bytes of tensors to read.
        done: the record of it, if it was converted and the original has not changed since.
    """

    source: Path
    target: Path
    size: int
    read: int
    done: Converted | None = None

    @property
    def is_pickle(self) -> bool:
        """Whether the original is one."""
        return self.source.suffix == ".pth"


def is_here(row: ModelRow, checkpoints: Path | None) -> bool:
    """Whether any file of `row` that could be converted is here."""
    return any(True for _ in _sources(row, root_of(row, checkpoints)))


def conversions_of(row: ModelRow, checkpoints: Path | None, cache: DigestCache) -> tuple[Conversion, ...]:
    """Every file of `row` that is here and worth converting, done or not. Only headers are read.

    What is bfloat16 already is none, nor is a pickle beside which somebody else put a safetensors file.

    Args:
        row: a model.
        checkpoints: the folder in place of the row's own.
        cache: is asked what an original holds if its time of change is not the recorded one.

    Raises:
        ConvertError: if a file is damaged.
    """
    root = root_of(row, checkpoints)
    try:
        found = [_planned(path) for path in _sources(row, root)]
    except NotReadyError as error:
        broken = [path for path in _sources(row, root) if str(path) in error.message]
        raise ConvertError(error.message, get_again(row, root, broken)) from error
    return tuple(replace(each, done=_done(each, cache)) for each in found if each is not None)


def convert_all(
    todo: Sequence[Conversion], cache: DigestCache, tell: Tell = lambda conversion, read: None
) -> Iterator[tuple[Conversion, Converted]]:
    """Convert those of `todo` that are not done, giving each when it is; a file is whole under its name or not there.

    Args:
        todo: what to convert.
        cache: remembers what the originals hold.
        tell: is told how far it is.

    Raises:
        ConvertError: if the disk is too small or full, or a folder cannot be written to.
    """
    todo = [each for each in todo if each.done is None]
    _check_space(todo)
    for each in todo:
        try:
            with _alone(each.target.parent):
                done = _done(each, cache)  # another process may have been quicker
                yield each, done or _convert(each, cache, tell)
        except OSError as error:
            raise _failed(each, error) from error


def _sources(row: ModelRow, root: Path) -> Iterator[Path]:
    base = folder_of(root, row.base, row.sources[0] if row.sources else None)
    patterns = {base: [expert.shards for expert in row.experts]}
    for module in row.modules.values():
        patterns.setdefault(folder_of(root, module.source.folder, module.source), []).append(module.shards)
    for folder, shards in patterns.items():
        for pattern in (*shards, *PICKLES):
            yield from sorted(folder.glob(pattern))


def _planned(source: Path) -> Conversion | None:
    if source.suffix == ".pth":
        target, tensors = source.with_suffix(".safetensors"), unpickled(source)
        if _is_strangers(target):
            return None
    else:
        target, tensors = source.parent / BFLOAT16 / source.name, halved(source)
        if not tensors.rounds:
            return None
    return Conversion(source, target, file_size(tensors.outgoing, MADE_BY), tensors.read)


def _is_strangers(target: Path) -> bool:
    if not target.is_file():
        return False
    try:
        return read_header(target).metadata.get("made_by") != MADE_BY["made_by"]
    except NotReadyError:
        return False


def _done(each: Conversion, cache: DigestCache) -> Converted | None:
    known = converted(each.source.parent).get(each.source.name)
    if known is None or known.path != each.target or known.path.stat().st_size != each.size:
        return None
    return known if is_current(each.source, known, cache) else None


def _convert(each: Conversion, cache: DigestCache, tell: Tell) -> Converted:
    before = each.source.stat()
    digest = cache.sha256(each.source)

    def count(read: int) -> None:
        tell(each, read)

    for left in each.target.parent.glob(f"{TEMPORARY_PREFIX}*-{each.target.name}"):
        left.unlink()  # of a process that was killed: nobody else is at work here
    tensors = unpickled(each.source, count) if each.is_pickle else halved(each.source, count)
    with replace_atomic(each.target) as temporary:
        write_safetensors(temporary, tensors.outgoing, MADE_BY)
        if each.source.stat().st_mtime_ns != before.st_mtime_ns:
            raise ConvertError(f"{each.source} was changed while it was converted", "convert again when it is whole")
    entry = Converted(each.target, digest, tensors.exact, before.st_size, before.st_mtime_ns)
    remember(each.source.name, entry)
    return entry


def _check_space(todo: Sequence[Conversion]) -> None:
    needed: dict[int, tuple[Path, int]] = {}
    for each in todo:
        folder = each.target.parent if each.target.parent.is_dir() else each.source.parent
        place, size = needed.get(folder.stat().st_dev, (folder, SPARE_BYTES))
        needed[folder.stat().st_dev] = place, size + each.size
    for folder, size in needed.values():
        if (free := shutil.disk_usage(folder).free) < size:
            message = f"the converted files take {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free in {folder}"
            raise ConvertError(
                message,
                f"du -ah {shlex.quote(str(folder))} | sort -h | tail  # make room, or convert one ROW at a time",
            )


def _failed(each: Conversion, error: OSError) -> ConvertError:
    folder = each.target.parent
    if error.errno == errno.ENOSPC:
        return ConvertError(
            f"the disk of {folder} is full; {each.source} is not converted", f"df -h {shlex.quote(str(folder))}"
        )
    cure = f"ls -ld {shlex.quote(str(folder.parent))}  # the folder has to be yours to write to"
    return ConvertError(f"{each.source} cannot be converted: {error}", cure)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time converts into `folder`; the lock leaves nothing behind."""
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(folder / LOCK, lambda _: None, leave=False))
        except HeldError as error:
            raise ConvertError(error.message, error.hint) from error
        yield

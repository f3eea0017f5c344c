"""What weights are on this machine: each set of files here, incomplete, missing or broken, and where.

Headers are read, data never. What is needed is said by `needs.py`, what is broken by `soundness.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

from standin_batch.weights.conversions import Converted, converted
from standin_batch.weights.fault import Fault
from standin_batch.weights.folders import folder_of
from standin_batch.weights.locate import TEXT_ENCODERS, VAES, WeightsMissing, is_in_own_folder, root_of
from standin_batch.weights.needs import Need, Use, needs
from standin_batch.weights.registry import ModelRow
from standin_batch.weights.soundness import faults_of, located, of_other_size

MADE_HERE, WITH_REPOSITORY = "made on this machine", "comes with the repository"
_NUMBERED = re.compile(r"-(?:\*|\d{5})-of-(\d{5})\.")


class State(str, Enum):
    """How a set of files stands."""

    HERE = "here"
    MISSING = "missing"
    INCOMPLETE = "incomplete"
    BROKEN = "broken"


@dataclass(frozen=True)
class Holding:
    """A set of files, and what of it is on this machine.

    Attributes:
        source: name of where they come from.
        what: they are, in a word.
        used_by: names of the rows that use them.
        folder: in which they are, or would be.
        pattern: of their names below it.
        needed: bytes of all together, as known without asking; 0 for what is not downloaded.
        files: that are here, in order.
        absent: names of those that are not, as far as the names of the others tell.
        converted: by the name of an original, what stands in for it.
        faults: why files that are here cannot be used.
    """

    source: str
    what: str
    used_by: tuple[str, ...]
    folder: Path
    pattern: str
    needed: int
    files: tuple[Path, ...] = ()
    absent: tuple[str, ...] = ()
    converted: Mapping[str, Converted] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def state(self) -> State:
        """Broken before incomplete: what is broken has to go first."""
        if self.faults:
            return State.BROKEN
        if not self.files and not self.converted:
            return State.MISSING
        return State.INCOMPLETE if self.absent else State.HERE

    @property
    def size(self) -> int:
        """Bytes of the files that are here, and of what they were converted to."""
        return sum(path.stat().st_size for path in (*self.files, *(each.path for each in self.converted.values())))

    @property
    def links(self) -> tuple[Path, ...]:
        """Those of the files that are symbolic links."""
        return tuple(path for path in self.files if path.is_symlink())


def take_stock(uses: Iterable[Use], checkpoints: Path | None) -> tuple[Holding, ...]:
    """Every set of files that `uses` take, and what of it is here.

    Args:
        uses: of rows.
        checkpoints: the folder in place of each row's own.
    """
    uses = list(uses)
    rows = {use.row.name: use.row for use in uses}
    found = [_held(need, rows[need.used_by[0]], checkpoints) for need in needs(uses)]
    present = [path for held in found for path in held.files]
    downloaded = (use for use in uses if use.row.is_downloaded)
    faults = dict.fromkeys(fault for use in downloaded for fault in faults_of(use, checkpoints, present))
    return (*_undivided(uses, checkpoints), *_with_faults(found, list(faults)))


def _held(need: Need, row: ModelRow, checkpoints: Path | None) -> Holding:
    root = root_of(row, checkpoints)
    folder = folder_of(root, need.source.folder, need.source)
    pattern, files = _matching(folder, need.files.names)
    stands_in = _converted(folder / pattern)
    names = {*(path.name for path in files), *stands_in}
    return Holding(
        source=need.source.name,
        what=need.files.what,
        used_by=need.used_by,
        folder=folder,
        pattern=pattern,
        needed=need.files.size,
        files=files,
        absent=missing_shards(names),
        converted=stands_in,
        faults=of_other_size(files, row, root),
    )


def _matching(folder: Path, patterns: Sequence[str]) -> tuple[str, tuple[Path, ...]]:
    """The first pattern that matches files, and these."""
    for pattern in (*patterns, *_other_names(patterns)):
        # A link that leads nowhere is a file that is not here.
        if files := tuple(sorted(path for path in folder.glob(pattern) if path.is_file())):
            return pattern, files
    return patterns[0], ()


def _other_names(patterns: Sequence[str]) -> Iterator[str]:
    """What else is taken in their place, however it came here: safetensors for pickles, and any number of shards."""
    for pattern in patterns:
        yield from (name for names in (TEXT_ENCODERS, VAES) if pattern in names for name in names)
        if _NUMBERED.search(pattern):
            yield _NUMBERED.sub("*.", pattern)


def missing_shards(present: Iterable[str]) -> tuple[str, ...]:
    """Names that a numbered set lacks, told from those of it that are `present`.

    >>> missing_shards(["m-00001-of-00003.safetensors", "m-00003-of-00003.safetensors"])
    ('m-00002-of-00003.safetensors',)
    """
    have = dict.fromkeys(sorted(present))
    found: dict[str, None] = {}
    for name in have:
        if (numbered := _NUMBERED.search(name)) is not None:
            every = (f"-{number:05d}-of-{numbered[1]}." for number in range(1, int(numbered[1]) + 1))
            found |= {name.replace(numbered[0], each): None for each in every}
    return tuple(name for name in found if name not in have)


def _converted(pattern: Path) -> Mapping[str, Converted]:
    """What was converted of the files that `pattern` stands for, whether these are still here or not."""
    every = converted(pattern.parent)
    return {name: entry for name, entry in every.items() if fnmatchcase(name, pattern.name)}


def _with_faults(holdings: Iterable[Holding], faults: Sequence[Fault]) -> Iterator[Holding]:
    """The same holdings, each with what is told of its own files, or of the folder that they make together."""
    for held in holdings:
        told = {fault.path for fault in held.faults}
        own = [fault for fault in faults if fault.path not in told and _is_about(fault.path, held)]
        yield replace(held, faults=(*held.faults, *own))


def _is_about(path: Path, held: Holding) -> bool:
    if path in held.files or path in {each.path for each in held.converted.values()}:
        return True
    place, _, name = str(held.folder / held.pattern).rpartition("/")
    if "*" not in name:
        return False
    # What is not here at all is missing, and no fault of the rest.
    inside = str(path.parent) == place and fnmatchcase(path.name, name) and path.name not in held.absent
    return (path.is_dir() and str(path) == place) or (inside and bool(held.files))


def _undivided(uses: Iterable[Use], checkpoints: Path | None) -> Iterator[Holding]:
    """One holding for each row that is not downloaded, wherever it is."""
    for use in uses:
        if use.row.is_downloaded:
            continue
        own = MADE_HERE if use.row.generator is not None else WITH_REPOSITORY
        held = Holding(
            source=own if is_in_own_folder(checkpoints) else "--checkpoints",
            what="every file of the row",
            used_by=(use.row.name,),
            folder=root_of(use.row, checkpoints),
            pattern=f"{use.row.base}/*",
            needed=0,
        )
        try:
            files = _files(use, checkpoints)
        except WeightsMissing:
            yield held
        else:
            yield replace(held, files=files, faults=faults_of(use, checkpoints))


def _files(use: Use, checkpoints: Path | None) -> tuple[Path, ...]:
    files = located(use, checkpoints)
    adapters = (expert.adapter for expert in files.experts if expert.adapter is not None)
    shards = (path for each in files.modules.values() for path in each)
    every = (*files.base(), *adapters, *shards, *files.face_models(), *files.embedders())
    return tuple(dict.fromkeys(every))

"""Which rows of an output folder make a data set, and into which split each goes. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from standin_batch.errors import UsageError
from standin_batch.output.index import read_index
from standin_batch.output.layout import OutputLayout
from standin_batch.output.people import Picture, same_people, unknown_people
from standin_batch.output.split import PEOPLE, SPLITS, SplitWish, divide, people
from standin_batch.output.where import matching
from standin_batch.weights.content import FACE

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE = ""
"""Name of the only split where nothing is divided."""


@dataclass(frozen=True)
class Wish:
    """What a data set is to be made of.

    Attributes:
        where: a condition over the index's columns; empty for every row.
        split: how rows are divided; None for not at all.
        rejected_too: whether rejected clips are among them.
    """

    where: str = ""
    split: SplitWish | None = None
    rejected_too: bool = False


@dataclass(frozen=True)
class Selection:
    """The rows of a data set.

    Attributes:
        layout: of the output folder that they come from.
        wish: that they are chosen by.
        splits: rows of the index by the name of their split, in the order of job ids.
        identities: people in each split.
        unknown: photographs of people that were never looked at: who else they show is not known.
    """

    layout: OutputLayout
    wish: Wish
    splits: Mapping[str, pa.Table]
    identities: Mapping[str, int]
    unknown: int = 0

    @property
    def rows(self) -> int:
        """Of all splits."""
        return sum(table.num_rows for table in self.splits.values())


def select(layout: OutputLayout, wish: Wish) -> Selection:
    """Choose rows, from the records as they are now.

    Raises:
        WhereError: if the condition is none.
        UsageError: if no row is left, or too few groups for the splits.
    """
    every = read_index(layout)
    chosen = list(_chosen(every, wish))
    if not chosen:
        made = every.num_rows
        raise UsageError(f"none of the {made:,} clips in {layout.folder} is left to export", _cure(wish, made))
    # Who is whom is told by all clips: those that are left out may tie two that are not to one person.
    told = _people(layout, every)
    persons, table = [told[place] for place in chosen], _take(every, chosen)
    split_of = _split(table, wish.split, persons)
    names = [WHOLE] if wish.split is None else SPLITS[: len(wish.split.shares)]
    places = {name: [i for i, split in enumerate(split_of) if split == n] for n, name in enumerate(names)}
    return Selection(
        layout=layout,
        wish=wish,
        splits={name: _take(table, rows) for name, rows in places.items()},
        unknown=unknown_people(layout, _faces(table)),
        identities={name: len({persons[i] for i in rows} - {None}) for name, rows in places.items()},
    )


def _chosen(table: pa.Table, wish: Wish) -> Iterator[int]:
    """Places of the rows that are wished for."""
    accepted = table["accepted"].to_pylist()
    places = matching(table, wish.where) if wish.where.strip() else range(table.num_rows)
    return (place for place in places if wish.rejected_too or accepted[place] is not False)


def _take(table: pa.Table, places: list[int]) -> pa.Table:
    import pyarrow as pa

    return table.take(pa.array(places, pa.int64()))  # also where there are none


def _cure(wish: Wish, made: int) -> str:
    if not made:
        return "`standin run` makes clips"
    return "loosen --where, or take rejected clips too with --all" if not wish.rejected_too else "loosen --where"


def _people(layout: OutputLayout, table: pa.Table) -> list[str | None]:
    who = zip(table["identity"].to_pylist(), table["identity_sha256"].to_pylist(), strict=True)
    return people(who, same_people(layout, _faces(table)))


def _faces(table: pa.Table) -> set[Picture]:
    """The photographs of people, with the face models that saw them."""
    columns = ("identity_sha256", "identity_kind", "weights")
    rows = set(zip(*(table[name].to_pylist() for name in columns), strict=True))
    return {
        Picture(sha256, _models(weights)) for sha256, kind, weights in rows if sha256 is not None and kind == "face"
    }


def _models(weights: str | None) -> str:
    """The digest of the face models among a row's weights; empty where it does not say."""
    found = None if weights is None else json.loads(weights)
    return str(found.get(FACE, "")) if isinstance(found, dict) else ""


def _split(table: pa.Table, wish: SplitWish | None, persons: list[str | None]) -> list[int]:
    if wish is None:
        return [0] * table.num_rows
    values = table[wish.column].to_pylist()
    groups = (
        persons if wish.column in PEOPLE else [None if it is None else json.dumps(it, default=str) for it in values]
    )
    return divide(groups, table["job_id"].to_pylist(), wish)

"""Dividing rows into splits so that no group of rows crosses from one to another: who is trained on is not tested on.

Groups are put into the order of their digests, and the order is cut where the shares are nearest by rows. So the order
of the rows does not matter, and a group more or less moves the cuts by no more than its weight: all others stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from standin_batch.errors import UsageError
from standin_batch.fingerprint import digest
from standin_batch.output.columns import COLUMNS

SPLITS = ("train", "validation", "test")
"""Names of the splits, in their order, as `datasets` knows them."""

PEOPLE = ("identity", "identity_sha256")
"""Columns by which rows of one person are one group, whatever the person is called in them."""


@dataclass(frozen=True)
class SplitWish:
    """How rows are to be divided.

    Attributes:
        column: rows with the same value in it stay together.
        shares: of the rows, of each split; two or three that are 1 together.
    """

    column: str
    shares: tuple[float, ...]


def parse_split(text: str) -> SplitWish:
    """`identity:0.9` or `identity:0.8,0.1,0.1`; what is missing to 1 is the share of one split more.

    Raises:
        UsageError: if it says something else.
    """
    column, _, numbers = text.partition(":")
    if column not in _COLUMNS:
        near = get_close_matches(column, _COLUMNS, n=1)
        hint = f"did you mean {near[0]}?" if near else "--columns shows all columns"
        raise UsageError(f"--split: there is no column {column}", hint)
    try:
        shares = [float(number) for number in numbers.split(",")]
    except ValueError:
        shares = []
    if 1 - sum(shares) > _ROUNDING:
        shares.append(1 - sum(shares))
    fits = 2 <= len(shares) <= len(SPLITS) and abs(1 - sum(shares)) <= _ROUNDING
    if not fits or not all(0 < share < 1 for share in shares):
        cure = f"write {column}:0.9 for train and validation, or {column}:0.8,0.1,0.1 for train, validation and test"
        raise UsageError(f"--split: {text} is no division into shares", cure)
    return SplitWish(column, tuple(shares))


_ROUNDING = 1e-6
_COLUMNS = tuple(column.name for column in COLUMNS)


def people(rows: Iterable[tuple[str | None, str | None]], same: Iterable[tuple[str, str]] = ()) -> list[str | None]:
    """The person of each row: one name, one picture, and pictures that show the same person, are one.

    Args:
        rows: name of the identity and SHA-256 of its image; None without.
        same: pairs of pictures that show the same person.

    Returns:
        For each row the least picture of that person, else the least name; None without identity.
    """
    rows, parents = list(rows), dict[tuple[str, str], tuple[str, str]]()

    def root(it: tuple[str, str]) -> tuple[str, str]:
        while (parent := parents.setdefault(it, it)) != it:
            parents[it] = parents[parent]
            it = parents[it]
        return it

    def join(one: tuple[str, str], other: tuple[str, str]) -> None:
        # Pictures sort before names.
        first, second = sorted((root(one), root(other)))
        parents[second] = first

    for name, picture in set(rows):
        if name is not None and picture is not None:
            join((_NAME, name), (_PICTURE, picture))
    for one, other in same:
        join((_PICTURE, one), (_PICTURE, other))
    known = {row: next((root(it) for it in _about(*row)), None) for row in set(rows)}
    return [None if (it := known[row]) is None else ":".join(it) for row in rows]


_PICTURE, _NAME = "image", "name"


def _about(name: str | None, picture: str | None) -> list[tuple[str, str]]:
    told = ((_PICTURE, picture), (_NAME, name))
    return [(kind, value) for kind, value in told if value is not None]


def divide(groups: Sequence[str | None], ids: Sequence[str], wish: SplitWish) -> list[int]:
    """The split of each row, from 0.

    Rows of no group cannot leak anybody: they are divided by themselves, in the same shares.

    Args:
        groups: of each row; None of those that belong to none.
        ids: of the rows.
        wish: how to divide.

    Raises:
        UsageError: if there are fewer groups than splits.
    """
    sizes = Counter(group for group in groups if group is not None)
    alone = Counter(job_id for group, job_id in zip(groups, ids, strict=True) if group is None)
    needed = len(wish.shares)
    if len(sizes or alone) < needed:
        told = f"--split: {len(sizes or alone)} of `{wish.column}` cannot be in {needed} splits"
        raise UsageError(told, "each split needs one of its own: divide by another column, or into fewer splits")
    of_group = _cut(sizes, wish, 1)
    of_row = _cut(alone, wish, 0 if sizes else 1)
    return [of_row[job_id] if group is None else of_group[group] for group, job_id in zip(groups, ids, strict=True)]


def _cut(sizes: Counter[str], wish: SplitWish, least: int) -> dict[str, int]:
    """The split of each group; each split has at least so many."""
    order = sorted(sizes, key=lambda group: digest([wish.column, group]))
    sums = [0]
    for group in order:
        sums.append(sums[-1] + sizes[group])
    found, start, share = dict[str, int](), 0, 0.0
    for split, part in enumerate(wish.shares):
        share += part
        left = len(wish.shares) - split - 1
        ends = range(start + least, len(order) - left * least + 1) if left else [len(order)]
        end = min(ends, key=lambda end: abs(sums[end] - share * sums[-1]))
        found |= dict.fromkeys(order[start:end], split)
        start = end
    return found

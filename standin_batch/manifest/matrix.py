"""Combinations of values: a product of axes less what is excluded, in the order it is written.

Pure, on values already resolved; what a manifest's `matrix` says is read in `jobs`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, TypeAlias

from standin_batch.manifest.source import Mark

Value: TypeAlias = Any
"""The value of a job key, resolved; its type depends on the key."""

MAX_COMBINATIONS = 1_000_000
"""Of a manifest. A year of videos on a thousand GPUs is less."""

MAX_EXCLUSIONS = 10_000
"""Of a matrix."""


@dataclass(frozen=True)
class Axis:
    """A key, the values that it takes in turn, and where each is written; `inherited` if `defaults` write it."""

    key: str
    values: tuple[Value, ...]
    marks: tuple[Mark, ...]
    inherited: bool = False

    def places(self, wanted: Iterable[Value]) -> frozenset[int]:
        """Where on the axis one of `wanted` is."""
        return frozenset(place for value in wanted for place in self._by_value.get(_hashable(value), ()))

    @cached_property
    def _by_value(self) -> Mapping[Hashable, list[int]]:
        found: dict[Hashable, list[int]] = {}
        for place, value in enumerate(self.values):
            found.setdefault(_hashable(value), []).append(place)
        return found


Exclusion = Mapping[str, Collection[int]]
"""For each key the places on its axis that match; a combination that matches all keys is left out."""


@dataclass(frozen=True)
class Grid:
    """A product of axes: the first changes slowest."""

    axes: tuple[Axis, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys that have an axis."""
        return frozenset(axis.key for axis in self.axes)

    @property
    def explicit(self) -> frozenset[str]:
        """Those keys that the job itself varies."""
        return frozenset(axis.key for axis in self.axes if not axis.inherited)

    @property
    def size(self) -> int:
        """How many combinations there are before any is left out."""
        return prod(len(axis.values) for axis in self.axes)

    def count(self) -> int:
        """How many combinations there are."""
        return self.size if not self.exclusions else sum(1 for _ in self._places())

    def combinations(self) -> Iterator[dict[str, Value]]:
        """Each combination that is not excluded."""
        keys = [axis.key for axis in self.axes]
        if not self.exclusions:
            for values in product(*(axis.values for axis in self.axes)):
                yield dict(zip(keys, values, strict=True))
            return
        for places in self._places():
            yield {axis.key: axis.values[place] for axis, place in zip(self.axes, places, strict=True)}

    def marked(self) -> Iterator[dict[str, tuple[Value, Mark]]]:
        """Each combination that is not excluded, with the place of each value."""
        for places in self._places():
            found = zip(self.axes, places, strict=True)
            yield {axis.key: (axis.values[place], axis.marks[place]) for axis, place in found}

    def project(self, keys: Collection[str]) -> Grid:
        """The same over `keys` alone, less only what is excluded whatever the other keys are."""
        axes = tuple(axis for axis in self.axes if axis.key in keys)
        return Grid(axes, tuple(exclusion for exclusion in self.exclusions if set(exclusion) <= set(keys)))

    def _places(self) -> Iterator[tuple[int, ...]]:
        """The places on the axes of each combination. A bit stands for an exclusion that may still match."""
        every = (1 << len(self.exclusions)) - 1
        masks = [self._masks(axis) for axis in self.axes]
        for places in product(*(range(len(axis.values)) for axis in self.axes)):
            matching = every
            for place, (mentioned, silent) in zip(places, masks, strict=True):
                matching &= mentioned.get(place, silent)
                if not matching:
                    break
            if not matching:
                yield places

    def _masks(self, axis: Axis) -> tuple[Mapping[int, int], int]:
        """The exclusions that each place of `axis` matches, and those that do not mention the axis at all."""
        silent = sum(1 << i for i, item in enumerate(self.exclusions) if axis.key not in item)
        mentioned: dict[int, int] = {}
        for i, item in enumerate(self.exclusions):
            for place in item.get(axis.key, ()):
                mentioned[place] = mentioned.get(place, silent) | (1 << i)
        return mentioned, silent


def _hashable(value: Value) -> Hashable:
    if isinstance(value, tuple):
        return tuple(map(_hashable, value))
    if isinstance(value, Mapping):
        return tuple((key, _hashable(item)) for key, item in sorted(value.items()))
    if (lora := getattr(value, "lora", None)) is not None:
        return (_hashable(lora), *value.says.values())
    files = getattr(value, "files", None)
    return (value.name, _hashable(files), value.scale) if files is not None else value

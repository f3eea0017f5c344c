"""A job's `matrix`: ranges written out, each value of each axis resolved, combinations added and left out.

How axes make combinations is `matrix`'s; which job they belong to is `jobs`'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from standin_batch.manifest.checking import INVALID, known_entries
from standin_batch.manifest.job_keys import JOB_KEYS, UNMATRIXED_KEYS
from standin_batch.manifest.matrix import MAX_COMBINATIONS, MAX_EXCLUSIONS, Axis, Value
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.source import Mark, Node, listing, scalar
from standin_batch.manifest.values import IMAGE_KEYS, RANGE, VIDEO_KEYS, Values, Written
from standin_batch.manifest.words import clip, show

UNSHARED = dict.fromkeys(UNMATRIXED_KEYS, "a name belongs to one job")
"""Why these keys cannot be shared."""

NEVER_RANGES = VIDEO_KEYS | IMAGE_KEYS | {"identity", "prompt", "mode", "model", "negative_prompt", "loras", "speed"}
"""Keys whose text is a name or a text, whatever it looks like."""


@dataclass(frozen=True)
class Excluded:
    """An item of `exclude`: for each key the values that match, or None where they were refused."""

    values: Mapping[str, Axis | None]
    marks: Mapping[str, Mark]


@dataclass(frozen=True)
class Matrix:
    """A matrix as written: its axes, combinations added and left out."""

    axes: Mapping[str, Axis]
    keys: Mapping[str, Mark]
    wrong: frozenset[str]
    include: tuple[Written, ...]
    exclude: tuple[Excluded, ...]
    mark: Mark | None

    def under(self, above: Matrix, plain: Collection[str]) -> Matrix:
        """This (the defaults') with a job's laid over it; the job's `plain` keys have no axis from here."""
        inherited = {key: replace(axis, inherited=True) for key, axis in self.axes.items() if key not in plain}
        return Matrix(
            {**inherited, **above.axes},
            {**{key: mark for key, mark in self.keys.items() if key not in plain}, **above.keys},
            (self.wrong - set(plain) - above.keys.keys()) | above.wrong,
            above.include or self.include,
            above.exclude or self.exclude,
            above.mark or self.mark,
        )


NO_MATRIX = Matrix({}, {}, frozenset(), (), (), None)


class Matrices:
    """Reads matrices."""

    def __init__(self, values: Values, problems: Problems) -> None:
        self._read = values
        self._problems = problems

    def read(self, node: Node) -> Matrix:
        """A matrix with its ranges written out; problems are told where they are."""
        if not node.is_map:
            hint = "such as `{seed: 0..3}`"
            self._problems.add(node.mark.problem(f"`matrix` must be a mapping, not {show(node.data())}", hint))
            return NO_MATRIX
        allowed = [key for key in JOB_KEYS if key not in UNMATRIXED_KEYS]
        entries = known_entries(
            node, dict.fromkeys((*allowed, "include", "exclude")), self._problems, "`matrix`", UNSHARED
        )
        axes = {key: self._axis(key, child) for key, child in entries.items() if key in JOB_KEYS}
        return Matrix(
            {key: axis for key, axis in axes.items() if axis is not None},
            {key: node.key_mark(key) for key in axes},
            frozenset(key for key, axis in axes.items() if axis is None),
            tuple(self._read.read(item, "an item of `include`", allowed) for item in self._rows(entries, "include")),
            tuple(self._excluded(item, allowed) for item in self._rows(entries, "exclude")),
            node.mark,
        )

    def _rows(self, entries: Mapping[str, Node], key: str) -> tuple[Node, ...]:
        node = entries.get(key)
        if node is None:
            return ()
        if not node.is_list:
            hint = f"write `{key}: [{{seed: 3}}]`"
            self._problems.add(node.mark.problem(f"`{key}` must be a list of mappings, not {show(node.data())}", hint))
        elif len(node.items) > MAX_EXCLUSIONS:
            wrong = f"`{key}` has {len(node.items):,} items; at most {MAX_EXCLUSIONS:,}"
            self._problems.add(node.mark.problem(wrong, "split the job"))
        else:
            return node.items
        return ()

    def _excluded(self, node: Node, allowed: Iterable[str]) -> Excluded:
        """An item of `exclude`; a list or a range in it matches each of its values."""
        if not node.is_map:
            wrong = f"an item of `exclude` must be a mapping, not {show(node.data())}"
            self._problems.add(node.mark.problem(wrong, "such as `{seed: 3}`"))
            return Excluded({}, {})
        entries = known_entries(node, dict.fromkeys(allowed), self._problems, "an item of `exclude`", UNSHARED)
        values = {key: self._axis(key, _alternatives(key, child)) for key, child in entries.items()}
        return Excluded(values, {key: node.key_mark(key) for key in entries})

    def _axis(self, key: str, node: Node) -> Axis | None:
        """The values of an axis; None after a problem, once all values are looked at."""
        items = self._values(key, node)
        if items is None:
            return None
        values: list[Value] = []
        marks: list[Mark] = []
        wrong: Mark | None = None
        for item in items:
            if item.mark is wrong:
                continue  # another value of a range that has been told
            value = self._read.value(key, item)
            if value is INVALID:
                wrong = item.mark
                continue
            found = value if key == "prompt" else (value,)
            values.extend(found)
            marks.extend([item.mark] * len(found))
        return None if wrong is not None else Axis(key, tuple(values), tuple(marks))

    def _values(self, key: str, node: Node) -> list[Node] | None:
        """The values of an axis, ranges written out; None after a problem with the axis as a whole."""
        if not node.is_list and _range(key, node) is None:
            example = "…" if node.is_map else clip(str(node.value))
            wrong = f"in a matrix `{key}` must be a list of values, not {show(node.data())}"
            self._wrong(node, wrong, f"write `{key}: [{example}]`, or of numbers a range such as `0..3`")
            return None
        if node.value == ():
            wrong = f"`{key}` has no values, so nothing would be made"
            self._wrong(node, wrong, f"give it one, or remove `{key}`")
            return None
        found: list[Node] = []
        for item in node.items or (node,):
            expanded = self._expanded(key, item)
            if expanded is None or len(found) + len(expanded) > MAX_COMBINATIONS:
                return None
            found += expanded
        return found

    def _expanded(self, key: str, item: Node) -> list[Node] | None:
        """`0..3` as its numbers, anything else as it is."""
        bounds = _range(key, item)
        if bounds is None:
            return [item]
        first, last = bounds
        if last < first:
            wrong = f"the range {item.value} is empty: it ends before it begins"
            self._wrong(item, wrong, f"write `{last}..{first}`")
            return None
        if last - first >= MAX_COMBINATIONS:
            wrong = f"the range {item.value} has {last - first + 1:,} values; at most {MAX_COMBINATIONS:,}"
            self._wrong(item, wrong)
            return None
        return [scalar(number, item.mark) for number in range(first, last + 1)]

    def _wrong(self, node: Node, message: str, hint: str = "") -> None:
        self._problems.add(node.mark.problem(message, hint))


def _alternatives(key: str, node: Node) -> Node:
    """What matches, as a list: a value of `loras` is itself one."""
    return node if node.is_list and key != "loras" else listing((node,), node.mark)


def _range(key: str, node: Node) -> tuple[int, int] | None:
    if key in NEVER_RANGES or not isinstance(node.value, str) or not node.plain:
        return None
    match = RANGE.match(node.value)
    return (int(match[1]), int(match[2])) if match else None

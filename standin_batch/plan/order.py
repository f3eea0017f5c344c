"""The order in which states follow each other at the least cost.

States come in levels (the manifest's priorities); each level is finished before the next begins, and the last state of
one may be the first of the next. With few states the order is the exact optimum (Held and Karp 1962, backwards, so that
of equally cheap orders the one nearest to the manifest is found). With more it is hierarchical: the dearest thing
changes least, and where two neighbours have something in common, it lies at their border.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from standin_batch.plan.cost import CostModel
from standin_batch.plan.state import State

EXACT_WORK = 300_000
"""Comparisons that the exact search may make: one level of 12 states, or five of 10."""

NANO = 1_000_000_000

BARE = State(model=("", ""), base="", modules=(), loras=(), speed=(False, False), shape=(0, 0, 0), identity=("",))
"""What fresh weights are: no module beside them, no LoRA on them."""

Level = Sequence[State]
Cost = Callable[[State | None, State], int]
Tail = Callable[[State], int]
"""What comes after a level that ends in a state."""


def order_states(levels: Sequence[Level], costs: CostModel) -> list[list[State]]:
    """Order the states of each level; never dearer than as they come, and of equal costs as near to that as can be.

    Args:
        levels: distinct states of each level, in the order of the manifest.
        costs: of switches.
    """
    cost = _exact_cost(costs)
    if sum(_work(len(level)) for level in levels) <= EXACT_WORK:
        return _optimal(levels, cost)
    written = [list(level) for level in levels]
    return min(written, _hierarchical(levels), key=lambda found: _path_cost(found, cost))


def _work(states: int) -> int:
    """Comparisons for one level: each state after each, for every set of those that are left."""
    return states * states << (states - 1)


def _exact_cost(costs: CostModel) -> Cost:
    """Whole nanoseconds: sums in any order are the same number, so equal orders are seen to be equal."""
    known: dict[tuple[State | None, State], int] = {}

    def cost(before: State | None, after: State) -> int:
        found = known.get((before, after))
        if found is None:
            found = known[(before, after)] = round(costs.switch_seconds(before, after) * NANO)
        return found

    return cost


def _path_cost(levels: Sequence[Level], cost: Cost) -> int:
    states = [state for level in levels for state in level]
    return sum(cost(before, after) for before, after in zip((None, *states), states, strict=False))


def _optimal(levels: Sequence[Level], cost: Cost) -> list[list[State]]:
    searches: list[_Search] = []
    tail: Tail = lambda state: 0  # noqa: E731 - the last level has nothing behind it
    for level in reversed(levels):
        searches.insert(0, _Search(level, cost, tail))
        tail = searches[0].least
    found: list[list[State]] = []
    last: State | None = None
    for search in searches:
        found.append(search.path(last))
        last = found[-1][-1]
    return found


class _Search:
    """The cheapest way through one level and all that follow, from every state and for every set of states left."""

    def __init__(self, level: Level, cost: Cost, tail: Tail) -> None:
        self._states, self._cost = level, cost
        self._all = (1 << len(level)) - 1
        steps = [[cost(before, after) for after in level] for before in level]
        self._table = [[tail(state) for state in level]]
        for left in range(1, self._all + 1):
            members = _members(left)
            behind = [self._table[left ^ (1 << after)][after] for after in members]
            self._table.append([min(row[a] + rest for a, rest in zip(members, behind, strict=True)) for row in steps])

    def least(self, before: State | None) -> int:
        """The least cost from `before` through this level and all that follow."""
        return min(self._starts(before, self._all).values())

    def path(self, before: State | None) -> list[State]:
        """The cheapest order; of several, the one that takes the earliest state first."""
        found, left = [], self._all
        while left:
            starts = self._starts(before, left)
            after = min(starts, key=lambda place: (starts[place], place))
            before, left = self._states[after], left ^ (1 << after)
            found.append(before)
        return found

    def _starts(self, before: State | None, left: int) -> dict[int, int]:
        """For each state left, what it costs to take it next and all others after it."""
        return {
            after: self._cost(before, self._states[after]) + self._table[left ^ (1 << after)][after]
            for after in _members(left)
        }


def _members(bits: int) -> list[int]:
    return [place for place in range(bits.bit_length()) if bits >> place & 1]


def _hierarchical(levels: Sequence[Level]) -> list[list[State]]:
    found: list[list[State]] = []
    last = BARE
    for place, level in enumerate(levels):
        following = levels[place + 1] if place + 1 < len(levels) else ()
        found.append(_nested(level, 0, last, following))
        last = found[-1][-1]
    return found


def _nested(states: Level, depth: int, before: State, following: Level) -> list[State]:
    """Order `states`, which agree in the first `depth` fields.

    What `before` ends with comes first, and what `following` can begin with comes last.
    """
    if depth == len(State._fields):
        return list(states)
    parts: dict[Hashable, list[State]] = {}
    for state in states:
        parts.setdefault(state[depth], []).append(state)
    ordered = _ends(parts, before[depth], {state[depth] for state in following})
    found: list[State] = []
    for place, part in enumerate(ordered):
        behind = ordered[place + 1] if place + 1 < len(ordered) else following
        last = found[-1] if found else before
        found += _nested(part, depth + 1, last if last[:2] == part[0][:2] else BARE, behind)
    return found


def _ends(parts: dict[Hashable, list[State]], first: Hashable, last: set[Hashable]) -> list[list[State]]:
    keys = sorted(parts, key=lambda key: key != first)
    shared = next((key for key in keys[1:] if key in last), None)
    if shared is not None:
        keys.remove(shared)
        keys.append(shared)
    return [parts[key] for key in keys]

"""What the runs of a device have taught: seconds of jobs by kind, and of all that a run does besides.

Learnt from what runs have noted, each a mapping as JSON has it; where notes are kept is `run.measured`'s business. What
is taken is the median of the last, the lower of two: the first run of anything also fills caches, and the next ones do
not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import inf
from statistics import median_low
from typing import Any

LAST = 20
"""Measurements of a kind that count: older ones speak of another driver, or another version."""

STEADY = ("start", "plan", "torch", "weights", "diffsynth", "finish", "other")
"""Parts of a run that are about the same for all runs."""

WORKING = ("inputs", "switch", "denoise", "decode")
"""Parts of a run that are those of its jobs; what they took more than jobs of their kinds was paid once."""

SWITCH, LORAS = "switch", "loras"

COUNTED = {"prompt": "prompts", "save": "clips", "preflight": "faces", "identity": "identities"}
"""Parts of a run that grow with what is counted, and what that is."""

FIRST = ("faces", "identities", "prompts")
"""What loads models before the first of it."""

PROMPTS = "prompts"
"""Texts; in what runs have noted, those that had to be encoded: others were remembered from an earlier run."""


@dataclass(frozen=True)
class Line:
    """Seconds by a number: `once`, and for `each`."""

    once: float
    each: float

    def seconds(self, number: float) -> float:
        """Of so many; of none nothing."""
        return self.once + self.each * number if number else 0.0


@dataclass(frozen=True)
class Learnt:
    """What is known of one device.

    Attributes:
        jobs: seconds of a job on the main thread, switches of LoRAs left out, by its `work_kind`.
        kept: seconds that the writer's thread is at work on a clip, by its `kept_kind`.
        once: seconds of a run besides all that is counted, by each kind of job in it. Waiting for the last clip is part
            of it, for a writer that is slower than the jobs is not (`overhang`).
        kept_once: seconds of the writer's thread besides its clips, by each kind of clip in it.
        counted: seconds by the number of what is counted (`plan.kind.counts_of`).
        runs: how many whole runs have taught it.
        texts: that runs have had, which are remembered since, as `plan.kind.marks_of` tells them.
    """

    jobs: Mapping[str, float] = field(default_factory=dict)
    kept: Mapping[str, float] = field(default_factory=dict)
    once: Mapping[str, float] = field(default_factory=dict)
    kept_once: Mapping[str, float] = field(default_factory=dict)
    counted: Mapping[str, Line] = field(default_factory=dict)
    runs: int = 0
    texts: frozenset[str] = frozenset()

    def counted_seconds(self, counts: Mapping[str, int]) -> dict[str, float]:
        """Seconds of each of `counts` that is known."""
        return {what: self.counted[what].seconds(number) for what, number in counts.items() if what in self.counted}

    def once_seconds(self, kinds: Collection[str]) -> float:
        """What a run of jobs of these kinds takes once; of kinds never seen what others do."""
        return _once(self.once, kinds)

    def kept_once_seconds(self, kinds: Collection[str]) -> float:
        """What the writer's thread of such a run takes once."""
        return _once(self.kept_once, kinds)


def _once(known: Mapping[str, float], kinds: Collection[str]) -> float:
    """Of the kind that takes most: what one of them needs the others share."""
    seen = [known[kind] for kind in kinds if kind in known]
    return max(seen) if seen else median_low(known.values()) if known else 0.0


@dataclass(frozen=True)
class _Run:
    """One run as it was noted: seconds by part, how many of everything, and how many jobs of each kind."""

    parts: Mapping[str, float]
    beside: float
    counts: Mapping[str, int]
    jobs: Mapping[str, int]
    kept: Mapping[str, int]
    texts: frozenset[str]


def learnt(notes: Iterable[Mapping[str, Any]]) -> Learnt:
    """What `notes` of one device teach; those that are damaged or of an older version are passed over.

    So are runs with jobs of a kind of which no clip was noted, as under another memory profile than theirs: what the
    jobs took cannot be told from the rest.
    """
    jobs: dict[str, list[float]] = {}
    switches: dict[str, list[float]] = {}
    kept: dict[str, list[float]] = {}
    runs: list[_Run] = []
    for note in notes:
        if "run" in note:
            runs += _run(note)
        elif "kind" in note and (found := _job(note)) is not None:
            kind, kept_kind, seconds, switch, beside = found
            jobs.setdefault(kind, []).append(seconds)
            switches.setdefault(kind, []).append(switch)
            kept.setdefault(kept_kind, []).append(beside)
    told = [run for run in runs if set(run.jobs) <= set(jobs)]
    texts = frozenset[str]().union(*(run.texts for run in runs))
    return replace(_of(_medians(jobs), _medians(switches), _medians(kept), told[-LAST:]), texts=texts)


def _of(
    jobs: Mapping[str, float], switches: Mapping[str, float], kept: Mapping[str, float], runs: Sequence[_Run]
) -> Learnt:
    once: dict[str, list[float]] = {}
    kept_once: dict[str, list[float]] = {}
    points: dict[str, list[tuple[int, float]]] = {}
    for run in runs:
        loras = max(0.0, _beyond(run.jobs, switches, run.parts.get(SWITCH, 0.0))) if run.counts.get(LORAS) else 0.0
        for what, seconds in {
            LORAS: loras,
            **{what: run.parts.get(part, 0.0) for part, what in COUNTED.items()},
        }.items():
            points.setdefault(what, []).append((run.counts.get(what, 0), seconds))
        beyond = _beyond(run.jobs, jobs, sum(run.parts.get(part, 0.0) for part in WORKING)) - loras
        remembering = run.parts.get("prompt", 0.0) if run.counts.get(PROMPTS) == 0 else 0.0
        steady = max(0.0, beyond + _waited(run, jobs) + remembering + sum(run.parts.get(p, 0.0) for p in STEADY))
        for kind in run.jobs:
            once.setdefault(kind, []).append(steady)
        for kind in run.kept:
            kept_once.setdefault(kind, []).append(max(0.0, _beyond(run.kept, kept, run.beside)))
    found = {what: [point for point in some if point[0]] for what, some in points.items()}
    return Learnt(
        jobs=jobs,
        kept=kept,
        once=_medians(once),
        kept_once=_medians(kept_once),
        counted={what: fitted(some, offset=what in FIRST) for what, some in found.items() if some},
        runs=len(runs),
    )


def _waited(run: _Run, jobs: Mapping[str, float]) -> float:
    """Seconds that a run has waited for its writer beyond what is foreseen: for the last clip, mostly."""
    made = sum(count * jobs.get(kind, 0.0) for kind, count in run.jobs.items())
    return run.parts.get("wait", 0.0) - overhang(made, run.beside, sum(run.jobs.values()))


def overhang(made: float, kept: float, clips: int) -> float:
    """Seconds that the thread which keeps clips is still at work when the last of them is made, if it is the slower.

    Args:
        made: seconds to make all clips.
        kept: seconds to keep them, which begins with the first.
        clips: how many.
    """
    return max(0.0, kept - made * (clips - 1) / clips) if clips else 0.0


def _beyond(number: Mapping[str, int], seconds: Mapping[str, float], whole: float) -> float:
    """What `whole` is more than so many of each kind take."""
    return whole - sum(count * seconds.get(kind, 0.0) for kind, count in number.items())


def fitted(points: Sequence[tuple[int, float]], *, offset: bool) -> Line:
    """The line through measurements: seconds by number, 1 or more.

    Args:
        points: at least one.
        offset: whether something is paid before the first. It can be told from the rest only by different numbers: the
            median of the slopes between any two (Theil and Sen); without such it is all that is known.
    """
    if not offset:
        return Line(0.0, median_low([seconds / number for number, seconds in points]))
    slopes = [(t - s) / (m - n) for (n, s), (m, t) in combinations(points, 2) if m != n]
    each = max(0.0, median_low(slopes)) if slopes else 0.0
    return Line(max(0.0, median_low([seconds - each * number for number, seconds in points])), each)


def _job(note: Mapping[str, Any]) -> tuple[str, str, float, float, float] | None:
    try:
        kind, kept_kind = str(note["kind"]), str(note["kept_kind"])
        seconds, switch, beside = (float(note[key]) for key in ("whole", "switch", "kept"))
    except (KeyError, TypeError, ValueError):
        return None
    usable = all(0 <= each < inf for each in (seconds, switch, beside))
    return (kind, kept_kind, seconds, switch, beside) if usable else None


def _run(note: Mapping[str, Any]) -> list[_Run]:
    try:
        parts = {str(part): float(seconds) for part, seconds in note["run"].items()}
        counts, jobs, kept = ({str(k): int(n) for k, n in note[key].items()} for key in ("counts", "jobs", "kept"))
        beside, texts = float(note["kept_seconds"]), note.get("texts")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return []
    usable = all(0 <= each < inf for each in (*parts.values(), *counts.values(), *jobs.values(), beside))
    if texts is None:  # of an older version, which did not tell what was encoded from what was remembered
        counts.pop(PROMPTS, None)
    known = frozenset(map(str, texts)) if isinstance(texts, list) else frozenset[str]()
    return [_Run(parts, beside, counts, jobs, kept, known)] if usable and jobs else []


def _medians(found: Mapping[str, list[float]]) -> dict[str, float]:
    return {kind: median_low(values[-LAST:]) for kind, values in found.items()}

"""Clips, added up record by record: time, pace, scores by group, acceptance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from statistics import fmean, median
from typing import Any

from standin_batch.scores.table import DECIDING
from standin_batch.speed import EXACT

GROUPINGS = ("identity", "loras", "mode", "prompt", "speed")
"""What clips are grouped by."""

NOBODY = "no identity"
NO_LORA = "no LoRA"
"""Names of the groups of clips without them."""


@dataclass(frozen=True)
class Spread:
    """The values of a score: how many there are, their mean, median and minimum."""

    n: int
    mean: float
    median: float
    min: float


@dataclass(frozen=True)
class ScoreRow:
    """The scores of one group.

    Attributes:
        key: what it is grouped by, one of `GROUPINGS`.
        name: of the group, such as the identity's.
        n: clips that are not rejected; the scores are theirs.
        rejected: clips that are.
        scores: by name; without those that no clip has.
    """

    key: str
    name: str
    n: int
    rejected: int
    scores: Mapping[str, Spread]


@dataclass(frozen=True)
class Pace:
    """How fast clips of one kind were denoised.

    Attributes:
        model: row of the weights registry.
        width: pixels.
        height: pixels.
        num_frames: frames.
        speed: what was given up of exactness, as records have it.
        clips: of this kind.
        seconds_per_step: seconds of denoising by steps, all clips together.
        peak_memory: bytes of GPU memory, of the clip that took most; None without a GPU.
    """

    model: str
    width: int
    height: int
    num_frames: int
    speed: str
    clips: int
    seconds_per_step: float
    peak_memory: int | None


@dataclass(frozen=True)
class Acceptance:
    """How clips fared whose jobs ask something of the scores.

    Attributes:
        jobs: that ask.
        satisfied: that have an accepted clip.
        attempts: clips that were made for them.
        accepted: clips among those that are taken.
        by_attempt: accepted clips by the attempt that they are, from 1.
    """

    jobs: int = 0
    satisfied: int = 0
    attempts: int = 0
    accepted: int = 0
    by_attempt: Mapping[int, int] = field(default_factory=dict)


@dataclass
class _Kind:
    """Clips of one model, size and speed."""

    of: tuple[str, int, int, int, str]
    clips: int = 0
    seconds: float = 0.0
    steps: int = 0
    peak_memory: int | None = None

    def add(self, record: Mapping[str, Any], seconds: float) -> None:
        self.clips += 1
        self.seconds += seconds
        self.steps += _whole(record.get("num_inference_steps"))
        self.peak_memory = _most((self.peak_memory, _whole(record.get("peak_memory")) or None))

    def pace(self) -> Pace:
        return Pace(*self.of, self.clips, self.seconds / self.steps if self.steps else 0.0, self.peak_memory)


@dataclass
class _Group:
    n: int = 0
    rejected: int = 0
    scores: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Counted:
    """What is added up, record by record."""

    clips: int = 0
    rejected: int = 0
    frames: int = 0
    video_seconds: float = 0.0
    video_bytes: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    kinds: dict[tuple[str, int, int, int, str], _Kind] = field(default_factory=dict)
    groups: dict[tuple[str, str], _Group] = field(default_factory=lambda: defaultdict(_Group))
    asking: set[str] = field(default_factory=set)
    satisfied: set[str] = field(default_factory=set)
    attempts: int = 0
    by_attempt: Counter[int] = field(default_factory=Counter)

    def add(self, record: Mapping[str, Any]) -> None:
        """Count a record as far as it can be understood."""
        rejected = record.get("accepted") is False
        self.clips += 1
        self.rejected += rejected
        self._add_time(record)
        self._add_scores(record, rejected)
        self._add_acceptance(record)
        if not rejected:
            frames, fps = _whole(record.get("num_frames")), _number(record.get("fps"))
            self.frames += frames
            self.video_seconds += frames / fps if fps else 0.0
            self.video_bytes += _whole(record.get("video_bytes"))

    def _add_time(self, record: Mapping[str, Any]) -> None:
        phases = {name: _number(seconds) or 0.0 for name, seconds in _mapping(record.get("seconds")).items()}
        for name, seconds in phases.items():
            self.seconds[name] += seconds
        width, height, frames = (_whole(record.get(key)) for key in ("width", "height", "num_frames"))
        of = (str(record.get("model")), width, height, frames, speed_of(record))
        self.kinds.setdefault(of, _Kind(of)).add(record, phases.get("denoise", 0.0))

    def _add_scores(self, record: Mapping[str, Any], rejected: bool) -> None:
        scores = _mapping(record.get("scores"))
        values = {name: value for name in DECIDING if (value := _number(scores.get(name))) is not None}
        for key, name in group_names(record).items():
            group = self.groups[key, name]
            group.n += not rejected
            group.rejected += rejected
            if not rejected:
                for score, value in values.items():
                    group.scores[score].append(value)

    def _add_acceptance(self, record: Mapping[str, Any]) -> None:
        first = record.get("attempt_of")
        if not isinstance(first, str):
            return
        self.attempts += 1
        self.asking.add(first)
        if record.get("accepted") is True:
            self.satisfied.add(first)
            self.by_attempt[_whole(record.get("attempt"))] += 1

    @property
    def peak_memory(self) -> int | None:
        """Of the clip that took most."""
        return _most(kind.peak_memory for kind in self.kinds.values())

    def paces(self) -> Iterator[Pace]:
        """By model, size and speed."""
        return (kind.pace() for _, kind in sorted(self.kinds.items()))

    def score_rows(self) -> Iterator[ScoreRow]:
        """In the order of `GROUPINGS` and of the names."""
        for key, name in sorted(self.groups, key=lambda of: (GROUPINGS.index(of[0]), of[1])):
            group = self.groups[key, name]
            scores = {score: spread(group.scores[score]) for score in DECIDING if score in group.scores}
            yield ScoreRow(key, name, group.n, group.rejected, scores)

    def acceptance(self) -> Acceptance:
        """Of the jobs that ask something."""
        return Acceptance(
            jobs=len(self.asking),
            satisfied=len(self.satisfied),
            attempts=self.attempts,
            accepted=sum(self.by_attempt.values()),
            by_attempt=dict(sorted(self.by_attempt.items())),
        )


def group_names(record: Mapping[str, Any]) -> dict[str, str]:
    """The group of a record by each of `GROUPINGS`."""
    listed = record.get("loras")
    loras = [f"{it['name']} {it['scale']:g}" for it in listed if _is_lora(it)] if isinstance(listed, list) else []
    return {
        "identity": str(record.get("identity") or NOBODY),
        "loras": " + ".join(loras) or NO_LORA,
        "mode": str(record.get("mode")),
        "prompt": str(record.get("prompt_name") or record.get("prompt")),
        "speed": speed_of(record),
    }


def speed_of(record: Mapping[str, Any]) -> str:
    """What a record says was given up of exactness; a record that does not say is of a time when nothing could be."""
    return str(record.get("speed") or EXACT)


def is_exact(record: Mapping[str, Any]) -> bool:
    """Whether nothing was given up for speed."""
    return speed_of(record) == str(EXACT)


def _is_lora(value: object) -> bool:
    return isinstance(value, Mapping) and "name" in value and _number(value.get("scale")) is not None


def spread(values: list[float]) -> Spread:
    """What `values` come to; there has to be one."""
    return Spread(len(values), fmean(values), median(values), min(values))


def _most(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float | None:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and isfinite(value) else None  # type: ignore[arg-type]


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

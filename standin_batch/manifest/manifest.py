"""A manifest as the rest of the program sees it: frozen, every reference replaced, every path absolute.

How it is read is `loader`'s. Nothing here knows YAML or pydantic, so iterating 100,000 variants costs 100,000 dicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from standin_batch.face.checks import FaceChecks
from standin_batch.manifest.matrix import Grid, Value
from standin_batch.manifest.problems import Problem
from standin_batch.manifest.source import Mark
from standin_batch.manifest.speed_keys import ALL_OFF
from standin_batch.manifest.turbo import turbo_of, with_turbo
from standin_batch.modes import MODES
from standin_batch.speed import Speed
from standin_batch.weights.registry import ROWS

Layer = Mapping[str, Value]
"""Resolved values by key, as one place of the manifest writes them."""

ALL_EXPERTS = "all"
"""The key of a LoRA's file that is for every expert of the model."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who or what to keep.

    Attributes:
        name: of the entry, or the image's file name.
        image: absolute path.
        kind: `face` is detected and cut out; `subject` is taken as it is.
        on_no_face: what to do when no face is found.
    """

    name: str
    image: Path
    kind: Literal["face", "subject"] = "face"
    on_no_face: Literal["error", "whole_image"] = "error"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text, and the label that it has in file names: of one from a file, the entry's name and the line."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA at a scale. `files` has the key `all`, or one per expert."""

    name: str
    files: Mapping[str, Path]
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Video:
    """A video to take control, or frames, from."""

    name: str
    path: Path


def plain(number: float) -> str:
    """All digits of a number, as a manifest has them: never an exponent."""
    text = f"{Decimal(repr(float(number))):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class Condition:
    """`score comparison threshold`, such as `face_similarity >= 0.55`."""

    score: str
    comparison: Literal[">=", "<=", ">", "<"]
    threshold: float

    def __str__(self) -> str:
        return f"{self.score} {self.comparison} {plain(self.threshold)}"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a finished clip has to fulfil, and how often to try again with another seed.

    Attributes:
        conditions: all of them count; the first says which score is compared among several clips.
        best_of: how many clips are made in any case; the best of them is taken.
        max_reseeds: how many more are made, one by one, while none is accepted.
        rejected: what becomes of the videos of the others.
    """

    conditions: tuple[Condition, ...]
    best_of: int = 1
    max_reseeds: int = 3
    rejected: Literal["keep", "drop"] = "keep"


@dataclass(frozen=True, slots=True)
class Output:
    """Where the videos go and how they are written. `folder` is relative to the current directory, or absolute."""

    folder: Path
    template: str
    quality: int
    lossless: bool
    keep_latents: bool


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run goes.

    Attributes:
        checkpoint_every: denoising steps, or a length of time such as `30s`.
        max_failures: failed jobs that end a run; None for no end.
        on_finish: a shell command, which a run obeys only if it is told to.
    """

    checkpoint_every: int | str = "30s"
    max_failures: int | None = None
    on_finish: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What is looked at in finished videos.

    Attributes:
        enabled: whether they are scored at all.
        frames: of each, evenly spread, that are looked at.
    """

    enabled: bool = True
    frames: int = 16


@dataclass(frozen=True, slots=True)
class Variant:
    """One video that a job asks for.

    Attributes:
        values: every key that its mode reads, resolved.
        explicit: the keys written on the job itself, its matrix or by `--set`: only those win over a video's own size.
    """

    values: Mapping[str, Value]
    explicit: frozenset[str]


@dataclass(frozen=True)
class JobSpec:
    """A job as written, its references resolved: one video, or many.

    Attributes:
        name: of the job.
        mark: where it is written.
        defaults: the manifest's `model` and `defaults`.
        own: the job's own keys.
        grids: its matrix, then each combination that the matrix includes.
    """

    name: str
    mark: Mark
    defaults: Layer
    own: Layer
    grids: tuple[Grid, ...] = (Grid(),)

    @cached_property
    def size(self) -> int:
        """How many variants there are."""
        return sum(grid.count() for grid in self.grids)

    def variants(self) -> Iterator[Variant]:
        """Each video, fully merged: model row < `defaults` < job < matrix < `--set`."""
        base = cache(self._base)
        for grid in self.grids:
            explicit = frozenset(self.own) | grid.explicit
            for combination in grid.combinations():
                model = combination.get("model") or self.value("model")
                mode = combination.get("mode") or self.value("mode")
                yield Variant(_finished(base(model, mode), combination), explicit)

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that its variants may have."""
        own = () if self.value("mode") is None else (self.value("mode"),)
        axes = (value for grid in self.grids for axis in grid.axes if axis.key == "mode" for value in axis.values)
        return tuple(dict.fromkeys((*own, *axes)))

    def value(self, key: str) -> Value:
        """The value of `key` below the matrix; None where neither the job nor the defaults write it."""
        return self.own.get(key, self.defaults.get(key))

    def _base(self, model: str, mode: str) -> Layer:
        """What all variants on this model and mode have in common."""
        base = {**BUILT_IN, **ROWS[model].defaults, **mode_defaults(mode)}
        for layer in (self.defaults, self.own):
            base = merged(base, {key: value for key, value in layer.items() if key in base})
        return {**base, "name": self.name, "model": model, "mode": mode}


@dataclass(frozen=True)
class Manifest:
    """All that a manifest says.

    Attributes:
        path: the file.
        name: of the manifest.
        output: where the videos go.
        jobs: in the order they are written, included ones first.
        run: how a run of it goes.
        faces: what preflight objects to.
        scores: what is looked at in finished videos.
        warnings: what the user should know; nothing that stops a run.
    """

    path: Path
    name: str
    output: Output
    jobs: tuple[JobSpec, ...]
    run: RunOptions = RunOptions()
    faces: FaceChecks = field(default_factory=FaceChecks)
    scores: ScoreOptions = ScoreOptions()
    warnings: tuple[Problem, ...] = field(default=(), repr=False)


BUILT_IN: Layer = MappingProxyType(
    {
        "identity": None,
        "prompt": None,
        "loras": (),
        "max_frames": None,
        "max_pixels": None,
        "priority": 0,
        "retries": 2,
        "accept": None,
        "speed": ALL_OFF,
    }
)
"""Keys on which no model has an opinion."""


@cache
def mode_defaults(mode: str) -> Layer:
    """The mode's own keys with the values that they have unless said; a file that was not given is None."""
    found = {
        key: field.get_default(call_default_factory=True) for key, field in MODES[mode].params.model_fields.items()
    }
    files = (*MODES[mode].video_keys, *MODES[mode].image_keys)
    return {key: (value or None) if key in files else value for key, value in found.items()}


def merged(lower: Layer, upper: Layer) -> dict[str, Value]:
    """`upper` over `lower`: maps merge, everything else replaces."""
    result = {**lower, **upper}
    for key in _MAPS & upper.keys():
        result[key] = _MERGES[key](lower.get(key), upper[key])
    return result


def _finished(base: Layer, combination: Layer) -> dict[str, Value]:
    values = merged(base, {key: value for key, value in combination.items() if key in base})
    values["accept"] = _acceptance(values["accept"])
    return _sped_up(values)


def _sped_up(values: Layer) -> dict[str, Value]:
    """With the options of `speed`, its turbo written out as the keys that it stands for."""
    turbo, found = turbo_of(values["speed"]), with_turbo(values)
    if turbo is not None:
        found["loras"] = (*values["loras"], turbo.lora)
    said = {**ALL_OFF, **(values["speed"] or {})}
    options = {key: said[key] for key in ("attention", "fp8", "compile")}
    return {**found, "speed": Speed(**options, cache=float(said["cache"] or 0))}


def _merged_scale(lower: Value, upper: Value) -> Value:
    """A number, or a pair from high noise to low; a map that names one expert keeps the other's value."""
    if not isinstance(upper, Mapping):
        return upper
    high, low = lower if isinstance(lower, tuple) else (lower, lower)
    return (upper.get("high_noise", high), upper.get("low_noise", low))


def _merged_map(lower: Value, upper: Value) -> Value:
    return {**lower, **upper} if isinstance(lower, Mapping) and isinstance(upper, Mapping) else upper


_MERGES = {"cfg_scale": _merged_scale, "accept": _merged_map, "speed": _merged_map}
_MAPS = _MERGES.keys()
_ACCEPT_OPTIONS = frozenset(("best_of", "max_reseeds", "rejected"))


def _acceptance(written: Layer | None) -> Acceptance | None:
    if not written:
        return None
    conditions = tuple(value for value in written.values() if isinstance(value, Condition))
    said = Acceptance(conditions, **{key: value for key, value in written.items() if key in _ACCEPT_OPTIONS})
    return said if conditions or said.best_of > 1 else None

"""`manifest.lock.yaml`: a manifest resolved, so that it stands for the same jobs whatever the defaults become.

Its layers stay what they are: `defaults` are filled up with all that the program says by itself, so jobs, matrices,
names and order are the manifest's own, and what was not said on a job is still not. A job writes more only where its
model has other defaults than the manifest's; where that differs between its combinations, these are written one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import islice, product
from pathlib import Path

from standin_batch.manifest.job_keys import NULLABLE_KEYS
from standin_batch.manifest.lock_text import Tables, dumped
from standin_batch.manifest.manifest import BUILT_IN, JobSpec, Layer, Manifest, merged, mode_defaults
from standin_batch.manifest.matrix import MAX_EXCLUSIONS, Axis, Exclusion, Grid, Value
from standin_batch.manifest.source import PlainData
from standin_batch.manifest.turbo import TURBO_KEYS, with_turbo
from standin_batch.modes import MODES
from standin_batch.weights.registry import ROWS

RANDOM = "random"
"""The value of `seed` that is drawn."""

VIDEO_SIZED = ("width", "height", "num_frames", "fps")
"""Keys that a video sets, unless the job itself does."""

MAX_ROWS = MAX_EXCLUSIONS
"""Combinations of a job that are written one by one, as its models differ."""

MAX_DRAWN = 1_000
"""Videos of a job that are written one by one, as each has drawn its seed; of more, the head has the number."""

_HEAD = """\
# Written by `standin run`: a manifest with all names, variables and defaults resolved. `standin run` on this file makes
# the same videos, whatever the defaults have become. It is written anew by every run; change the manifest instead.
"""
_DRAWN = "# seeds drawn from "


@dataclass(frozen=True)
class LockFile:
    """A lock file, and the prompt files that it names, by path beside it."""

    text: str
    files: Mapping[str, str]


Drawn = Mapping[str, Sequence[int]]
"""For each job that draws seeds those drawn, in the order of its videos."""


def lock(manifest: Manifest, drawn: Drawn, drawn_from: str = "") -> LockFile:
    """The lock file of `manifest`.

    Args:
        manifest: resolved.
        drawn: the seeds that took the place of `random`.
        drawn_from: the number that they were drawn from; kept, so that later runs draw the same.
    """
    tables = Tables(manifest)
    writer = _Writer(tables, _Common.of(manifest), _common_axes(manifest.jobs), drawn)
    jobs = [writer.job(spec) for spec in manifest.jobs]
    document = {
        "version": 1,
        "name": manifest.name,
        "model": writer.common.model,
        "output": {**asdict(manifest.output), "folder": str(Path.cwd() / manifest.output.folder)},
        "run": {key: value for key, value in asdict(manifest.run).items() if value is not None},
        "scores": asdict(manifest.scores),
        "faces": {**asdict(manifest.faces), "refuse": list(manifest.faces.refuse)},
        "defaults": writer.defaults(),
        **tables.sections(),
        "jobs": jobs,
    }
    head = _HEAD + (f"{_DRAWN}{drawn_from}\n" if drawn_from else "")
    return LockFile(head + dumped(document), tables.files)


def drawn_from(path: Path) -> str:
    """What the seeds of the lock file at `path` were drawn from; empty if none were, or there is no such file."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = "".join(islice(file, _HEAD.count("\n") + 1))
    except OSError:
        return ""
    found = re.search(rf"^{_DRAWN}([0-9a-f]+)$", head, re.MULTILINE)
    return found[1] if found else ""


@dataclass(frozen=True)
class _Common:
    """What all jobs of a lock file have below them.

    Attributes:
        model: of the manifest.
        layer: its `defaults`, filled up with what the program says for that model.
    """

    model: str
    layer: Layer

    @classmethod
    def of(cls, manifest: Manifest) -> _Common:
        written = manifest.jobs[0].defaults  # all jobs have the same
        model = written["model"]
        full = {key: value for key, value in {**_program(model), **_every_mode()}.items() if _writable(key, value)}
        full = {**written, **merged(full, {key: value for key, value in written.items() if key in full})}
        full.pop("model")
        left_open = {key for spec in manifest.jobs for key in _Job(spec, cls(model, full)).left_open}
        # A key that a job leaves to its models cannot be said for all; the other jobs say it themselves.
        return cls(
            model,
            {
                key: value
                for key, value in {**full, **_partly(written, left_open)}.items()
                if key not in left_open or key in written
            },
        )


def _partly(written: Layer, keys: set[str]) -> Layer:
    return {key: written[key] for key in keys if key in written}


def _program(model: str) -> Layer:
    """What the program says by itself, without modes."""
    return {**{key: value for key, value in BUILT_IN.items() if key != "prompt"}, **ROWS[model].defaults}


def _every_mode() -> Layer:
    """What modes say for their own keys, where those that share a key agree."""
    said = [(key, value) for mode in MODES for key, value in mode_defaults(mode).items()]
    return {key: value for key, value in said if all(other == value for name, other in said if name == key)}


def _writable(key: str, value: Value) -> bool:
    return value is not None or key in NULLABLE_KEYS


@dataclass(frozen=True)
class _Job:
    """A job, and what it has to say beyond what the manifest says for it."""

    spec: JobSpec
    common: _Common

    @cached_property
    def kinds(self) -> list[tuple[str, str]]:
        """Each model with each mode that its combinations may have."""
        return list(
            dict.fromkeys(
                pair
                for grid in self.spec.grids
                for pair in product(*(_on(grid, key) or (self.spec.value(key),) for key in ("model", "mode")))
            )
        )

    def base(self, kind: tuple[str, str]) -> Layer:
        """The values below the matrix, as `JobSpec` has them."""
        model, mode = kind
        base: Layer = {**_program(model), **mode_defaults(mode)}
        for layer in (self.spec.defaults, self.spec.own):
            base = merged(base, {key: value for key, value in layer.items() if key in base})
        return with_turbo(base)

    @cached_property
    def unsaid(self) -> dict[str, list[Value]]:
        """Keys on which the lock file's `defaults` and the job as written are not enough, and what they have to be."""
        found: dict[str, list[Value]] = {}
        for kind in self.kinds:
            base = self.base(kind)
            below = {key: self.common.layer[key] for key in base if key in self.common.layer}
            locked = with_turbo(merged(below, {key: value for key, value in self.spec.own.items() if key in base}))
            for key, value in base.items():
                if _writable(key, value) and (key not in locked or locked[key] != value) and not self._is_varied(key):
                    found.setdefault(key, []).append(value)
        return found

    @cached_property
    def differing(self) -> frozenset[str]:
        """Those of them that one value on the job cannot say."""
        bases = [self.base(kind) for kind in self.kinds]
        # A key on the job would also take away the axis that the manifest's `defaults` give it.
        impossible = self._set_by_video | {axis.key for axis in self.spec.grids[0].axes if axis.inherited}
        if any("speed" in grid.keys for grid in self.spec.grids):
            impossible |= set(TURBO_KEYS)  # one of its values may say them
        return frozenset(
            key
            for key in self.unsaid
            if key in impossible or any(base[key] != self.unsaid[key][0] for base in bases if key in base)
        )

    @cached_property
    def added(self) -> dict[str, Value]:
        """Those of them that are written on the job."""
        return {key: values[0] for key, values in self.unsaid.items() if key not in self.differing}

    @property
    def left_open(self) -> frozenset[str]:
        """Those of them that stay with the models: where a video says them, or there are too many to write each."""
        return self.differing & self._set_by_video if self.is_small else self.differing

    @cached_property
    def draws(self) -> bool:
        """Whether a seed of it is drawn."""
        below = () if self._is_varied("seed") else (self.base(self.kinds[0])["seed"],)
        return RANDOM in (*below, *(value for grid in self.spec.grids for value in _on(grid, "seed")))

    @cached_property
    def size(self) -> int:
        """How many combinations would be written one by one."""
        return self.spec.size if self.draws else sum(_without_prompt(grid).count() for grid in self.spec.grids)

    @property
    def is_written_out(self) -> bool:
        """Whether each combination is written."""
        decided = self.differing if False in self._sized else self.differing - self._set_by_video
        return bool(decided or self.draws) and self.is_small

    @property
    def is_small(self) -> bool:
        """Whether its combinations can be written one by one."""
        return self.size <= (MAX_DRAWN if self.draws else MAX_ROWS)

    def is_sized(self, mode: str, combination: Layer) -> bool:
        """Whether a video sets the size of a combination."""
        key = MODES[mode].sized_by
        return key is not None and combination.get(key, self.spec.value(key)) is not None

    @cached_property
    def _sized(self) -> set[bool]:
        found = set()
        for grid in self.spec.grids:
            for mode in _on(grid, "mode") or (self.spec.value("mode"),):
                key = MODES[mode].sized_by
                found |= {self.is_sized(mode, {key: value}) for value in _on(grid, key)} if key else {False}
                if key and not _on(grid, key):
                    found.add(self.is_sized(mode, {}))
        return found

    @property
    def _set_by_video(self) -> frozenset[str]:
        """Keys that a video sets in some combination; writing them on the job would take that from it."""
        return frozenset(VIDEO_SIZED) - self.spec.own.keys() if True in self._sized else frozenset()

    def _is_varied(self, key: str) -> bool:
        """Whether every combination says `key` itself, and the value below does not matter."""
        values = [value for grid in self.spec.grids for value in _on(grid, key)]
        everywhere = all(key in grid.keys for grid in self.spec.grids)
        return everywhere and not any(isinstance(value, Mapping) for value in values)


@dataclass(frozen=True)
class _Writer:
    """Puts jobs into plain data."""

    tables: Tables
    common: _Common
    axes: Sequence[Axis]
    drawn: Drawn

    def defaults(self) -> dict[str, PlainData]:
        """What is below all jobs, with the axes that the manifest's `defaults` have."""
        matrix = {axis.key: self.tables.axis(axis.key, axis.values) for axis in self.axes}
        return {**self._layer(self.common.layer), **({"matrix": matrix} if matrix else {})}

    def job(self, spec: JobSpec) -> dict[str, PlainData]:
        """A job with all that it has to say."""
        job = _Job(spec, self.common)
        head: dict[str, PlainData] = {"name": spec.name, **self._layer({**spec.own, **job.added})}
        if not job.is_written_out:
            return {**head, **self._matrix(spec)}
        rows = list(self._rows(job))
        if spec.size == 1:
            return {**head, **rows[0]}
        # A key on the job keeps the axis of `defaults` from adding a product to the rows, which all say it themselves.
        instead = {axis.key: rows[0][axis.key] for axis in self.axes if axis.key in rows[0]}
        return {**head, **instead, "matrix": {"include": rows}}

    def _layer(self, layer: Layer) -> dict[str, PlainData]:
        return {key: self.tables.value(key, value) for key, value in layer.items()}

    def _matrix(self, spec: JobSpec) -> dict[str, PlainData]:
        first, *rest = spec.grids
        matrix = {axis.key: self.tables.axis(axis.key, axis.values) for axis in first.axes if not axis.inherited}
        plain = self._plain_prompt(first, bool(rest))
        if plain:
            matrix.pop("prompt", None)
        if first.exclusions:
            matrix["exclude"] = [self._exclusion(first, item) for item in first.exclusions]
        if rest:
            matrix["include"] = [self._row(next(_without_prompt(row).combinations()), row) for row in rest]
        return {**plain, **({"matrix": matrix} if matrix else {})}

    def _plain_prompt(self, grid: Grid, has_rows: bool) -> dict[str, PlainData]:
        """The prompt on the job itself, where that means the same as its axis."""
        last = grid.axes[-1]
        references = self.tables.prompt_references(last.values) if last.key == "prompt" else []
        alone = len(references) == 1 and not (has_rows and len(grid.axes) == 1)
        return {"prompt": references[0]} if alone else {}

    def _exclusion(self, grid: Grid, item: Exclusion) -> dict[str, PlainData]:
        written: dict[str, PlainData] = {}
        for axis in grid.axes:
            if axis.key in item:
                values = [axis.values[place] for place in sorted(item[axis.key])]
                found = self.tables.axis(axis.key, values)
                written[axis.key] = found[0] if axis.key == "loras" else found
        return written

    def _row(self, combination: Layer, row: Grid) -> dict[str, PlainData]:
        """A combination of an `include`, which has one prompt or one file of them."""
        prompts = next((self.tables.prompt_references(axis.values) for axis in row.axes if axis.key == "prompt"), [])
        return {**self._layer(combination), **({"prompt": prompts[0]} if prompts else {})}

    def _rows(self, job: _Job) -> Iterator[dict[str, PlainData]]:
        """Every combination, with all that its model decides and the seed that was drawn for it."""
        seeds = iter(self.drawn.get(job.spec.name, ()))
        for grid in job.spec.grids:
            prompts = [axis.values for axis in grid.axes if axis.key == "prompt"]
            together = not job.draws and _prompts_are_last(grid)
            for combination in (_without_prompt(grid) if together else grid).combinations():
                said = self._layer(self._said(job, combination, seeds))
                ahead = prompts[0] if together else [combination["prompt"]]
                yield from ({**said, "prompt": reference} for reference in self.tables.prompt_references(ahead))

    def _said(self, job: _Job, combination: Layer, seeds: Iterator[int]) -> dict[str, Value]:
        """The values of one combination."""
        model = combination.get("model") or job.spec.value("model")
        mode = combination.get("mode") or job.spec.value("mode")
        base = {**job.base((model, mode)), "model": model, "mode": mode}
        whole = with_turbo(merged(base, {key: value for key, value in combination.items() if key in base}))
        if whole["seed"] == RANDOM:
            whole["seed"] = next(seeds)
        sized = VIDEO_SIZED if job.is_sized(mode, combination) else ()
        extra = {*(key for key in job.differing if key not in sized), *(axis.key for axis in self.axes)}
        keys = {**combination, **dict.fromkeys(sorted(extra)), **({"seed": None} if job.draws else {})}
        return {key: whole.get(key, combination.get(key)) for key in keys if key != "prompt"}


def _on(grid: Grid, key: str | None) -> tuple[Value, ...]:
    """The values that `key` takes in a grid; none if it has no axis there."""
    return next((axis.values for axis in grid.axes if axis.key == key), ())


def _prompts_are_last(grid: Grid) -> bool:
    return grid.axes[-1].key == "prompt" and not any("prompt" in item for item in grid.exclusions)


def _without_prompt(grid: Grid) -> Grid:
    """The grid over all that is not the prompt, if each prompt comes with every such combination, last."""
    return Grid(grid.axes[:-1], grid.exclusions) if _prompts_are_last(grid) else grid


def _common_axes(jobs: Sequence[JobSpec]) -> list[Axis]:
    """The axes of the manifest's `defaults` in their order, as far as a job shows them.

    A prompt at the end may as well be the job's own. An own axis that comes before one of the defaults' stands in for
    one of theirs, whose place it has taken.
    """
    seen: dict[str, Axis] = {}
    after: TopologicalSorter[str] = TopologicalSorter()
    for spec in jobs:
        axes = spec.grids[0].axes
        ends = [place for place, axis in enumerate(axes) if axis.inherited and axis is not axes[-1]]
        if axes and axes[-1].inherited and axes[-1].key != "prompt":
            ends.append(len(axes) - 1)
        shared = axes[: ends[-1] + 1] if ends else ()
        for place, axis in enumerate(shared):
            after.add(axis.key, *(before.key for before in shared[:place]))
            if axis.key not in seen or axis.inherited:
                seen[axis.key] = axis
    try:
        return [seen[key] for key in after.static_order()]
    except CycleError:  # no manifest orders axes in two ways
        raise AssertionError("jobs disagree on the order of the axes of `defaults`") from None

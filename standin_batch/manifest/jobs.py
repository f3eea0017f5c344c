"""`defaults` and `jobs` as written -> jobs with all their layers: what is below what, and over which combinations.

Single values are read in `values`, matrices in `axes`; what does not go together is found in `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from standin_batch.manifest.axes import NO_MATRIX, UNSHARED, Excluded, Matrices, Matrix
from standin_batch.manifest.job_keys import JOB_KEYS, UNMATRIXED_KEYS
from standin_batch.manifest.manifest import JobSpec
from standin_batch.manifest.matrix import MAX_COMBINATIONS, Axis, Exclusion, Grid, Value
from standin_batch.manifest.overrides import job_name
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.source import Mark, Node
from standin_batch.manifest.values import Values, Written
from standin_batch.manifest.words import clip, show

ALLOWED_IN_JOBS = (*JOB_KEYS, "matrix")
ALLOWED_IN_DEFAULTS = tuple(key for key in ALLOWED_IN_JOBS if key not in UNMATRIXED_KEYS)


@dataclass(frozen=True)
class Draft:
    """A job on its way to a JobSpec.

    Attributes:
        name: of the job.
        mark: where it is.
        defaults: what is below it.
        own: its own keys.
        matrix: its matrix, with what the defaults' adds.
        rows: the axes of the product, then of each combination added, and the keys of each that were refused.
    """

    name: str
    mark: Mark
    defaults: Written
    own: Written
    matrix: Matrix
    rows: tuple[tuple[Grid, frozenset[str]], ...] = ()

    def spec(self) -> JobSpec:
        """The job itself."""
        grids = tuple(grid for grid, _ in self.rows)
        return JobSpec(self.name, self.mark, _layer(self.defaults), _layer(self.own), grids)

    def written(self, key: str) -> Written:
        """The place that writes `key`, the job's own first."""
        return self.own if key in self.own else self.defaults


class Jobs:
    """Reads jobs on top of defaults."""

    def __init__(self, values: Values, problems: Problems) -> None:
        self._values = values
        self._matrices = Matrices(values, problems)
        self._problems = problems
        self._names: dict[str, Mark] = {}
        self._total = 0

    def read(self, jobs: Node | None, defaults: Node | None, model: Written) -> list[Draft]:
        """Every job of the list."""
        below, matrix = model, NO_MATRIX
        if defaults is not None:
            below = model.under(self._values.read(defaults, "`defaults`", ALLOWED_IN_DEFAULTS, UNSHARED))
            matrix = self._matrix(defaults)
        items = jobs.items if jobs is not None else ()
        return [draft for i, job in enumerate(items) if (draft := self._job(job, i, below, matrix))]

    def _job(self, node: Node, place: int, defaults: Written, matrix: Matrix) -> Draft | None:
        if not node.is_map:
            hint = "such as `- {mode: t2v, prompt: …}`"
            self._problems.add(node.mark.problem(f"a job must be a mapping, not {show(node.data())}", hint))
            return None
        name = job_name(node, place)
        own = self._values.read(node, f"job `{clip(name)}`", ALLOWED_IN_JOBS)
        self._check_name(name, own.marks.get("name", node.mark))
        draft = Draft(name, node.mark, defaults, own, matrix.under(self._matrix(node), own.marks.keys()))
        draft = replace(draft, rows=self._rows(draft))
        self._check_size(draft)
        return draft

    def _matrix(self, node: Node) -> Matrix:
        written = node.entries.get("matrix")
        return NO_MATRIX if written is None else self._matrices.read(written)

    def _check_name(self, name: str, mark: Mark) -> None:
        first = self._names.setdefault(name, mark)
        if first is not mark:
            wrong = f"two jobs are called `{clip(name)}`; the other one is at {first.seen_from(mark)}"
            self._problems.add(mark.problem(wrong, "job names are unique: rename one"))

    def _rows(self, draft: Draft) -> tuple[tuple[Grid, frozenset[str]], ...]:
        matrix = draft.matrix
        product = Grid(
            _with_prompt(draft, tuple(matrix.axes.values()), "prompt" in matrix.wrong),
            tuple(item for item in (self._exclusion(item, matrix) for item in matrix.exclude) if item),
        )
        rows = [] if matrix.include and not (matrix.axes or matrix.wrong) else [(product, matrix.wrong)]
        for row in matrix.include:
            axes = tuple(_single(key, value, row.marks[key]) for key, value in row.values.items())
            rows.append((Grid(_with_prompt(draft, axes, "prompt" in row.wrong)), row.wrong))
        return tuple(rows)

    def _exclusion(self, item: Excluded, matrix: Matrix) -> Exclusion | None:
        """Which places of each axis an item of `exclude` matches."""
        strangers = [key for key in item.values if key not in matrix.keys]
        for key in strangers:
            axes = ", ".join(f"`{axis}`" for axis in matrix.keys) or "nothing"
            wrong = f"`exclude` names `{key}`, which this matrix does not vary"
            self._problems.add(item.marks[key].problem(wrong, f"it varies {axes}"))
        known = {key: axis for key, axis in item.values.items() if axis is not None}
        if strangers or not known or len(known) < len(item.values) or matrix.wrong & known.keys():
            return None
        found = {key: matrix.axes[key].places(axis.values) for key, axis in known.items()}
        for key, places in found.items():
            if not places and matrix.axes[key].marks[0].source.numbered:
                wrong = f"`{key}` is never this in the matrix, so nothing is excluded"
                self._problems.add(known[key].marks[0].problem(wrong, severity="warning"))
        return found if all(found.values()) else None

    def _check_size(self, draft: Draft) -> None:
        size = sum(grid.size for grid, _ in draft.rows)
        before, self._total = self._total, self._total + size
        mark = draft.matrix.mark or draft.mark
        if size > MAX_COMBINATIONS:
            axes = [axis for axis in draft.rows[0][0].axes if len(axis.values) > 1]
            factors = " x ".join(f"{axis.key} {len(axis.values):,}" for axis in axes)
            wrong = f"job `{clip(draft.name)}` asks for {size:,} videos ({factors}); at most {MAX_COMBINATIONS:,}"
            self._problems.add(mark.problem(wrong, "split it over several manifests"))
        elif before <= MAX_COMBINATIONS < self._total:
            wrong = (
                f"up to job `{clip(draft.name)}` the jobs ask for {self._total:,} videos; at most {MAX_COMBINATIONS:,}"
            )
            self._problems.add(draft.mark.problem(wrong, "split it over several manifests"))
        elif size and not any(any(True for _ in grid.combinations()) for grid, _ in draft.rows):
            wrong = "every combination is excluded, so nothing would be made"
            self._problems.add(mark.problem(wrong, "relax `exclude`"))


def _with_prompt(draft: Draft, axes: tuple[Axis, ...], known_wrong: bool) -> tuple[Axis, ...]:
    """A prompt may be a file of many, so it is always an axis: the fastest, unless the matrix places it."""
    place = draft.written("prompt")
    if known_wrong or any(axis.key == "prompt" for axis in axes) or "prompt" not in place.values:
        return axes
    prompt = _single("prompt", place.values["prompt"], place.marks["prompt"])
    return (*axes, replace(prompt, inherited=place is draft.defaults))


def _single(key: str, value: Value, mark: Mark) -> Axis:
    values = value if key == "prompt" else (value,)
    return Axis(key, tuple(values), (mark,) * len(values))


def _layer(written: Written) -> dict[str, Value]:
    return {key: value for key, value in written.values.items() if key not in ("prompt", "name")}

"""Which keys go together: what a mode reads and needs, what a model can do, and what a condition can score.

Each rule looks at the few keys that it is about, over the combinations that these really take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from standin_batch.manifest.job_keys import COMMON_KEYS, SIZED_KEYS
from standin_batch.manifest.jobs import Draft
from standin_batch.manifest.manifest import ALL_EXPERTS, Condition, Identity, mode_defaults
from standin_batch.manifest.matrix import MAX_COMBINATIONS, Grid, Value
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.prompt_files import too_long
from standin_batch.manifest.source import Mark
from standin_batch.manifest.turbo import TURBO_KEYS, speed_clashes, turbo_of
from standin_batch.manifest.words import clip, either
from standin_batch.modes import MODES
from standin_batch.scores.table import DECIDING
from standin_batch.weights.registry import ROWS

Placed = tuple[Value, Mark]
"""A value and where it is written."""


@dataclass(frozen=True)
class Choice:
    """One combination of the keys that a rule asked for; a key that is written nowhere is absent."""

    found: Mapping[str, Placed]
    fallback: Mark

    def value(self, key: str) -> Value:
        """The value of `key`, None if it is not written."""
        return self.found[key][0] if key in self.found else None

    def mark(self, key: str) -> Mark:
        """Where `key` is written, or the job."""
        return self.found[key][1] if key in self.found else self.fallback


def check(draft: Draft, problems: Problems) -> None:
    """Tell what does not go together in a job."""
    for grid, wrong in draft.rows:
        refused = wrong | (draft.own.wrong - grid.keys) | (draft.defaults.wrong - draft.own.marks.keys() - grid.keys)
        for rule in _RULES:
            rule(draft, grid, refused, problems)
    _check_read(draft, problems)


def choices(draft: Draft, grid: Grid, *keys: str) -> Iterator[Choice]:
    """What `keys` are together, over the combinations of `grid`."""
    below: dict[str, Placed] = {}
    for key in keys:
        place = draft.written(key)
        if key in place.values:
            below[key] = (place.values[key], place.marks[key])
    if not any(axis.key in keys for axis in grid.axes):
        yield Choice(below, draft.mark)
        return
    for combination in islice(grid.project(keys).marked(), MAX_COMBINATIONS):
        yield Choice({**below, **combination}, draft.mark)


def _check_mode(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    if "mode" not in refused and "mode" not in grid.keys and draft.written("mode").values.get("mode") is None:
        hint = f"add {either([f'`mode: {mode}`' for mode in MODES])}"
        problems.add(draft.mark.problem(f"job `{clip(draft.name)}` has no `mode`", hint))


def _check_prompt(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    if "prompt" not in refused and "prompt" not in grid.keys:
        hint = "add `prompt:` with a text, or a name from `prompts`"
        problems.add(draft.mark.problem(f"job `{clip(draft.name)}` has no `prompt`", hint))


def _check_negative(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    """What is not wanted can be as long as what is."""
    if "negative_prompt" in refused:
        return
    for choice in choices(draft, grid, "negative_prompt"):
        if long := too_long(choice.value("negative_prompt") or ""):
            hint = "the model reads the first 512 tokens: shorten it"
            problems.add(choice.mark("negative_prompt").problem(f"a negative prompt of {long}", hint))


def _check_required(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    """What a mode cannot do without."""
    for key in sorted({key for mode in MODES.values() for key in mode.requires}):
        if refused & {"mode", key}:
            continue
        for choice in choices(draft, grid, "mode", key):
            mode = MODES.get(choice.value("mode"))
            if mode is not None and key in mode.requires and choice.value(key) is None:
                where = choice.mark(key) if key in choice.found else choice.mark("mode")
                problems.add(
                    where.problem(f"mode {mode.name} needs `{key}`", f"add `{key}:` to job `{clip(draft.name)}`")
                )


def _check_guidance(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    """Guidance per expert is for models that have several."""
    if refused & {"model", "cfg_scale"}:
        return
    for choice in choices(draft, grid, "model", "cfg_scale"):
        row = ROWS[choice.value("model")]
        if isinstance(choice.value("cfg_scale"), Mapping | tuple) and len(row.experts) == 1:
            wrong = f"`cfg_scale` names two experts, but model {row.name} has one"
            problems.add(choice.mark("cfg_scale").problem(wrong, "write one number"))


def _check_loras(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    """A LoRA with a file per expert is for models that have those experts."""
    if refused & {"model", "loras", "speed"}:
        return
    for choice in choices(draft, grid, "model", "loras", "speed"):
        row = ROWS[choice.value("model")]
        experts = {ALL_EXPERTS, *(expert.name for expert in row.experts)}
        turbo = turbo_of(_speed_of(draft, choice))
        for lora in (*(choice.value("loras") or ()), *(() if turbo is None else (turbo.lora,))):
            if unknown := sorted(lora.files.keys() - experts):
                files = " and ".join(unknown)
                wrong = f"LoRA `{lora.name}` has a file for {files}, but model {row.name} has one expert"
                where = "speed" if turbo is not None and lora is turbo.lora else "loras"
                problems.add(
                    choice.mark(where).problem(wrong, "it is a LoRA for Wan2.2; a LoRA for Wan2.1 has one `path`")
                )


def _check_speed(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    """What makes a video sooner has needs of its own."""
    said = any("speed" in keys for keys in (draft.defaults.values, draft.own.values, grid.keys))
    if not said or refused & {"model", "dtype", "speed"}:
        return
    own_keys = [key for key in TURBO_KEYS if key in draft.own or key in grid.explicit]
    steps = () if "num_inference_steps" in refused else ("num_inference_steps",)
    for choice in choices(draft, grid, "model", "dtype", "speed", *dict.fromkeys((*steps, *own_keys))):
        dtype = choice.value("dtype") or ROWS[choice.value("model")].defaults["dtype"]
        own = {key: choice.value(key) for key in own_keys if key in choice.found}
        speed, below = _speed_of(draft, choice), _said_below(draft, choice)
        for clash in speed_clashes(speed, below, dtype, choice.value("num_inference_steps"), own):
            problems.add(choice.mark(clash.key).problem(clash.message, clash.hint, clash.severity))


def _speed_of(draft: Draft, choice: Choice) -> Mapping[str, Value]:
    """What is said of `speed`, all layers together, as `merged` lays them over each other."""
    found: dict[str, Value] = {}
    layers = [layer.values.get("speed", {}) for layer in (draft.defaults, draft.own)]
    for layer in (*layers, choice.found["speed"][0] if "speed" in choice.found else {}):
        found = {} if layer is None else {**found, **layer}
    return found


def _said_below(draft: Draft, choice: Choice) -> set[str]:
    """Options of `speed` that `defaults` say, and neither the job nor its matrix does."""
    above = [draft.own.values.get("speed") or {}]
    if "speed" in choice.found and choice.mark("speed") != draft.defaults.marks.get("speed"):
        above.append(choice.value("speed") or {})
    return {key for key in draft.defaults.values.get("speed") or {} if not any(key in layer for layer in above)}


def _check_score(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    """A face cannot be compared where there is none: no mistake, but worth knowing."""
    if refused & {"accept", "identity"}:
        return
    for choice in choices(draft, grid, "accept", "identity"):
        accept = choice.value("accept") or {}
        if accept and not _asks(accept):
            wrong = "`accept` asks for nothing: it has no condition, and makes one clip"
            problems.add(choice.mark("accept").problem(wrong, 'add one, such as `sharpness: ">= 100"`', "warning"))
        asked = _face_score(accept)
        if asked is None:
            continue
        identity = choice.value("identity")
        if not isinstance(identity, Identity) or identity.kind != "face":
            who = (
                f"`{identity.name}` is no face"
                if isinstance(identity, Identity)
                else "a clip without identity has no face to compare"
            )
            wrong = f"{who}, so `{asked}` does not apply to it"
            problems.add(choice.mark("accept").problem(wrong, "its clips are accepted as they are", "warning"))


def _asks(accept: Mapping[str, Value]) -> bool:
    return accept.get("best_of", 1) > 1 or any(isinstance(value, Condition) for value in accept.values())


def _face_score(accept: Mapping[str, Value]) -> str | None:
    """The first score of a face that `accept` asks for, or compares several clips by."""
    conditions = [value for value in accept.values() if isinstance(value, Condition)]
    if not conditions:
        return "face_similarity" if accept.get("best_of", 1) > 1 else None
    return next((each.score for each in conditions if DECIDING[each.score].of_face), None)


def _check_modules(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    """A mode with weights of its own is for the models that have them."""
    if refused & {"mode", "model"}:
        return
    for choice in choices(draft, grid, "mode", "model"):
        mode, row = MODES.get(choice.value("mode")), ROWS[choice.value("model")]
        if mode is not None and (missing := [name for name in mode.modules if name not in row.modules]):
            able = [name for name, other in ROWS.items() if all(module in other.modules for module in mode.modules)]
            wrong = f"mode {mode.name} needs {' and '.join(missing)} weights, which model {row.name} does not have"
            problems.add(choice.mark("mode").problem(wrong, f"models that have them: {', '.join(able)}"))


def _check_objections(draft: Draft, grid: Grid, refused: frozenset[str], problems: Problems) -> None:
    """What a mode itself has to say about its keys; a key that is not written has its default."""
    for mode in MODES.values():
        for objection in mode.objections:
            if refused & {"mode", *objection.keys}:
                continue
            unsaid = mode_defaults(mode.name)
            for choice in choices(draft, grid, "mode", *objection.keys):
                if choice.value("mode") != mode.name:
                    continue
                values = (choice.value(key) if key in choice.found else unsaid.get(key) for key in objection.keys)
                if wrong := objection.why(*values):
                    where = next((key for key in objection.keys if key in choice.found), "mode")
                    problems.add(choice.mark(where).problem(wrong, objection.cure, objection.severity))


_RULES = (
    *(_check_mode, _check_prompt, _check_negative, _check_required, _check_guidance, _check_loras, _check_speed),
    *(_check_score, _check_modules, _check_objections),
)


def _check_read(draft: Draft, problems: Problems) -> None:
    """Keys that no mode of the job reads. In `defaults` they are for other jobs, so only the job's own count."""
    modes = _modes(draft)
    if not modes:
        return
    places = {**draft.own.keys, **draft.matrix.keys}
    rows = [places, *(row.keys for row in draft.matrix.include)]
    for keys in rows:
        for key, mark in keys.items():
            readers = [name for name in MODES if _reads(name, key)]
            if key != "matrix" and not modes & set(readers):
                own = " and ".join(sorted(modes))
                wrong = f"`{key}` is read by mode {' and '.join(readers)} only; this job's mode is {own}"
                problems.add(mark.problem(wrong, f"remove `{key}`, or move it to `defaults`"))


def _modes(draft: Draft) -> set[str]:
    """The modes that the job may have; none if one of them is not known."""
    if "mode" in draft.own.wrong | draft.matrix.wrong or any("mode" in row.wrong for row in draft.matrix.include):
        return set()
    found = {draft.written("mode").values.get("mode")} if "mode" not in draft.matrix.axes else set()
    if "mode" in draft.matrix.axes:
        found = set(draft.matrix.axes["mode"].values)
    found |= {row.values["mode"] for row in draft.matrix.include if "mode" in row.values}
    return {mode for mode in found if mode in MODES}


def _reads(mode: str, key: str) -> bool:
    if key in SIZED_KEYS:
        return MODES[mode].sized_by is not None
    return key in COMMON_KEYS or key in MODES[mode].params.model_fields

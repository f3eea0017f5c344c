"""The value of each job key where it is written: resolved once per place, not once per video.

A mapping of job keys is `defaults`, a job, or an item of a matrix's `include` and `exclude`: all are read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from standin_batch.manifest.checking import INVALID, NO_HINTS, Checked, check_entries, key_of, known_entries
from standin_batch.manifest.job_keys import JOB_KEYS, JobKeys
from standin_batch.manifest.kinds import CONDITION
from standin_batch.manifest.manifest import Condition
from standin_batch.manifest.matrix import Value
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.references import References
from standin_batch.manifest.sections import Accept, CfgScale
from standin_batch.manifest.source import Mark, Node
from standin_batch.manifest.speed_keys import NULLABLE_SPEED, SpeedSection
from standin_batch.manifest.words import show
from standin_batch.modes import MODES
from standin_batch.scores.table import DECIDING

VIDEO_KEYS = frozenset(key for mode in MODES.values() for key in mode.video_keys)
IMAGE_KEYS = frozenset(key for mode in MODES.values() for key in mode.image_keys)


@dataclass(frozen=True)
class Written:
    """The keys that one place of the manifest writes.

    Attributes:
        values: what is right, resolved.
        marks: where each key's value is, also a wrong one's.
        keys: where each key is.
        wrong: keys whose value was refused.
    """

    values: Mapping[str, Value]
    marks: Mapping[str, Mark]
    keys: Mapping[str, Mark]
    wrong: frozenset[str] = frozenset()

    def __contains__(self, key: str) -> bool:
        return key in self.marks

    def under(self, above: Written) -> Written:
        """This with `above` laid over it."""
        return Written(
            {**self.values, **above.values},
            {**self.marks, **above.marks},
            {**self.keys, **above.keys},
            (self.wrong - above.marks.keys()) | above.wrong,
        )


NOTHING = Written({}, {}, {})


RANGE = re.compile(r"(-?\d{1,19})\.\.(-?\d{1,19})\Z")
"""Two numbers, both included; a matrix takes it for the numbers between."""


class Values:
    """Reads job keys."""

    def __init__(self, references: References, problems: Problems) -> None:
        self._references = references
        self._problems = problems

    def read(
        self, node: Node, what: str, allowed: Iterable[str] = JOB_KEYS, hints: Mapping[str, str] = NO_HINTS
    ) -> Written:
        """The keys of a mapping of job keys, each checked by itself."""
        if not node.is_map:
            self._problems.add(
                node.mark.problem(f"{what} must be a mapping, not {show(node.data())}", "such as `{seed: 3}`")
            )
            return NOTHING
        entries = known_entries(node, dict.fromkeys(allowed), self._problems, what, hints)
        found = {key: self.value(key, child) for key, child in entries.items() if key != "matrix"}
        return Written(
            {key: value for key, value in found.items() if value is not INVALID},
            {key: child.mark for key, child in entries.items()},
            {key: node.key_mark(key) for key in entries},
            frozenset(key for key, value in found.items() if value is INVALID),
        )

    def value(self, key: str, node: Node) -> Checked:
        """What `node` means as the value of `key`; INVALID after a problem."""
        if key == "identity":
            return self._references.identity(node)
        if key == "prompt":
            return self._references.prompt(node)
        if key == "loras":
            return self._references.loras_of(node)
        if key in VIDEO_KEYS:
            return self._references.video(node, key)
        if key in IMAGE_KEYS:
            return self._references.image(node, key)
        if key == "accept":
            return self._accept(node)
        if key == "speed":
            return self._speed(node)
        if key == "cfg_scale" and node.is_map:
            return self._whole(CfgScale, node, "`cfg_scale`")
        return key_of(JobKeys, key).check(node, self._problems, _advice(node))

    def _accept(self, node: Node) -> Checked:
        if node.value is None:
            return None
        entry = self._whole(Accept, node, "`accept`")
        if entry is INVALID:
            return INVALID
        read = {
            key: _condition(key, value) if isinstance(value, str) and key in DECIDING else value
            for key, value in entry.items()
        }
        conditions = [value for value in read.values() if isinstance(value, Condition)]
        wrong = [(each.score, told) for each in conditions if (told := _beyond(each))]
        for key, told in wrong:
            self._problems.add(node.entries[key].mark.problem(*told))
        return INVALID if wrong else read

    def _speed(self, node: Node) -> Checked:
        if node.value is None:
            return None
        if not node.is_map:
            return self._whole(SpeedSection, node, "`speed`")
        before = self._problems.count
        entries = known_entries(node, SpeedSection.model_fields, self._problems, "`speed`")
        found = {key: self._speed_key(key, child) for key, child in entries.items()}
        # A turbo can be wrong without a problem of its own: an entry of `loras` is told where it is.
        is_wrong = self._problems.count > before or any(value is INVALID for value in found.values())
        return INVALID if is_wrong else found

    def _speed_key(self, key: str, node: Node) -> Checked:
        if key in NULLABLE_SPEED and node.value is False:
            self._problems.add(node.mark.problem(f"`{key}` is not taken back by false", f"write `{key}: null`"))
            return INVALID
        if key == "turbo":
            return self._references.turbo(node)
        if key in NULLABLE_SPEED and node.value is None:
            return None
        return key_of(SpeedSection, key).check(node, self._problems)

    def _whole(self, model: type[BaseModel], node: Node, what: str) -> Checked:
        before = self._problems.count
        entry = check_entries(model, node, self._problems, what)
        return entry if self._problems.count == before else INVALID


def _advice(node: Node) -> str:
    if node.is_list:
        return "several values go below `matrix:`"
    return "a range goes below `matrix:`" if isinstance(node.value, str) and RANGE.match(node.value) else ""


def _beyond(condition: Condition) -> tuple[str, str] | None:
    """What is wrong with a threshold that no clip, or each, would meet."""
    score = DECIDING[condition.score]
    low, high = score.lowest, score.highest
    if condition.threshold >= low and (high is None or condition.threshold <= high):
        return None
    limits = f"at least {low:g}" if high is None else f"from {low:g} to {high:g}"
    return f"`{score.name}` is never {condition.threshold:g}", f"it is {limits}"


def _condition(score: str, text: str) -> Condition:
    match = CONDITION.match(text)
    assert match is not None
    return Condition(score, match[1], float(match[2]))  # type: ignore[arg-type]

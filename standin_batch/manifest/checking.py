"""One key at a time against its declaration in `schema`, with mistakes put in plain words.

Here a value is right or wrong by itself; whether names exist and keys go together is looked at later.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, reduce
from operator import getitem, or_
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from standin_batch.manifest.kinds import Annotation
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.source import Node
from standin_batch.manifest.words import FORMATS, MAX_LISTED, choices_of, clip, did_you_mean, in_words, show


class _Invalid:
    """The value of a key that was refused; the reason is among the problems."""

    def __repr__(self) -> str:
        return "INVALID"


Checked: TypeAlias = Any
"""A value of the type that its key declares, or INVALID."""

INVALID: Checked = _Invalid()


@dataclass(frozen=True, eq=False)
class Key:
    """A key as declared: what checks its value, and what it takes in words."""

    name: str
    adapter: TypeAdapter[Any]
    takes: str
    choices: tuple[str, ...]

    def check(self, node: Node, problems: Problems, advice: str = "") -> Checked:
        """The value of `node`, or INVALID after a located problem; `advice` is the hint where there is no better."""
        value = node.data()
        try:
            checked = self.adapter.validate_python(value, strict=True)
        except ValidationError as error:
            message, hint = self._explain(error, value, node.mark.source.assigns)
            problems.add(node.mark.problem(message, hint or advice))
            return INVALID
        if isinstance(checked, float) and not math.isfinite(checked):
            problems.add(node.mark.problem(f"`{self.name}` must be {self.takes}, not {checked}"))
            return INVALID
        return checked

    def _explain(self, error: ValidationError, value: object, assigns: str) -> tuple[str, str]:
        for detail in error.errors(include_url=False):
            if detail["type"] == "manifest":
                message: str = detail["ctx"]["message"]
                return f"`{self.name}` {message}" if message.startswith("is ") else message, detail["ctx"]["hint"]
        return f"`{self.name}` must be {self.takes}, not {show(value)}", self._hint(value, assigns)

    def _hint(self, value: object, assigns: str) -> str:
        if value is None:
            return f"give it a value, or remove `{self.name}`"
        if self.takes == FORMATS["condition"] and isinstance(value, int | float):
            return f'write ">= {value}"'
        if isinstance(value, int | float) and not isinstance(value, bool) and value < 0 and self._takes(-value):
            return f"did you mean {-value}?"
        if isinstance(value, float) and value.is_integer() and self._takes(int(value)):
            return f"write {int(value)}"
        if not isinstance(value, str):
            return "put it in quotes" if self.takes == "a text" and isinstance(value, bool | int | float) else ""
        if self.choices and (near := get_close_matches(value[:80], self.choices, n=1)):
            return f"did you mean `{near[0]}`?"
        if "`true`" in self.takes and value.lower() in ("yes", "no", "on", "off"):
            return f"write `{'true' if value.lower() in ('yes', 'on') else 'false'}`"
        if value.lower() in ("true", "false") and self._takes(value.lower() == "true"):
            return f"without quotes: `{self.name}{assigns}{value.lower()}`"
        if self._takes(_number(value)):
            return f"without quotes: `{self.name}{assigns}{value.strip()}`"
        return ""

    def _takes(self, value: object) -> bool:
        try:
            self.adapter.validate_python(value, strict=True)
        except ValidationError:
            return False
        return value is not None


def _key_hint(name: str, known: Mapping[str, Any]) -> str:
    other = OTHER_NAMES.get(name, "")
    return f"did you mean `{other}`?" if other in known else did_you_mean(name, known, "its keys are")


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text[:30])
        except ValueError:
            continue
    return None


@cache
def key_of(model: type[BaseModel], name: str) -> Key:
    """The key `name` that `model` declares. Made on first use: most manifests use few keys."""
    return make_key(name, model.model_fields[name])


def make_key(name: str, field: FieldInfo) -> Key:
    """The key that `field` declares; `None` as its default is absence, not a value that can be written."""
    adapter: TypeAdapter[Any] = TypeAdapter(_limited(without_none(field.annotation), field))
    schema = adapter.json_schema()
    return Key(name, adapter, in_words(schema), tuple(choices_of(schema)))


def _limited(annotation: Annotation, field: FieldInfo) -> Annotation:
    return getitem(Annotated, (annotation, *field.metadata)) if field.metadata else annotation


def without_none(annotation: Annotation) -> Annotation:
    """`int` for `int | None`."""
    arguments = getattr(annotation, "__args__", ())
    if type(None) not in arguments:
        return annotation
    return reduce(or_, (argument for argument in arguments if argument is not type(None)))


def check_entries(model: type[BaseModel], node: Node, problems: Problems, what: str) -> dict[str, Any]:
    """The right values of a mapping with the keys of `model`; problems for wrong, unknown and missing ones."""
    if not node.is_map:
        hint = f"its keys are {', '.join(f'`{name}`' for name in list(model.model_fields)[:MAX_LISTED])}"
        problems.add(node.mark.problem(f"{what} must be a mapping, not {show(node.value)}", hint))
        return {}
    known = known_entries(node, model.model_fields, problems, what)
    for name, field in model.model_fields.items():
        if field.is_required() and name not in node.entries:
            problems.add(
                node.mark.problem(f"{what} has no `{name}`", f"for example `{name}: {(field.examples or ['…'])[0]}`")
            )
    checked = {name: key_of(model, name).check(child, problems) for name, child in known.items()}
    return {name: value for name, value in checked.items() if value is not INVALID}


NO_HINTS: Mapping[str, str] = MappingProxyType({})

OTHER_NAMES = {
    "steps": "num_inference_steps",
    "frames": "num_frames",
    "length": "num_frames",
    "cfg": "cfg_scale",
    "guidance_scale": "cfg_scale",
    "shift": "sigma_shift",
    "flow_shift": "sigma_shift",
    "negative": "negative_prompt",
    "lora": "loras",
    "subject": "identity",
    "face": "identity",
    "control_video": "reference_video",
    "strength": "denoising_strength",
    "gpus": "gpus_per_worker",
    "cpus": "cpus_per_worker",
    "cpus_per_task": "cpus_per_worker",
    "nodes": "workers",
}
"""What other programs call the same: too far for a likeness of letters."""


def known_entries(
    node: Node, known: Mapping[str, Any], problems: Problems, what: str, hints: Mapping[str, str] = NO_HINTS
) -> dict[str, Node]:
    """The entries of `node` that there are; a problem for each that there is not, with its own hint if there is one."""
    for name in node.entries:
        if name not in known:
            hint = "" if problems.full else hints.get(name) or _key_hint(name, known)
            problems.add(node.key_mark(name).problem(f"{what} has no key `{clip(name)}`", hint))
    return {name: child for name, child in node.entries.items() if name in known}

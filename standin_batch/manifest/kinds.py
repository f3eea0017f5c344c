"""Kinds of values: names, sizes, frame counts, conditions, each with its limits and the words for its mistakes.

Which key takes which kind is said in `schema`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from standin_batch.durations import PATTERN, seconds_of
from standin_batch.face.checks import Cause
from standin_batch.manifest.words import clip, did_you_mean
from standin_batch.modes import MODES
from standin_batch.weights.registry import ROWS

Annotation: TypeAlias = Any
"""A type as pydantic takes it, made while running: there is no type for these."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
"""What the names of jobs, identities, prompts and the rest are made of."""

NAME_RULE = "names are made of letters, digits, `_`, `-` and `.`, and begin with a letter, a digit or `_`"
MAX_NAME = 100
MAX_SIDE = 8192
MAX_FRAMES = 100_001
SIZE_STEP = 16
DEFAULT_MODEL = "tiny"


def refuse(message: str, hint: str = "") -> PydanticCustomError:
    """An error whose words are shown as they are."""
    return PydanticCustomError("manifest", "{message}", {"message": message, "hint": hint})


def _known(what: str, table: Iterable[str], value: str) -> str:
    if value not in table:
        raise refuse(f"there is no {what} `{clip(value)}`", did_you_mean(value, table, f"{what}s are"))
    return value


def _name(value: str) -> str:
    if not NAME.match(value):
        raise refuse(f"is no name: '{clip(value)}'", NAME_RULE)
    if len(value) > MAX_NAME:
        raise refuse(f"is longer than {MAX_NAME} characters")
    return value


def _side(value: int) -> int:
    if value % SIZE_STEP:
        below = value // SIZE_STEP * SIZE_STEP
        raise refuse(
            f"is {value}, which is not a multiple of {SIZE_STEP}", f"the nearest are {below} and {below + SIZE_STEP}"
        )
    return value


def _frames(value: int) -> int:
    if value % 4 != 1:
        below = (value - 1) // 4 * 4 + 1
        near = f"the nearest are {below} and {below + 4}" if below > 0 else "the nearest is 1"
        raise refuse(f"is {value}, which is not 4n+1", near)
    return value


CONDITION = re.compile(r"^\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*\Z")


def _condition(value: str) -> str:
    if len(value) > MAX_NAME or not CONDITION.match(value):
        raise refuse(f"is no condition: '{clip(value, 40)}'", 'a comparison and a number in quotes, such as ">= 0.55"')
    return value


def _duration(value: str) -> str:
    if not seconds_of(value):
        raise refuse(f"is no length of time: '{clip(value, 40)}'", "a number and a unit, such as `30s`, `5min` or `1h`")
    return value


def _text(form: str, **limits: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": form, **limits})


Name = Annotated[str, AfterValidator(_name), _text("name", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Path = Annotated[str, Field(min_length=1), _text("path", minLength=1)]
Side = Annotated[
    int,
    Field(ge=SIZE_STEP, le=MAX_SIDE),
    AfterValidator(_side),
    WithJsonSchema({"type": "integer", "minimum": SIZE_STEP, "maximum": MAX_SIDE, "multipleOf": SIZE_STEP}),
]
Frames = Annotated[int, Field(ge=1, le=MAX_FRAMES), AfterValidator(_frames)]
Guidance = Annotated[float, Field(ge=0, le=100)]
Strength = Annotated[float, Field(ge=-10, le=10)]
Condition = Annotated[str, AfterValidator(_condition), _text("condition", pattern=CONDITION.pattern[:-2] + "$")]
Duration = Annotated[str, AfterValidator(_duration), _text("duration", pattern=PATTERN)]
ModelName = Annotated[str, AfterValidator(partial(_known, "model", ROWS)), WithJsonSchema({"enum": list(ROWS)})]
CAUSES = tuple(cause.value for cause in Cause)
CauseName = Annotated[str, AfterValidator(partial(_known, "cause", CAUSES)), WithJsonSchema({"enum": list(CAUSES)})]
ModeName = Annotated[str, AfterValidator(partial(_known, "mode", MODES)), WithJsonSchema({"enum": list(MODES)})]

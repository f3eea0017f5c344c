"""The keys of a job: those of every mode, and each mode's own from the table of modes.

A new mode is a file and a line in `standin_batch.modes`; its keys come here by themselves. All are optional, for the
same keys stand in `defaults`, in jobs and in matrices; which of them go together is `rules`' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import getitem, or_
from types import GenericAlias
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from standin_batch.manifest.kinds import (
    MAX_SIDE,
    Annotation,
    Frames,
    Guidance,
    ModelName,
    ModeName,
    Name,
    Path,
    Side,
    Strength,
)
from standin_batch.manifest.sections import Accept, CfgScale, IdentityEntry, LoraEntry, PromptEntry, Section, VideoEntry
from standin_batch.manifest.speed_keys import SpeedSection
from standin_batch.manifest.words import either
from standin_batch.modes import MODES, Mode


class CommonKeys(Section):
    """The keys of a job that every mode reads. Each may stand in `defaults`, in a job and in its matrix."""

    name: Name | None = Field(default=None, examples=["portraits"])
    """What the job is called in file names, records and `--only`; `job-1`, `job-2`, … by position unless said."""
    mode: ModeName | None = Field(default=None, examples=["t2v"])
    """The way of making the video. A job has to have one, from itself, its matrix or `defaults`."""
    model: ModelName | None = Field(default=None, examples=["wan2.1-t2v-14b"])
    """The base model, where it is another than the manifest's."""
    identity: str | IdentityEntry | None = Field(default=None, examples=["lecun", {"image": "faces/lecun.jpg"}])
    """Who or what to keep: an entry of `identities`, an image, or an entry written in place; `null` for nobody."""
    prompt: str | PromptEntry | None = Field(
        default=None, examples=["desk", "A man sits at a desk.", {"text": "hello"}]
    )
    """What happens: an entry of `prompts`, or the text itself. A text of only letters, digits, `_`, `-` and `.` is a
    name; `{text: hello}` says that it is a text. An entry with a file stands for each prompt in it. A job has to have
    one."""
    negative_prompt: str | None = Field(default=None, examples=["blurry, low quality"])
    """What should not be seen; the model's own unless said."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] | Literal["random"] | None = Field(default=None, examples=[0, "random"])
    """Seed of the noise; `random` is drawn once and kept in the lock file."""
    width: Side | None = Field(default=None, examples=[832])
    """Width in pixels, a multiple of 16. Where a video sets the size, only a width on the job itself overrides it."""
    height: Side | None = Field(default=None, examples=[480])
    """Height in pixels, a multiple of 16. Where a video sets the size, only a height on the job itself overrides it."""
    num_frames: Frames | None = Field(default=None, examples=[81])
    """Number of frames, 4n+1. Where a video sets the length, only a number on the job itself overrides it."""
    fps: Annotated[float, Field(gt=0, le=240)] | None = Field(default=None, examples=[25])
    """Frames per second. A video input's own rate, where there is one, unless the job itself says."""
    max_frames: Frames | None = Field(default=None, examples=[81])
    """The most frames that a video input may ask for; a longer one is cut, and said so."""
    max_pixels: Annotated[int, Field(ge=256, le=MAX_SIDE * MAX_SIDE)] | None = Field(default=None, examples=[399360])
    """The most pixels per frame (width x height) that a video input may ask for; a larger one is scaled down, and said
    so."""
    num_inference_steps: Annotated[int, Field(ge=1, le=1000)] | None = Field(default=None, examples=[20])
    """Denoising steps."""
    cfg_scale: Guidance | CfgScale | None = Field(default=None, examples=[5.0, {"high_noise": 4.0, "low_noise": 3.0}])
    """How closely to follow the prompt; 1 is off, and twice as fast. For Wan2.2 a number per expert, if wanted."""
    sigma_shift: Annotated[float, Field(gt=0, le=100)] | None = Field(default=None, examples=[5.0])
    """Shift of the noise schedule: larger spends more steps on the layout, smaller more on detail."""
    loras: list[str | dict[str, Strength] | LoraEntry] | None = Field(
        default=None, examples=[["ghibli"], [{"ghibli": 0.6}, "turbo"]]
    )
    """LoRAs, which add up: each an entry of `loras`, `{entry: scale}`, a file, or an entry written in place."""
    dtype: Literal["float32", "bfloat16"] | None = Field(default=None, examples=["bfloat16"])
    """Precision of the computation."""
    vae_tiled: bool | None = Field(default=None, examples=[False])
    """Decode in tiles: less memory, 2.25 times the work."""
    speed: SpeedSection | None = Field(default=None, examples=[{"cache": 0.1}])
    """What makes the video sooner, and a little different; all of it is off unless said."""
    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] | None = Field(default=None, examples=[10])
    """Jobs with a higher one run earlier, whatever switching costs; 0 unless said."""
    retries: Annotated[int, Field(ge=0, le=100)] | None = Field(default=None, examples=[2])
    """How often a job is tried again after a fault that may pass; faults of the input are never tried again."""
    accept: Accept | None = Field(default=None, examples=[{"face_similarity": ">= 0.55", "max_reseeds": 3}])
    """Conditions on the finished clip."""


def type_of(field: FieldInfo) -> Annotation:
    """What a field takes, with its limits."""
    return getitem(Annotated, (field.annotation, *field.metadata)) if field.metadata else field.annotation


def keys_of(mode: Mode) -> type[BaseModel]:
    """A mode's own keys as a job takes them."""
    keys: dict[str, Any] = {key: _key_of(mode, key) for key in _own(mode)}
    return create_model(f"{mode.name}_keys", __base__=Section, **keys)


def _own(mode: Mode) -> Iterable[str]:
    return mode.params.model_fields


def _key_of(mode: Mode, key: str) -> tuple[Annotation, FieldInfo]:
    field = mode.params.model_fields[key]
    return _job_annotation(mode.video_keys, mode.image_keys, key, field), _job_field(field)


def _mode_fields() -> dict[str, Any]:
    """Every mode's own keys, each optional here: what a mode's key is unless said comes from its `Params`."""
    keys = dict.fromkeys(key for mode in MODES.values() for key in _own(mode))
    return {key: _shared([mode for mode in MODES.values() if key in _own(mode)], key) for key in keys}


def _shared(modes: Sequence[Mode], key: str) -> tuple[Annotation, FieldInfo]:
    """A key as all modes have it that read it; where they differ, it is each one's own."""
    annotations = [_key_of(mode, key)[0] for mode in modes]
    fields = [_key_of(mode, key)[1] for mode in modes]
    told = dict.fromkeys(field.description for field in fields)
    if len(told) == 1:
        described = f"{next(iter(told))} Only mode {either([mode.name for mode in modes])}."
    else:
        described = " ".join(
            f"Mode {mode.name}: {field.description}" for mode, field in zip(modes, fields, strict=True)
        )
    taken = reduce(or_, annotations) if any(one != annotations[0] for one in annotations) else annotations[0]
    return taken, FieldInfo.from_field(None, description=described, examples=fields[0].examples)


def _job_annotation(videos: tuple[str, ...], images: tuple[str, ...], key: str, field: FieldInfo) -> Annotation:
    if key in videos:
        return str | VideoEntry | None
    if key in images:
        return Path | None
    return type_of(field) | None


def _job_field(field: FieldInfo) -> FieldInfo:
    unless = "" if field.default in (None, "") else f" {_shown(field.default)} unless said."
    return FieldInfo.from_field(None, description=f"{field.description}{unless}", examples=field.examples)


def _shown(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


JobKeys: type[CommonKeys] = create_model("JobKeys", __base__=CommonKeys, __doc__="The keys of a job.", **_mode_fields())
"""All keys of a job, of all modes: what `defaults` and the rows of a matrix take."""

COMMON_KEYS = frozenset(CommonKeys.model_fields)
JOB_KEYS: dict[str, FieldInfo] = dict(JobKeys.model_fields)
SIZED_KEYS = ("max_frames", "max_pixels")
"""Keys that only modes with a video of their own to be sized by read."""

FILE_KEYS = tuple(key for mode in MODES.values() for key in (*mode.video_keys, *mode.image_keys))
NULLABLE_KEYS = ("identity", "accept", "speed", *FILE_KEYS)
"""Keys that `null` takes back, where the defaults or the other values of an axis say one."""

UNMATRIXED_KEYS = ("name",)
"""Keys that are a job's own, and so in no matrix and no defaults."""


def _axis(key: str, field: FieldInfo) -> tuple[Annotation, FieldInfo]:
    values: Annotation = GenericAlias(list, (type_of(field),))
    described = f"Values of `{key}`. {field.description}"
    examples = ["0..3"] if key == "seed" else [list(field.examples or [])]
    return values | None, FieldInfo.from_field(None, description=described, examples=examples)


def _axes() -> dict[str, Any]:
    return {key: _axis(key, field) for key, field in JOB_KEYS.items() if key not in UNMATRIXED_KEYS}


class MatrixKeys(Section):
    """A product over any keys of the job: each with a list of values."""

    include: list[JobKeys] | None = Field(default=None, examples=[[{"identity": "lecun", "prompt": "desk", "seed": 7}]])
    """Combinations to add to the product, each a mapping of job keys."""
    exclude: list[JobKeys] | None = Field(default=None, examples=[[{"identity": "skater", "loras": ["ghibli"]}]])
    """Combinations to leave out: those that match all keys of an item."""


Matrix: type[MatrixKeys] = create_model(
    "Matrix",
    __base__=MatrixKeys,
    __doc__=MatrixKeys.__doc__,
    **_axes(),
)


class Job(JobKeys):
    """One video, or with a matrix or a file of prompts many."""

    matrix: Matrix | None = Field(default=None, examples=[{"identity": ["lecun", "skater"], "seed": "0..3"}])
    """A product over any keys of the job; `0..3` is 0, 1, 2 and 3."""


class Defaults(JobKeys):
    """Keys for all jobs; a job's own keys win."""

    matrix: Matrix | None = Field(default=None, examples=[{"seed": "0..3"}])
    """A product for every job, over those keys that the job does not write itself."""

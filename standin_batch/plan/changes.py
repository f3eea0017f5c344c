"""What differs between a video that was made and a job that takes its place, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from standin_batch.job import Job
from standin_batch.speed import EXACT

Fields = Mapping[str, Any]
"""What a record says of its job, or would say of a job that is still to run."""

Slot = tuple[str, str | None, str, int]
"""What a person calls a video by: names of job, identity and prompt, and the seed."""

TEXTS = ("prompt", "negative_prompt")
VALUES = (
    *("model", "mode", "width", "height", "num_frames", "fps", "num_inference_steps", "cfg_scale", "sigma_shift"),
    *("boundary", "dtype", "vae_tiled", "speed"),
)
UNTOLD = "something that its record does not tell"
"""When no field of the record differs: it was made by a version that told jobs apart in another way."""


def slot_of(fields: Fields) -> Slot:
    """The slot of a record; one with fields of other kinds than it should have is in nobody's."""
    identity, seed = fields.get("identity"), fields.get("seed", 0)
    return (
        str(fields.get("name", "")),
        identity if isinstance(identity, str) else None,
        str(fields.get("prompt_name", "")),
        seed if isinstance(seed, int) else -1,
    )


def slots_of(job: Job) -> tuple[Slot, ...]:
    """The slots of a job: one for each of its names."""
    identity = None if job.subject is None else job.subject.name
    return tuple((name, identity, job.prompt_name, job.seed) for name in (job.name, *job.also))


def changes(before: Fields, after: Fields) -> tuple[str, ...]:
    """What differs, in the words of the manifest. Fields that `before` does not have are not compared.

    But for `speed`: before records had it, there was only one.

    Args:
        before: the record of a video.
        after: the fields of the job in its place, as its record would have them.
    """
    try:
        return tuple(_told({"speed": str(EXACT), **before}, after)) or (UNTOLD,)
    except (TypeError, KeyError, AttributeError):  # a record that somebody edited
        return (UNTOLD,)


def _told(before: Fields, after: Fields) -> tuple[str, ...]:
    return (
        *_identity(before, after),
        *(key for key in TEXTS if _differs(before, after, key)),
        *_loras(before, after),
        *(_change(key, before[key], after[key]) for key in VALUES if _differs(before, after, key)),
        *_params(before, after),
        *_files(before, after),
        *_weights(before, after),
    )


def _differs(before: Fields, after: Fields, key: str) -> bool:
    if key not in before or before[key] == after.get(key):
        return False
    return _plain(before[key]) != _plain(after.get(key))


def _identity(before: Fields, after: Fields) -> Iterator[str]:
    name = after["identity"]
    if name is None:
        return
    if _differs(before, after, "identity_sha256"):
        yield f"image of identity {name}"
    if _differs(before, after, "identity_kind"):
        yield _change(f"kind of identity {name}", before["identity_kind"], after["identity_kind"])
    elif after["identity_kind"] == "face" and _differs(before, after, "identity_on_no_face"):
        yield _change(f"on_no_face of identity {name}", before["identity_on_no_face"], after["identity_on_no_face"])


def _loras(before: Fields, after: Fields) -> Iterator[str]:
    if not _differs(before, after, "loras"):
        return
    old, new = ({lora["name"]: lora for lora in fields["loras"]} for fields in (before, after))
    told = list(_each_lora(old, new))
    yield from told
    if not told and [*old] != [*new]:
        yield f"order of loras {_show([*old])} -> {_show([*new])}"


def _each_lora(old: Fields, new: Fields) -> Iterator[str]:
    for name in (*old, *(name for name in new if name not in old)):
        if name not in old or name not in new:
            yield f"lora {name} {'added' if name in new else 'removed'}"
        elif old[name]["files"] != new[name]["files"]:
            yield f"lora {name}"
        elif old[name]["scale"] != new[name]["scale"]:
            yield _change(f"scale of lora {name}", old[name]["scale"], new[name]["scale"])


def _params(before: Fields, after: Fields) -> Iterator[str]:
    """Keys of the mode; a new mode has other keys, which says nothing."""
    if before.get("mode") != after["mode"]:
        return
    old, new = before.get("params", {}), after["params"]
    for key in new:
        if key in old and _plain(old[key]) != _plain(new[key]):
            yield _change(key, old[key], new[key])


def _files(before: Fields, after: Fields) -> Iterator[str]:
    old, new = before.get("files"), after["files"]
    if old is None:
        return
    for key in (*old, *(key for key in new if key not in old)):
        if key not in old or key not in new:
            yield f"{key} {'added' if key in new else 'removed'}"
        elif old[key] != new[key]:
            yield f"content of {key}"


def _weights(before: Fields, after: Fields) -> Iterator[str]:
    """Another model has other weights, and an identity brings its own: both are told already."""
    old, new = before.get("weights", {}), after["weights"]
    parts = [part for part in new if part in old and old[part] != new[part]]
    if parts and before.get("model") == after["model"]:
        yield f"weights ({', '.join(parts)})"


def _change(what: str, before: object, after: object) -> str:
    return f"{what} {_show(before)} -> {_show(after)}"


def _show(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "/".join(_show(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(value: object) -> object:
    """As JSON gives it back: lists for tuples."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value

"""`speed.turbo`: a distillation LoRA, which is nothing but a LoRA, few steps, no guidance and a shift.

A job that has one is the same job as one that writes these four keys itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from standin_batch.manifest.manifest import Lora
    from standin_batch.manifest.problems import Severity

TURBO_KEYS = ("num_inference_steps", "cfg_scale", "sigma_shift")
"""What a turbo says of a job besides its LoRAs."""

NO_GUIDANCE = 1.0
"""A distilled model has its guidance within."""

FEWEST_CACHED = 3
"""Steps of which `speed.cache` can skip one: the first and the last are always computed."""


@dataclass(frozen=True, slots=True)
class Turbo:
    """A distillation LoRA and the steps that it was distilled for.

    Attributes:
        lora: behind the job's own.
        num_inference_steps: denoising steps.
        sigma_shift: shift of the flow-match schedule.
    """

    lora: Lora
    num_inference_steps: int
    sigma_shift: float

    @property
    def says(self) -> dict[str, Any]:
        """The keys of a job that it decides besides its LoRAs."""
        return dict(zip(TURBO_KEYS, (self.num_inference_steps, NO_GUIDANCE, self.sigma_shift), strict=True))


def turbo_of(speed: Mapping[str, Any] | None) -> Turbo | None:
    """The turbo of a job's `speed`; None without."""
    return None if speed is None else speed.get("turbo")


def with_turbo(values: Mapping[str, Any]) -> dict[str, Any]:
    """A job's values with the steps, guidance and shift that its turbo says; its LoRAs stay as they are written."""
    turbo = turbo_of(values.get("speed"))
    return {**values, **({} if turbo is None else turbo.says)}


@dataclass(frozen=True, slots=True)
class Clash:
    """What cannot stand together with the options of a job.

    Attributes:
        key: of the job, where it is told.
        message: what is wrong.
        hint: its cure.
        severity: a `warning` where clips come of it nonetheless.
    """

    key: str
    message: str
    hint: str
    severity: Severity = "error"


def speed_clashes(
    speed: Mapping[str, Any], below: Collection[str], dtype: str, steps: int | None, own: Mapping[str, Any]
) -> Iterator[Clash]:
    """What cannot stand together with the options of a job.

    Args:
        speed: what is said of it, all layers together.
        below: those of its options that `defaults` say, and the job does not.
        dtype: of the job.
        steps: that are written for the job; None where they are the model's.
        own: the keys that are written on the job itself or in its matrix.
    """
    cure = "write `dtype: bfloat16`"
    if dtype != "bfloat16" and speed.get("fp8"):
        told = f"`fp8` is made from bfloat16 weights, but `dtype` is {dtype}"
        yield Clash("speed", told, f"{cure}, or leave `fp8` out")
    if dtype != "bfloat16" and speed.get("attention") == "sage":
        yield Clash("speed", f"SageAttention does not compute in {dtype}", f"{cure}, or `attention: exact`")
    turbo = turbo_of(speed)
    if turbo is not None:
        yield from _turbo_clashes(turbo, speed, below, own)
    elif speed.get("cache") and steps is not None and steps < FEWEST_CACHED:
        told = f"`cache` skips nothing of {steps} step{'' if steps == 1 else 's'}: the first and the last are computed"
        yield Clash("num_inference_steps", told, "make more steps, or leave `cache` out of `speed`", "warning")


def _turbo_clashes(
    turbo: Turbo, speed: Mapping[str, Any], below: Collection[str], own: Mapping[str, Any]
) -> Iterator[Clash]:
    if speed.get("cache"):
        cache, distilled = (f"`{key}`{' of `defaults`' if key in below else ''}" for key in ("cache", "turbo"))
        told = f"{cache} and {distilled} do not go together: a distilled model makes few large steps, and each counts"
        yield Clash("speed", told, "leave one of them out, or write `cache: null`")
    for key, value in turbo.says.items():
        if key in own and own[key] != value:
            hint = "leave it out" if key == "cfg_scale" else f"write `turbo: {{lora: …, {key}: {own[key]}}}`"
            told = f"`turbo` sets `{key}` to {value:g}, but this job says {_shown(own[key])}"
            yield Clash(key, told, f"{hint}, or write `turbo: null`")


def _shown(value: Any) -> str:  # noqa: ANN401 - as manifests write it
    numbers = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
    return " and ".join(f"{number:g}" for number in numbers)

"""`speed.turbo`: a distillation LoRA, which is nothing but a LoRA, few steps, no guidance and a shift.

A job that has one is the same job as one that writes these four keys itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from standin_batch.manifest.manifest import Lora

TURBO_KEYS = ("num_inference_steps", "cfg_scale", "sigma_shift")
"""What a turbo says of a job besides its LoRAs."""

NO_GUIDANCE = 1.0
"""A distilled model has its guidance within."""


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


def speed_objections(speed: Mapping[str, Any], dtype: str, own: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What cannot stand together with the options of a job, and its cure.

    Args:
        speed: what is said of it, all layers together.
        dtype: of the job.
        own: the keys that are written on the job itself or in its matrix.
    """
    cure = "write `dtype: bfloat16`"
    if dtype != "bfloat16" and speed.get("fp8"):
        yield f"`fp8` is made from bfloat16 weights, but `dtype` is {dtype}", f"{cure}, or leave `fp8` out"
    if dtype != "bfloat16" and speed.get("attention") == "sage":
        yield f"SageAttention does not compute in {dtype}", f"{cure}, or `attention: exact`"
    turbo = turbo_of(speed)
    if turbo is None:
        return
    if speed.get("cache"):
        told = "`cache` and `turbo` do not go together: a distilled model makes few large steps, and each counts"
        yield told, "leave one of them out, or write `cache: null`"
    for key, value in turbo.says.items():
        if key in own and own[key] != value:
            hint = "leave it out" if key == "cfg_scale" else f"write `turbo: {{lora: …, {key}: {own[key]}}}`"
            yield f"`{key}` is what `turbo` says, here {value:g}", f"{hint}, or write `turbo: null`"

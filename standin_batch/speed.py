"""What a job gives up of exactness for speed, as its id, its record and the engine know it.

All is off unless a manifest says it. What each option does to weights and steps is the engine's; a distillation LoRA
(`turbo`) is none of these: it is steps, guidance and a LoRA like any others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Speed:
    """Options that make a video sooner and a little different.

    Attributes:
        attention: `sage` is SageAttention, 8-bit; `exact` is whatever is exact and fastest on the device.
        fp8: linear layers of the transformer's blocks in 8-bit floating point, weights and activations.
        cache: TeaCache's threshold, 0 .. 1: how much may change before a step is computed; 0 computes every step.
        compile: the transformer's blocks compiled, which rounds in another way.
    """

    attention: Literal["exact", "sage"] = "exact"
    fp8: bool = False
    cache: float = 0.0
    compile: bool = False

    def fingerprint(self) -> dict[str, Any]:
        """What of it decides the video: only what is on, so that an option that comes later changes no id."""
        values = {"attention": self.attention, "fp8": self.fp8, "teacache": self.cache, "compile": self.compile}
        return {key: value for key, value in values.items() if value not in ("exact", False, 0.0)}

    def __str__(self) -> str:
        return ", ".join(self._words()) or "exact"

    def _words(self) -> Iterator[str]:
        if self.attention != "exact":
            yield self.attention
        if self.fp8:
            yield "fp8"
        if self.cache:
            yield f"teacache {self.cache:g}"
        if self.compile:
            yield "compile"


EXACT = Speed()
"""Nothing given up."""

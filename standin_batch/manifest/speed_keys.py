"""The keys of `speed`: what makes a video sooner, and a little different. None of them is on unless said."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from standin_batch.manifest.kinds import Strength
from standin_batch.manifest.sections import LoraEntry, Section

TURBO_STEPS, TURBO_SHIFT = 4, 5.0

NULLABLE_SPEED = ("cache", "turbo")
"""Keys of `speed` that `null` takes back."""


class TurboEntry(Section):
    """A distillation LoRA, and how it is used."""

    lora: str | dict[str, Strength] | LoraEntry = Field(examples=["lightx2v"])
    """The LoRA: an entry of `loras`, `{entry: scale}`, a file, or an entry written in place. It comes behind the job's
    own."""
    scale: Strength | None = Field(default=None, examples=[1.0])
    """How strongly it acts, in place of the scale of its entry."""
    num_inference_steps: Annotated[int, Field(ge=1, le=1000)] = Field(default=TURBO_STEPS, examples=[4])
    """Denoising steps: as many as it was distilled for."""
    sigma_shift: Annotated[float, Field(gt=0, le=100)] = Field(default=TURBO_SHIFT, examples=[5.0])
    """Shift of the noise schedule that it was distilled for."""


class SpeedSection(Section):
    """What makes a video sooner, and a little different."""

    attention: Literal["exact", "sage"] = Field(default="exact", examples=["sage"])
    """`sage` computes attention with SageAttention, in 8 bits. It needs a GPU, the package `sageattention`, and
    `dtype: bfloat16`."""
    fp8: bool = Field(default=False, examples=[True])
    """Linear layers of the transformer in 8-bit floating point, weights and activations, LoRAs included. It needs a
    GPU of compute capability 8.9, the package `torchao`, and `dtype: bfloat16`."""
    cache: Annotated[float, Field(gt=0, le=1)] | None = Field(default=None, examples=[0.1])
    """Skip steps whose result hardly changes (TeaCache): the relative change, without a unit, from which on a step is
    computed. Larger skips more; `null` skips none."""
    compile: bool = Field(default=False, examples=[True])
    """Compile the blocks of the transformer with `torch.compile`; the first clip of each size waits for it."""
    turbo: str | TurboEntry | None = Field(default=None, examples=["lightx2v", {"lora": "lightx2v", "scale": 0.8}])
    """A distillation LoRA: it says `num_inference_steps` and `sigma_shift`, and `cfg_scale` is 1."""


ALL_OFF: dict[str, Any] = {key: field.default for key, field in SpeedSection.model_fields.items()}
"""What is not said."""

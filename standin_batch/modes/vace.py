"""Control by VACE: a control video (pose, depth, ...) and a reference image, each optional."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from standin_batch.modes.mode import Mode, Params


class VaceParams(Params):
    """Keys that only `mode: vace` reads."""

    reference_video: str | None = Field(default=None, examples=["raise_hands", "clips/pose.mp4"])
    """A control video: an entry of `videos` or a file. It sets size, length and frame rate unless the job does."""
    reference_image: Path | None = Field(default=None, examples=["faces/first_frame.png"])
    """An image to start from, letter-boxed on white to the size of the video."""
    vace_scale: float = Field(default=0.8, ge=0.0, le=2.0, examples=[0.8])
    """How strongly the control acts; 0.5 is advised without a reference image."""
    preprocess: Literal["none", "canny", "depth", "pose"] = Field(default="none", examples=["none"])
    """What turns a raw video into a control video."""


MODE = Mode(
    name="vace",
    summary="control by a pose, depth or edge video",
    params=VaceParams,
    inputs=None,
    video_keys=("reference_video",),
    image_keys=("reference_image",),
    sized_by="reference_video",
    modules=("vace",),
)

"""Face swap: the identity's face in place of one in a given video."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from standin_batch.modes.mode import Mode, Params


class FaceSwapParams(Params):
    """Keys that only `mode: face_swap` reads."""

    input_video: str = Field(default="", examples=["anchor", "clips/woman.mp4"])
    """The video to change: an entry of `videos` or a file. It sets size, length and frame rate unless the job does."""
    denoising_strength: float = Field(default=0.85, gt=0.0, le=1.0, examples=[0.85])
    """How much noise the video starts from: 1 forgets it, smaller values stay closer to it."""
    force_background_consistency: bool = Field(default=False, examples=[False])
    """Put the original's background back after every step."""
    target: Literal["largest"] | int = Field(default="largest", examples=["largest", 0])
    """Which face to replace: the largest, or an index from left to right in the first frame."""
    paste: bool = Field(default=True, examples=[True])
    """Paste the parsed face onto each frame first; false for a video prepared elsewhere."""


MODE = Mode(
    name="face_swap",
    summary="the identity's face in place of one in a video",
    params=FaceSwapParams,
    inputs=None,
    video_keys=("input_video",),
    sized_by="input_video",
    requires=("identity", "input_video"),
)

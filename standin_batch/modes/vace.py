"""Control by VACE: a control video (pose, depth, ...) and a reference image, each optional.

Source: VACE (arXiv 2503.07598); the sizes and the letter-box are those of Stand-In's `infer_with_vace.py`. Its hints
see the video's tokens only, never the identity's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from standin_batch.modes.mode import Mode, ModeInputs, ModeRequest, Objection, Params

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CANNY_THRESHOLDS = (100, 200)
"""Of the hysteresis, in grey levels: the usual ones (ControlNet, arXiv 2302.05543)."""


class VaceParams(Params):
    """Keys that only `mode: vace` reads."""

    reference_video: str | None = Field(default=None, examples=["raise_hands", "clips/pose.mp4"])
    """A control video: an entry of `videos` or a file. It sets size, length and frame rate unless the job does."""
    reference_image: Path | None = Field(default=None, examples=["faces/first_frame.png"])
    """An image to start from, letter-boxed on white to the size of the video."""
    vace_scale: float = Field(default=0.8, ge=0.0, le=2.0, examples=[0.8])
    """How strongly the control acts; 0.5 is advised without a reference image."""
    preprocess: Literal["none", "canny", "depth", "pose"] = Field(default="none", examples=["none"])
    """What turns a raw video into a control video: `canny` draws its edges, `none` takes it for one already. Poses and
    depth are not made here; a video that shows them is a control video."""


def _inputs(request: ModeRequest) -> ModeInputs:
    from PIL import Image

    from standin_batch.media.image import letterboxed, open_image

    units: dict[str, Any] = {"vace_scale": request.params["vace_scale"]}
    if "reference_video" in request.files:
        frames = request.clip("reference_video")
        if request.params["preprocess"] == "canny":
            frames = edges(frames)
        units["vace_video"] = [Image.fromarray(frame) for frame in frames]
    if "reference_image" in request.files:
        image = open_image(request.files["reference_image"])
        units["vace_reference_image"] = letterboxed(image, request.width, request.height)
    return ModeInputs(units)


def edges(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """White edges on black, by Canny's detector (1986) as OpenCV has it.

    Args:
        frames: uint8 [T, height, width, 3], RGB.

    Returns:
        uint8 of the same shape.
    """
    import cv2
    import numpy as np

    found = [cv2.Canny(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), *CANNY_THRESHOLDS) for frame in frames]
    return np.repeat(np.stack(found)[..., None], 3, axis=-1)


def _not_offered(preprocess: str) -> str | None:
    if preprocess not in ("pose", "depth"):
        return None
    return f"`preprocess: {preprocess}` needs a model that comes with none of the libraries used here"


MODE = Mode(
    name="vace",
    summary="control by a pose, depth or edge video",
    params=VaceParams,
    inputs=_inputs,
    video_keys=("reference_video",),
    image_keys=("reference_image",),
    sized_by="reference_video",
    strengths=("vace_scale",),
    modules=("vace",),
    objections=(
        Objection(
            ("preprocess", "reference_video"),
            lambda preprocess, video: None if video or preprocess == "none" else "there is no video to preprocess",
            "add `reference_video`, or leave `preprocess` out",
        ),
        Objection(
            ("reference_video", "reference_image"),
            lambda video, image: None if video or image else "without a video or an image, VACE has nothing to follow",
            "add `reference_video` or `reference_image`, or write `mode: t2v`",
            "warning",
        ),
        Objection(
            ("preprocess",),
            _not_offered,
            "make the control video with DWPose, Video Depth Anything, …, and leave `preprocess` out; or use `canny`",
        ),
    ),
)

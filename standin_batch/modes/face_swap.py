"""Face swap: the identity's face in place of one in a given video.

The photograph's face is pasted onto each frame; from that video, noised, the model makes one in which it belongs there.
Source: Stand-In's `infer_face_swap.py`; what differs from it on purpose is told in `standin_batch.face.swap`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import Field

from standin_batch.modes.mode import Mode, ModeInputs, ModeRequest, Objection, Params

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    from standin_batch.face.swap import Report, Swapped


T = TypeVar("T")


class FaceSwapParams(Params):
    """Keys that only `mode: face_swap` reads."""

    input_video: str = Field(default="", examples=["anchor", "clips/woman.mp4"])
    """The video to change: an entry of `videos` or a file. It sets size, length and frame rate unless the job does, and
    its sound is kept."""
    denoising_strength: float = Field(default=0.85, gt=0.0, le=1.0, examples=[0.85])
    """How much noise the video starts from: 1 forgets it, smaller values stay closer to it."""
    force_background_consistency: bool = Field(default=False, examples=[False])
    """Put the original's background back after every step."""
    target: Literal["largest"] | Annotated[int, Field(ge=0)] = Field(default="largest", examples=["largest", 0])
    """Who is replaced: the one whose face is largest over the whole video, or an index from left to right in the first
    frame with a face, from 0. One person is followed through the video."""
    target_image: Path | None = Field(default=None, examples=["faces/anchor.jpg"])
    """A photograph of who is replaced, instead of `target`."""
    frames_without_face: Literal["keep", "interpolate", "error"] = Field(default="keep", examples=["keep"])
    """What to do with frames in which that face is not found: paste nothing, paste where the face must be by the frames
    around them, or fail. The record tells which frames they are."""
    paste: bool = Field(default=True, examples=[True])
    """Paste the parsed face onto each frame first; false for a video prepared elsewhere."""


def _inputs(request: ModeRequest) -> ModeInputs:
    frames = request.clip("input_video")
    if not reads_faces(request.params):
        return ModeInputs(_units(request, frames))
    swapped = _swapped(request, frames)
    return ModeInputs(
        units=_units(request, swapped.frames),
        changing=swapped.mask if request.params["force_background_consistency"] else None,
        report=dict(swapped.report),
        warnings=_warnings(swapped.report),
    )


def _units(request: ModeRequest, frames: npt.NDArray[np.uint8]) -> dict[str, Any]:
    from PIL import Image

    video = [Image.fromarray(frame) for frame in frames]
    return {"input_video": video, "denoising_strength": request.params["denoising_strength"]}


def _swapped(request: ModeRequest, frames: npt.NDArray[np.uint8]) -> Swapped:
    from standin_batch.face.paste import source_face
    from standin_batch.face.swap import embedding_of, swap_faces

    detector, parser = request.faces()
    like = request.files.get("target_image")
    assert request.subject is not None
    paste = request.params["paste"]
    return swap_faces(
        frames,
        _from(request.subject, lambda image: source_face(image, detector, parser)) if paste else None,
        detector,
        parser,
        target=request.params["target"],
        like=None if like is None else _from(like, lambda image: embedding_of(image, detector)),
        frames_without_face=request.params["frames_without_face"],
        cover_old_face=request.params["force_background_consistency"],
    )


def _from(path: Path, find: Callable[[Image.Image], T]) -> T:
    """What `find` finds in a picture; the picture is named where it finds nothing."""
    from standin_batch.face.subject import NoFaceError
    from standin_batch.media.image import open_image

    try:
        return find(open_image(path))
    except NoFaceError as error:
        raise NoFaceError(f"{path}: {error.message}", error.hint) from error


def _warnings(report: Report) -> tuple[str, ...]:
    if not report["without_face"]:
        return ()
    runs = ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in report["without_face"])
    missing = sum(last - first + 1 for first, last in report["without_face"])
    filled = f"; it was filled in for {report['interpolated']} of them" if report["interpolated"] else ""
    return (f"the face was not found in {missing} of {report['frames']} frames: {runs}{filled}",)


def reads_faces(params: Mapping[str, Any]) -> bool:
    """Whether a job with these parameters looks for faces in its video."""
    return bool(params["paste"] or params["force_background_consistency"])


def _two_targets(target_image: object, target: object) -> str | None:
    return "`target` and `target_image` both say who is replaced" if target_image and target != "largest" else None


def _looks_nowhere(key: str, value: object, paste: bool, consistent: bool) -> str | None:
    if paste or consistent or value == (FaceSwapParams.model_fields[key].default):
        return None
    return f"`{key}` does nothing with `paste: false`: nobody looks for faces in the video"


def _no_face_to_paste(paste: bool, identity: Any) -> str | None:  # noqa: ANN401
    if not paste or getattr(identity, "kind", "face") == "face":
        return None
    return f"`{identity.name}` is no face, so there is none to paste"


MODE = Mode(
    name="face_swap",
    summary="the identity's face in place of one in a video",
    params=FaceSwapParams,
    inputs=_inputs,
    video_keys=("input_video",),
    image_keys=("target_image",),
    sized_by="input_video",
    sound_of="input_video",
    strengths=("denoising_strength",),
    requires=("identity", "input_video"),
    objections=(
        Objection(("target_image", "target"), _two_targets, "leave one of them out"),
        *(
            Objection(
                (key, "paste", "force_background_consistency"),
                partial(_looks_nowhere, key),
                "leave it out, or write `paste: true` or `force_background_consistency: true`",
            )
            for key in ("target", "target_image", "frames_without_face")
        ),
        Objection(
            ("paste", "identity"),
            _no_face_to_paste,
            "write `paste: false` for a video that is prepared already, or use an identity of `kind: face`",
        ),
    ),
    reads_faces=reads_faces,
    faces_in="input_video",
    face_like="target_image",
)

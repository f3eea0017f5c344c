"""What a mode is: the keys of a job that only it reads, and the inputs it hands to the engine.

A mode is one file beside this one and one line in the table of `standin_batch.modes`. Its module is imported when a
manifest is read, so torch, OpenCV and the like are imported inside `inputs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from standin_batch.face.models import FaceModels
    from standin_batch.media.video import VideoInfo


class Params(BaseModel):
    """The keys that a mode adds to a job. Each has a default, a description and `examples`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class ModeRequest:
    """What `Mode.inputs` is given.

    Attributes:
        params: the keys of the mode's `Params`, resolved, without files.
        files: absolute path of each file that the mode's keys name (`reference_video`, ...).
        videos: what those of them that are videos are.
        subject: absolute path of the identity's picture, for a mode that reads faces; else None.
        width: pixels, a multiple of 16.
        height: pixels, a multiple of 16.
        num_frames: frames, 4n+1.
        fps: frames per second.
        faces: gives detector, embedder and parser, loaded when first asked for.
    """

    params: Mapping[str, Any]
    files: Mapping[str, Path]
    videos: Mapping[str, VideoInfo]
    subject: Path | None
    width: int
    height: int
    num_frames: int
    fps: float
    faces: Callable[[], FaceModels]

    def clip(self, key: str) -> npt.NDArray[np.uint8]:
        """The frames of the video that `key` names, at the size, length and rate of the job.

        Returns:
            uint8 [num_frames, height, width, 3], RGB.

        Raises:
            VideoInputError: if it cannot be read.
        """
        from standin_batch.media.clip import load_clip

        return load_clip(self.files[key], self.videos[key], self.width, self.height, self.num_frames, self.fps)


@dataclass(frozen=True)
class ModeInputs:
    """What a mode hands to the engine.

    Attributes:
        units: inputs of DiffSynth's Wan units, named as `WanVideoPipeline.__call__` names them (`vace_video`, ...).
        changing: where the video may differ from `input_video`, float32 [num_frames, height, width], 0..1; everything
            else is put back after every step. None leaves the whole of it free.
        report: what there is to say of this video, as JSON has it; goes into the record.
        warnings: what the user should know at once.
    """

    units: Mapping[str, Any] = field(default_factory=dict)
    changing: npt.NDArray[np.float32] | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objection:
    """Why some values of a job's keys cannot stand together in a mode.

    Attributes:
        keys: that it is about; the first is where the mistake is shown.
        why: given their values, what is wrong, or nothing.
        cure: what to do instead.
        severity: an error, unless such a job makes sense after all.
    """

    keys: tuple[str, ...]
    why: Callable[..., str | None]
    cure: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class Mode:
    """One way of making a video.

    Attributes:
        name: the value of `mode` in a manifest.
        summary: one line for help texts.
        params: the model of the mode's own keys.
        inputs: turns a job's keys and files into inputs of the engine.
        video_keys: keys of `params` that name an entry of `videos` or a video file.
        image_keys: keys of `params` that name an image file.
        sized_by: the key among `video_keys` whose video sets size, length and frame rate, unless the job says.
        sound_of: the key among `video_keys` whose sound the finished video has.
        strengths: keys of `params` that are inputs of DiffSynth's units, and decide nothing of what is encoded: it is
            kept for jobs that differ in them.
        modules: weight modules needed beside the base (`vace`).
        requires: keys that a job of this mode has to give, `identity` or own ones.
        objections: to values that cannot stand together.
        reads_faces: given the values of `params`, whether `inputs` will ask for face models.
        faces_in: the key among `video_keys` in whose video it then looks for faces.
        face_like: the key among `image_keys` with a photograph of the one that is meant there.
    """

    name: str
    summary: str
    params: type[Params]
    inputs: Callable[[ModeRequest], ModeInputs]
    video_keys: tuple[str, ...] = ()
    image_keys: tuple[str, ...] = ()
    sized_by: str | None = None
    sound_of: str | None = None
    strengths: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = ()
    reads_faces: Callable[[Mapping[str, Any]], bool] = lambda params: False
    faces_in: str | None = None
    face_like: str | None = None

"""What a mode is: the keys of a job that only it reads, and the inputs it hands to the DiffSynth pipeline.

A mode is one file beside this one and one line in the table of `standin_batch.modes`. Its module is imported when a
manifest is read, so torch, OpenCV and the like are imported inside `inputs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """The keys that a mode adds to a job. Each has a default, a description and `examples`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class ModeRequest:
    """What `Mode.inputs` is given: the job's mode parameters, its files by key, and the size asked for.

    Attributes:
        params: the keys of the mode's `Params`, resolved.
        files: absolute path of each file that the mode's keys name (`reference_video`, ...).
        width: pixels, a multiple of 16.
        height: pixels, a multiple of 16.
        num_frames: frames, 4n+1.
    """

    params: Mapping[str, Any]
    files: Mapping[str, Path]
    width: int
    height: int
    num_frames: int


@dataclass(frozen=True)
class Mode:
    """One way of making a video.

    Attributes:
        name: the value of `mode` in a manifest.
        summary: one line for help texts.
        params: the model of the mode's own keys.
        inputs: gives further inputs of DiffSynth's Wan pipeline units (`input_video`, `vace_video`, ...), named as
            `WanVideoPipeline.__call__` names them. None while the mode can be validated and planned but not run.
        video_keys: keys of `params` that name an entry of `videos` or a video file.
        image_keys: keys of `params` that name an image file.
        sized_by: the key among `video_keys` whose video sets size, length and frame rate, unless the job says.
        modules: weight modules needed beside the base (`vace`).
        requires: keys that a job of this mode has to give, `identity` or own ones.
    """

    name: str
    summary: str
    params: type[Params]
    inputs: Callable[[ModeRequest], dict[str, Any]] | None
    video_keys: tuple[str, ...] = ()
    image_keys: tuple[str, ...] = ()
    sized_by: str | None = None
    modules: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

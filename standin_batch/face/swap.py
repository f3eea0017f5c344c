"""A clip made ready for its face to be changed: whose face, in which frames, over which pixels, and what became of it.

The video model that repaints those pixels is not here. Nothing here is random.

On purpose otherwise than in the reference (WeChatCV/Stand-In, `preprocessor/videomask_generator.py`): one person is
followed, where it takes the largest face of each frame; the photograph's landmarks are those of its largest face, not
of its first; only the face is pasted, not the crop with neck and clothes; no least median of squares and no flip by
chance; frames without the face are reported; and the latents' mask counts every frame, and from a half, not from three
quarters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np
import numpy.typing as npt
from PIL import Image

from standin_batch.errors import StandinError
from standin_batch.face.detect import Detector, Face
from standin_batch.face.parse import Parser
from standin_batch.face.paste import Mask, Source, face_mask, paste
from standin_batch.face.subject import NoFaceError, Pixels, square_of
from standin_batch.face.track import Embedding, Target, TargetError, Track, choose, fill, tracks

THRESHOLD = 0.5
TIME, SPACE = 4, 8
"""Frames and pixels along each side that one place of a latent stands for (Wan's VAE)."""

FramesWithoutFace = Literal["keep", "interpolate", "error"]


class FacelessFramesError(StandinError):
    """Some frames lack the face, and the job says that this is an error."""


class FaceReport(TypedDict):
    """One person of the clip: frames with the face, the first and the last of them, and its mean size in pixels."""

    frames: int
    first: int
    last: int
    mean_side: float
    replaced: bool


class Report(TypedDict):
    """What became of a clip, as plain values for JSON.

    Keys:
        frames: of the clip.
        replaced: those with a mask.
        interpolated: those of `replaced` in which the face was not found, but stood in for.
        without_face: first and last index of each run of frames in which the face was not found.
        faces: everybody, the replaced one among them.
    """

    frames: int
    replaced: int
    interpolated: int
    without_face: list[list[int]]
    faces: list[FaceReport]


@dataclass(frozen=True)
class Swapped:
    """A clip, and where it may change.

    Attributes:
        frames: uint8 `[T, H, W, 3]`, RGB.
        mask: float32 `[T, H, W]`, 0..1.
        report: what was done.
    """

    frames: Pixels
    mask: Mask
    report: Report


def swap_faces(
    frames: Pixels,
    source: Source | None,
    detector: Detector,
    parser: Parser,
    *,
    target: Target = "largest",
    like: Embedding | None = None,
    frames_without_face: FramesWithoutFace = "keep",
    cover_old_face: bool = False,
) -> Swapped:
    """Follow one person through a clip and paste another's face over theirs.

    Args:
        frames: uint8 `[T, H, W, 3]`, RGB; stay as they are.
        source: the face to paste; None pastes nothing and finds only the mask.
        detector: finds the faces of each frame; with embeddings, people are known again after a cut.
        parser: finds the mask of the face that is there, where that counts.
        target: whose face, see `choose`.
        like: whose face, by the embedding of a photograph.
        frames_without_face: `keep` leaves such frames as they are; `interpolate` puts the face on a straight line
            through short gaps, see `fill`, and leaves the others; `error` refuses the clip.
        cover_old_face: let the mask cover the face that is there as well as the pasted one, which may be smaller. The
            parser looks at every frame for that.

    Raises:
        TargetError: if the face that is meant is in no frame.
        FacelessFramesError: if it is missing in some, and that is to be an error.
    """
    found = tracks([detector.detect(np.ascontiguousarray(frame[..., ::-1])) for frame in frames])
    track = choose(found, target, like)
    missing = [index for index in range(len(frames)) if index not in track.faces]
    if missing and frames_without_face == "error":
        raise FacelessFramesError(
            f"the face was not found in {_in_words(missing)} of {len(frames)}",
            "write `frames_without_face: keep` or `interpolate`, or cut the video",
        )
    others = [other for other in found if other is not track]
    faces = dict(track.faces) | (fill(track, others) if frames_without_face == "interpolate" else {})
    changed, mask = _replace(frames, faces, source, parser if cover_old_face or source is None else None)
    return Swapped(changed, mask, _report(found, track, mask))


def embedding_of(image: Image.Image, detector: Detector) -> Embedding:
    """What tells the person on a photograph from others: of the largest face, `[512]`.

    Args:
        image: any size and mode; transparent parts become white.
        detector: gives embeddings.

    Raises:
        NoFaceError: if no face is found.
        TargetError: if the detector gives none.
    """
    _, face = square_of(image, detector)
    if face is None:
        raise NoFaceError("no face was found in the picture", "take a picture of a face that is turned to the camera")
    if face.embedding is None:
        raise TargetError("the face was found without embedding", "load the detector with its embedding model")
    return face.embedding


def latent_mask(mask: Mask) -> npt.NDArray[np.bool_]:
    """Where the latents of a video may change: wherever any pixel of any frame that they stand for may.

    Args:
        mask: `[T, H, W]`, 0..1, T = 4n + 1, H and W multiples of 8. More than half counts.

    Returns:
        bool `[1 + (T - 1) / 4, H / 8, W / 8]`. The first latent frame stands for the first frame, each further one for
        the next four.

    Raises:
        ValueError: if the sizes are others.
    """
    frames, height, width = mask.shape
    changing: npt.NDArray[np.bool_] = np.greater(mask, THRESHOLD)
    cells = changing.reshape(frames, height // SPACE, SPACE, width // SPACE, SPACE).max(axis=(2, 4))
    later = cells[1:].reshape((frames - 1) // TIME, TIME, *cells.shape[1:]).max(axis=1)
    return np.concatenate([cells[:1], later])


def _replace(
    frames: Pixels, faces: dict[int, Face], source: Source | None, parser: Parser | None
) -> tuple[Pixels, Mask]:
    changed, mask = frames.copy(), np.zeros(frames.shape[:3], np.float32)
    for index, face in faces.items():
        if source is not None:
            changed[index], mask[index] = paste(frames[index], face.landmarks, source)
        if parser is not None:
            mask[index] = np.maximum(mask[index], face_mask(frames[index], face, parser))
    return changed, mask


def _report(found: Iterable[Track], chosen: Track, mask: Mask) -> Report:
    replaced = np.flatnonzero(mask.any(axis=(1, 2))).tolist()
    missing = [index for index in range(len(mask)) if index not in chosen.faces]
    return {
        "frames": len(mask),
        "replaced": len(replaced),
        "interpolated": len(set(replaced) & set(missing)),
        "without_face": [[run[0], run[-1]] for run in _runs(missing)],
        "faces": [_about(track, track is chosen) for track in found],
    }


def _about(track: Track, replaced: bool) -> FaceReport:
    boxes = np.array([face.box for face in track.faces.values()])
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    return {
        "frames": len(track.faces),
        "first": track.first,
        "last": track.last,
        "mean_side": round(float(sides.mean()), 1),
        "replaced": replaced,
    }


def _runs(indices: Sequence[int]) -> list[list[int]]:
    """Increasing numbers as runs without a hole."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _in_words(indices: Collection[int]) -> str:
    runs = _runs(sorted(indices))
    names = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"{'frame' if len(indices) == 1 else 'frames'} {names}"

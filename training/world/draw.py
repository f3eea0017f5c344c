"""Clips: a scene as frames, as classes, and as the places of its face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.world.background import backdrop
from training.world.figure import FaceTruth, face_of, figure
from training.world.paint import FINE, Pixels, paint, paint_parts, picked, sheet, shrunk
from training.world.pose import Pose, poses
from training.world.scene import Scene

SIZE, FRAMES = 96, 13
Clip = npt.NDArray[np.uint8]


def draw(scene: Scene, size: int = SIZE, frames: int = FRAMES) -> Clip:
    """The frames of a scene: uint8 `[T, H, W, 3]`, RGB, square."""
    behind = sheet(size, (255, 255, 255))
    paint(behind, backdrop(scene.background, scene.seed), scene.style, behind=True)
    return np.stack([_frame(behind, scene, pose) for pose in poses(scene.action, scene.seed, frames)])


def labels(scene: Scene, size: int = SIZE, frames: int = FRAMES) -> Clip:
    """What every pixel of `draw` shows: uint8 `[T, H, W]`, classes of CelebAMask-HQ; 0 is background."""
    clip = np.zeros((frames, size, size), np.uint8)
    for frame, pose in zip(clip, poses(scene.action, scene.seed, frames), strict=True):
        fine = np.zeros((size * FINE, size * FINE), np.uint8)
        paint_parts(fine, figure(scene.character, pose), scene.style)
        frame[:] = picked(fine)
    return clip


def truth(scene: Scene, size: int = SIZE, frames: int = FRAMES) -> tuple[FaceTruth, ...]:
    """Where the face lies in every frame of `draw`."""
    return tuple(face_of(scene.character, pose, size) for pose in poses(scene.action, scene.seed, frames))


def _frame(behind: Pixels, scene: Scene, pose: Pose) -> Pixels:
    fine = behind.copy()
    paint(fine, figure(scene.character, pose), scene.style)
    return shrunk(fine)

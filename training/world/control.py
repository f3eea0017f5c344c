"""Control clips: how a scene moves, without saying who moves in it or where."""

from __future__ import annotations

import numpy as np

from training.world.character import Colour
from training.world.draw import FRAMES, SIZE, Clip
from training.world.figure import limbs
from training.world.paint import paint, sheet, shrunk
from training.world.pose import Pose, poses
from training.world.scene import Scene
from training.world.shapes import Place, Shape, capsule, oval

RADIUS = 19.0
"""Of the head's disc at scale 1."""
THICK = 2.9
HEAD: Colour = (255, 0, 85)
TRUNK: Colour = (255, 0, 0)
ARMS: tuple[Colour, Colour] = ((255, 170, 0), (85, 255, 0))
LEGS: tuple[Colour, Colour] = ((0, 255, 170), (0, 85, 255))
"""OpenPose's colours."""


def control(scene: Scene, size: int = SIZE, frames: int = FRAMES) -> Clip:
    """A thick stick figure that moves as the scene's character does, with a disc for the head, on black.

    Returns:
        uint8 `[T, H, W, 3]`, RGB.
    """
    clip = []
    for pose in poses(scene.action, scene.seed, frames):
        fine = sheet(size, (0, 0, 0))
        paint(fine, _stick_figure(pose))
        clip.append(shrunk(fine))
    return np.stack(clip)


def _stick_figure(pose: Pose) -> list[Shape]:
    joints, body = limbs(pose), pose.body
    hip, neck = joints.hip, (0.0, 24.0)
    lines = [(neck, hip, TRUNK)]
    lines += [(neck, hand, colour) for hand, colour in zip(joints.hands, ARMS, strict=True)]
    lines += [(hip, foot, colour) for foot, colour in zip(joints.feet, LEGS, strict=True)]
    return [
        *(_limb(body, *line) for line in lines),
        Shape(pose.head.lay([Shape((oval(0, 0, RADIUS, RADIUS),), HEAD)])[0].contours, HEAD),
    ]


def _limb(body: Place, start: tuple[float, float], end: tuple[float, float], colour: Colour) -> Shape:
    (ax, ay), (bx, by) = body.put([start, end])
    return Shape((capsule(ax, ay, bx, by, THICK),), colour)

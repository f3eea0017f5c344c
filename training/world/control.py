"""Control clips: how a scene moves, without saying who moves in it or where."""

from __future__ import annotations

import numpy as np

from training.world.body import Point, limbs
from training.world.character import Colour
from training.world.draw import FRAMES, SIZE, Clip
from training.world.paint import paint, sheet, shrunk
from training.world.place import Place
from training.world.pose import Pose, poses
from training.world.scene import Scene
from training.world.shapes import Shape, capsule, oval

RADIUS = 19.0
"""Of the head's disc at scale 1."""
THICK = 2.9
"""Half of a limb's thickness."""
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
    joints = limbs(pose)
    lines = [(joints.neck, joints.hip, TRUNK)]
    lines += [(joints.neck, hand, colour) for hand, colour in zip(joints.hands, ARMS, strict=True)]
    lines += [(joints.hip, foot, colour) for foot, colour in zip(joints.feet, LEGS, strict=True)]
    disc = Shape((oval(0, 0, RADIUS, RADIUS),), HEAD)
    return [*(_limb(pose.body, *line) for line in lines), *pose.head.lay([disc])]


def _limb(body: Place, start: Point, end: Point, colour: Colour) -> Shape:
    """As thick at any distance, so that it stays visible."""
    (ax, ay), (bx, by) = body.put([start, end])
    return Shape((capsule(ax, ay, bx, by, THICK),), colour)

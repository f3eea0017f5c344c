"""How a character stands in one frame, and how that changes with each action. Who it is does not matter here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.world.chance import chance
from training.world.place import Place
from training.world.proportions import Look

GROUND = 91.0
HEIGHT = 49.0
"""From the middle of the head to the soles, at scale 1."""

AHEAD = Look()


@dataclass(frozen=True)
class Pose:
    """Lengths are in units of a 96th of the picture.

    Attributes:
        x: of the middle of the head.
        y: of the middle of the head, before `dip`.
        scale: 1 is a head about 42 wide.
        dip: by how much the head is lowered onto the body, at scale 1.
        look: of the head.
        tilt: of the head, degrees clockwise.
        swing: of arms and legs, -1 to 1.
        cheer: how far the arms are up, 0 to 1.
    """

    x: float
    y: float
    scale: float = 1.0
    dip: float = 0.0
    look: Look = AHEAD
    tilt: float = 0.0
    swing: float = 0.0
    cheer: float = 0.0

    @property
    def head(self) -> Place:
        """Where the head's middle lies."""
        return Place(self.x, self.y + self.dip * self.scale, self.scale, self.tilt)

    @property
    def body(self) -> Place:
        """What the body is drawn about: where the head would be if it were not lowered."""
        return Place(self.x, self.y, self.scale)


@dataclass(frozen=True)
class Start:
    """What differs between two clips of one action.

    Attributes:
        x: of a character that stays where it is.
        scale: of a character that stays as far away as it is.
        span: how far one walks.
    """

    x: float
    scale: float
    span: float


def poses(action: str, seed: int, frames: int) -> list[Pose]:
    """An action from its beginning to its end, frame by frame.

    Args:
        action: a key of `MOTIONS`.
        seed: of the scene: place, distance and speed.
        frames: 1 or more; the action takes all of them.
    """
    rng = chance(seed, "motion")
    start = Start(rng.uniform(30, 66), rng.uniform(0.85, 1.1), rng.uniform(16, 20))
    return [MOTIONS[action](start, step / max(frames - 1, 1)) for step in range(frames)]


def _standing(x: float, scale: float) -> Pose:
    return Pose(x, GROUND - HEIGHT * scale, scale)


def _stands(start: Start, time: float) -> Pose:
    pose = _standing(start.x, start.scale)
    return Pose(pose.x, pose.y, pose.scale, dip=0.35 * np.sin(2 * np.pi * time))


def _walks(start: Start, time: float, direction: int) -> Pose:
    pose = _standing(48 + direction * start.span * (time - 0.5), start.scale)
    bob = abs(np.sin(2 * np.pi * time)) * 1.2
    return Pose(pose.x, pose.y - bob, pose.scale, look=Look(turn=2.5 * direction), swing=np.sin(2 * np.pi * time))


def _walks_left(start: Start, time: float) -> Pose:
    return _walks(start, time, -1)


def _walks_right(start: Start, time: float) -> Pose:
    return _walks(start, time, 1)


def _jumps(start: Start, time: float) -> Pose:
    pose = _standing(start.x, start.scale * 0.9)
    up = 4 * time * (1 - time)
    return Pose(pose.x, pose.y + 1 - 9 * up, pose.scale, cheer=up)


def _comes_closer(start: Start, time: float) -> Pose:
    scale = start.scale * 0.82 * 1.45**time
    x = start.x + (48 - start.x) * 0.5 * time
    return Pose(x, 48 - 4 * time, scale, swing=0.6 * np.sin(2 * np.pi * time))


def _nods(start: Start, time: float) -> Pose:
    pose = _standing(start.x, start.scale)
    down = 0.5 - 0.5 * np.cos(2 * np.pi * time)
    return Pose(pose.x, pose.y - 1, pose.scale, dip=3.0 * down, look=Look(nod=3.5 * down - 0.5))


MOTIONS: dict[str, Callable[[Start, float], Pose]] = {
    "stands still": _stands,
    "walks to the left": _walks_left,
    "walks to the right": _walks_right,
    "jumps": _jumps,
    "comes closer": _comes_closer,
    "nods": _nods,
}
"""What a character does, as the caption says it: the pose at a time from 0 to 1."""

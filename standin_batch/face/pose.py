"""Which way a head is turned, from the five landmarks that a detector gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

HEAD = np.array([(-0.5, 0.0, 0.0), (0.5, 0.0, 0.0), (0.0, 0.57, -0.53), (-0.41, 1.15, -0.12), (0.41, 1.15, -0.12)])
"""Eyes, tip of the nose and corners of the mouth of a mean head that faces the camera, in distances between the eyes: x
to the right of the image, y down, z away from the camera. x and y are those to which ArcFace aligns faces
(arXiv:1801.07698), made symmetric; z is that of the Basel face model's mean (Paysan et al., AVSS 2009)."""


class Pose(NamedTuple):
    """How a head is turned, in degrees; all zero for one that faces the camera.

    Attributes:
        yaw: positive when the nose points to the right of the image.
        pitch: positive when it points up.
        roll: positive when the head is tilted to the right of the image.
    """

    yaw: float
    pitch: float
    roll: float


def pose_of(landmarks: npt.ArrayLike) -> Pose:
    """How the head with these landmarks is turned.

    The affine map that takes the mean head nearest to the landmarks is found by least squares, and the rotation nearest
    to that map: the camera is taken to be far away (scaled orthography, the first step of POSIT: DeMenthon and Davis,
    International Journal of Computer Vision 15, 1995).

    Args:
        landmarks: `[5, 2]`, x and y in pixels, in `Face.landmarks`' order.
    """
    points = np.asarray(landmarks, np.float64)
    head = HEAD - HEAD.mean(axis=0)
    affine = (points - points.mean(axis=0)).T @ np.linalg.pinv(head).T
    left, _, right = np.linalg.svd(affine, full_matrices=False)
    across, down = left @ right
    away = np.cross(across, down)
    yaw = np.arctan2(-across[2], away[2])
    pitch = np.arcsin(np.clip(down[2], -1, 1))
    return Pose(*(float(np.degrees(angle)) for angle in (yaw, pitch, np.arctan2(down[0], down[1]))))

"""The classes of CelebAMask-HQ that the world has, under their numbers."""

from __future__ import annotations

SKIN = 1
BROWS = (2, 3)
EYES = (4, 5)
GLASSES = 6
EARS = (7, 8)
NOSE = 10
MOUTH = 11
NECK = 14
CLOTH = 16
HAIR = 17
HAT = 18

"""float32 to bfloat16 with numpy, to the bit as torch rounds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

QUIET = 0x0040
"""The bit that keeps a NaN one when its lower half is cut off."""
LOWER_HALF = 0xFFFF
INFINITY = 0x7F800000
WITHOUT_SIGN = 0x7FFFFFFF


def to_bfloat16(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.uint16], bool]:
    """Round to the nearest bfloat16, to the even one of two, as torch does; infinity stays infinity.

    NaN stays NaN, with its sign; which bits torch gives a NaN depends on the processor. A bfloat16 is the upper half of
    a float32. Adding half of its last place, less one where that place is even, carries into the upper half exactly
    where rounding goes up.

    Args:
        values: float32, of any shape.

    Returns:
        The bits of the bfloat16 numbers, in the same shape; and whether all are what they were.
    """
    bits = values.view(np.uint32)
    if not np.any(bits & LOWER_HALF):
        return (bits >> 16).astype(np.uint16), True
    rounded = ((bits + (np.uint32(0x7FFF) + ((bits >> 16) & 1))) >> 16).astype(np.uint16)
    nan = (bits & WITHOUT_SIGN) > INFINITY
    if np.any(nan):
        cut = bits[nan] & LOWER_HALF != 0
        rounded[nan] = (bits[nan] >> 16) | np.where(cut, QUIET, 0)
    return rounded, False

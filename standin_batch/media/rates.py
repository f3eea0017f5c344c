"""Frame rates as the fractions that they are: 23.98 is 24000/1001."""

from __future__ import annotations

from fractions import Fraction

ROUNDING = 0.0051
"""ffmpeg prints two digits, people write two or three."""

LARGEST_DENOMINATOR = 100_000
SLOWEST_NTSC = 10


def exact(fps: float | Fraction) -> Fraction:
    """The frame rate that `fps` stands for, in frames per second.

    Whole numbers are what they say. Otherwise one within the rounding of `n * 1000 / 1001` is that one (SMPTE's
    rates of NTSC: 23.976, 29.97, 59.94, ...), and anything else the nearest fraction with a denominator up to 100000.
    `exact(float(exact(x)))` is `exact(x)`.
    """
    nominal = round(fps * 1001 / 1000)
    ntsc = Fraction(nominal * 1000, 1001)
    is_whole = Fraction(fps).limit_denominator(LARGEST_DENOMINATOR).denominator == 1
    if not is_whole and nominal >= SLOWEST_NTSC and abs(float(ntsc) - float(fps)) < ROUNDING:
        return ntsc
    return Fraction(fps).limit_denominator(LARGEST_DENOMINATOR)

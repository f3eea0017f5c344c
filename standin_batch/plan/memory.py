"""Memory profiles: what lives on the device while it is not at work, from the fastest to what needs least.

They change where weights wait, never what is computed: size, frames, steps, tiling and every bit of a video stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Profile(str, Enum):
    """Where weights wait.

    `resident`: all on the device, but for the text encoder after the prompts. `offload`: only the part at work; experts
    take turns, and leave while the VAE works. `lowest`: each layer comes for its own computation.
    """

    RESIDENT = "resident"
    OFFLOAD = "offload"
    LOWEST = "lowest"

    @property
    def below(self) -> tuple[Profile, ...]:
        """Those that need less, the nearest first."""
        rungs = tuple(Profile)
        return rungs[rungs.index(self) + 1 :]


def lowest(*profiles: Profile) -> Profile:
    """The one of these that needs least."""
    return max(profiles, key=list(Profile).index)


def next_profile(
    current: Profile, needed: int | None, capacity: int | None, weights: Mapping[Profile, int]
) -> Profile | None:
    """The profile to try after memory ran out: the nearest under which what was measured would have fit.

    Args:
        current: that ran out.
        needed: bytes that were taken at the highest, and those that were asked for then; None where nobody counts.
        capacity: bytes of the device; None where nobody counts.
        weights: bytes of weights that lie on the device under each profile.

    Returns:
        None where there is none left. Where nothing fits by the count the lowest is tried all the same: it is a count,
        not a proof.
    """
    lower = current.below
    if not lower or needed is None or capacity is None:
        return lower[0] if lower else None
    fitting = (profile for profile in lower if needed - (weights[current] - weights[profile]) <= capacity)
    return next(fitting, lower[-1])

"""Near-duplicates: clips that look the same, by their perceptual hashes alone. Where hashes come from is elsewhere.

Two hashes that differ in at most `d` bits are equal in at least one of `d + 1` bands of bits (the pigeonhole principle;
Manku, Jain, Das Sarma, "Detecting near-duplicates for web crawling", WWW 2007). So a clip is compared only with those
that share a band with it, and 100,000 clips take seconds.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

HASH_BITS = 192
"""pHash, 64 bits each, of three frames."""

NEAR = 10
"""Bits in which two clips may differ and look the same.

The same clip written anew differs in 0 to 10 bits at x264's CRF 10 to 28, at twice the size or a little brighter, and
in up to 18 at CRF 35. Other seeds of one prompt and identity differ in 76 and more, mirrored clips in 92 and more.
Measured on clips of the tiny model and of `manifests/`; half of the bits would differ by chance.
"""


def near_duplicates(hashes: Iterable[tuple[str, str]], near: int = NEAR) -> dict[str, str]:
    """Which clips look like one that came before them.

    A clip is compared with those before it that are no near-duplicates themselves, and belongs to the first that it is
    near to. So no two of the others look the same, and each near-duplicate looks like the one it is given for.

    Args:
        hashes: id of a clip and its hash, 48 hexadecimal digits; the better clips first. Others are passed over.
        near: bits that may differ, 0 .. 191.

    Returns:
        Id of the clip that it looks like, by the id of each near-duplicate.
    """
    kept = _Kept(near)
    found: dict[str, str] = {}
    for job_id, text in hashes:
        number = _number(text)
        if number is None:
            continue
        like = kept.first_near(number)
        if like is None:
            kept.add(job_id, number)
        else:
            found[job_id] = like
    return found


@dataclass
class _Kept:
    """Clips that look like none before them, by the bands of their hashes."""

    near: int
    ids: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    same: dict[int, int] = field(default_factory=dict)
    bands: list[dict[int, list[int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bands = [defaultdict(list) for _ in range(self.near + 1)]
        edges = [HASH_BITS * i // len(self.bands) for i in range(len(self.bands) + 1)]
        self._cuts = [(low, (1 << high - low) - 1) for low, high in itertools.pairwise(edges)]

    def add(self, job_id: str, number: int) -> None:
        place = len(self.ids)
        self.ids.append(job_id)
        self.numbers.append(number)
        self.same[number] = place
        for band, (low, mask) in zip(self.bands, self._cuts, strict=True):
            band[number >> low & mask].append(place)

    def first_near(self, number: int) -> str | None:
        """The first that is near; the very same hash is found at once, however many share a band with it."""
        numbers, near = self.numbers, self.near
        first = self.same.get(number, len(numbers))
        for band, (low, mask) in zip(self.bands, self._cuts, strict=True):
            for place in band.get(number >> low & mask, ()):
                if place >= first:
                    break
                if (numbers[place] ^ number).bit_count() <= near:
                    first = place
                    break
        return self.ids[first] if first < len(numbers) else None


def _number(text: str) -> int | None:
    try:
        return int(text, 16) if len(text) == HASH_BITS // 4 else None
    except ValueError:
        return None

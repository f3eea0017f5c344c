"""Drawn clips on disk: each is drawn once, and read from there by every stage and every start of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.world.character import character
from training.world.control import control
from training.world.draw import FRAMES, SIZE, draw
from training.world.portrait import portrait, portrait_truth
from training.world.scene import Scene, scene

Clips = npt.NDArray[np.uint8]

HELD_OUT = 1_000_000
"""Scenes and characters with this seed and above are never trained on."""
FOR_TRAINING = 999_983
"""Characters of training scenes have seeds below it; a prime, so that scenes and characters do not go in step."""
PORTRAIT = 256
"""Pixels of a portrait before its head is cut out."""
ROOM = 1.5
"""The square about a face that Stand-In is shown, in sides of the face's box."""

VIEWS = 2
"""Portraits of each scene's character."""
MISPLACED = 0.04
"""By how much a face's box is off, in its sides: about what a detector gives."""

Draw = Callable[[int], Clips]


def training_scene(seed: int, style: str = "plain") -> Scene:
    """The scene of a seed below `HELD_OUT`, with a character who may be trained on."""
    return scene(seed, style=style, character=character(character_seed(seed)))


def character_seed(seed: int) -> int:
    """Of the character in the training scene of a seed."""
    return seed * 7919 % FOR_TRAINING


def plain(seed: int) -> Clips:
    """A clip as it is: `[13, 96, 96, 3]`."""
    return draw(training_scene(seed))


def ink(seed: int) -> Clips:
    """A clip in the second style."""
    return draw(training_scene(seed, "ink"))


def controls(seed: int) -> Clips:
    """The stick figure of the same scene."""
    return control(training_scene(seed))


def head(seed: int) -> Clips:
    """What the model is shown of a person: `[1, 96, 96, 3]`."""
    return head_of(seed % FOR_TRAINING, seed)[None]


def heads(seed: int) -> Clips:
    """The character of the scene of this seed, as the model is shown it, in two views: `[2, 96, 96, 3]`."""
    return np.stack([head_of(character_seed(seed), VIEWS * seed + view) for view in range(VIEWS)])


def head_of(who: int, view: int, side: int = SIZE) -> Clips:
    """The head of character `who` on white, `[side, side, 3]`, cut out as `standin_batch.face.subject` does.

    Args:
        who: seed of the character.
        view: seed of the portrait, and of how the face's box is off.
        side: pixels of the square.
    """
    import cv2

    person = character(who)
    left, top, right, bottom = portrait_truth(person, PORTRAIT, view).box
    face = max(right - left, bottom - top)
    aside, below, larger = np.random.Generator(np.random.Philox(view)).uniform(-MISPLACED, MISPLACED, 3)
    half = face * ROOM / 2 * (1 + larger)
    x, y = (left + right) / 2 + aside * face, (top + bottom) / 2 + below * face
    scale = side / (2 * half)
    moved = np.array([[scale, 0, side / 2 - scale * x], [0, scale, side / 2 - scale * y]])
    picture = portrait(person, PORTRAIT, view)
    result: Clips = cv2.warpAffine(picture, moved, (side, side), flags=cv2.INTER_AREA, borderValue=(255, 255, 255))
    return result


def drawn(folder: Path, name: str, make: Draw, seeds: Sequence[int]) -> Clips:
    """The clips of `seeds`, `[N, T, H, W, 3]`, read from `folder` or drawn into it.

    Args:
        folder: for all stages.
        name: of the kind of clips, for people.
        make: draws one; a function at module level, as several processes call it.
        seeds: of the clips.
    """
    key = hashlib.sha256(repr((world(), name, FRAMES, SIZE, list(seeds))).encode()).hexdigest()[:12]
    path = folder / f"{name}-{key}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.part")
        _draw_into(temporary, make, seeds)
        temporary.rename(path)
    clips: Clips = np.load(path, mmap_mode="r")
    return clips


@cache
def world() -> str:
    """A digest of all that draws: what another version of it drew is drawn anew."""
    sources = sorted((Path(__file__).parent / "world").glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in [*sources, Path(__file__)])).hexdigest()


def _draw_into(path: Path, make: Draw, seeds: Sequence[int]) -> None:
    first = make(seeds[0])
    into = np.lib.format.open_memmap(path, "w+", np.uint8, (len(seeds), *first.shape))
    # OpenCV's threads do not survive a fork.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for index, clip in enumerate(pool.map(partial(_alone, make), seeds, chunksize=8)):
            into[index] = clip
    into.flush()


def _alone(make: Draw, seed: int) -> Clips:
    import cv2

    cv2.setNumThreads(1)
    return make(seed)

"""The eight places of the world as flat shapes, a little different for every seed, in 96ths of the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.world.chance import chance
from training.world.character import Colour
from training.world.shapes import Points, Shape, box, capsule, corners, darker, lighter, mixed, oval

Rng = np.random.Generator
SIDE = 96


def backdrop(name: str, seed: int) -> list[Shape]:
    """A place, from the back to the front; covers the square from 0 to 96 and no more than its rim."""
    rng = chance(seed, "background")
    return PLACES[name](rng)


def _flat(contour: Points, colour: Colour) -> Shape:
    return Shape((contour,), colour)


def _hue(rng: Rng, colour: Colour) -> Colour:
    red, green, blue = (int(np.clip(part + rng.integers(-9, 10), 0, 255)) for part in colour)
    return red, green, blue


def _graded(top: float, bottom: float, high: Colour, low: Colour, steps: int = 24) -> list[Shape]:
    """Bands that go softly from one colour to another; the lowest reaches a unit further."""
    edges = np.linspace(top, bottom, steps + 1)
    return [
        _flat(box(-2, edges[step], SIDE + 2, edges[step + 1] + 1), mixed(high, low, step / (steps - 1)))
        for step in range(steps)
    ]


def _ground(horizon: float, colour: Colour) -> list[Shape]:
    return _graded(horizon, SIDE, colour, darker(colour, 0.12), 8)


def _side(rng: Rng, near: float, far: float) -> float:
    """A place in the left or the right part of the picture."""
    x = rng.uniform(near, far)
    return float(x if rng.random() < 0.5 else SIDE - x)


def _beach(rng: Rng) -> list[Shape]:
    sea, sand = rng.uniform(38, 48), rng.uniform(62, 70)
    return [
        *_graded(0, sea, _hue(rng, (120, 206, 246)), (206, 240, 252)),
        _flat(oval(_side(rng, 8, 24), rng.uniform(10, 20), 8, 8), (255, 226, 92)),
        *_graded(sea, sand, _hue(rng, (24, 120, 190)), (60, 178, 208), 8),
        *_ground(sand, _hue(rng, (244, 218, 150))),
    ]


def _forest(rng: Rng) -> list[Shape]:
    floor = rng.uniform(68, 76)
    trees = [(x + rng.uniform(-4, 4), rng.uniform(3.5, 5)) for x in (8, 32, 62, 88)]
    leaf = _hue(rng, (32, 104, 60))
    crowns = [_flat(oval(x, rng.uniform(8, 22), rng.uniform(16, 20), 18), leaf) for x, _ in trees]
    return [
        *_graded(0, floor, _hue(rng, (112, 168, 104)), (150, 196, 128), 12),
        *(_flat(box(x - wide, 10, x + wide, floor + 3), (98, 66, 44)) for x, wide in trees),
        *crowns,
        *_ground(floor, _hue(rng, (62, 112, 52))),
    ]


def _city(rng: Rng) -> list[Shape]:
    street = rng.uniform(72, 78)
    colours = [_hue(rng, colour) for colour in ((150, 92, 84), (96, 108, 136), (186, 156, 122), (120, 120, 150))]
    shapes = _graded(0, street, _hue(rng, (196, 206, 224)), (232, 226, 222), 12)
    for index, x in enumerate((-2, 23, 48, 73)):
        shapes += _house(x, rng.uniform(8, 34), street, colours[(index + int(rng.integers(2))) % 4])
    return [*shapes, *_ground(street, (92, 92, 100))]


def _house(x: float, top: float, street: float, colour: Colour) -> list[Shape]:
    windows = [(x + 5, top + down) for down in (7, 25, 43)]
    lit = lighter(colour, 0.62)
    return [
        _flat(box(x, top, x + 24, street + 2), colour),
        *(_flat(box(a, b, a + 14, b + 10), lit) for a, b in windows if b + 10 < street - 2),
    ]


def _night_sky(rng: Rng) -> list[Shape]:
    hill = rng.uniform(72, 80)
    stars = [(x + rng.uniform(-5, 5), rng.uniform(4, 40)) for x in (10, 36, 60, 86)]
    return [
        *_graded(0, SIDE, _hue(rng, (34, 40, 108)), (86, 78, 160)),
        *(_flat(oval(x, y, 2.4, 2.4), (250, 244, 196)) for x, y in stars),
        _flat(oval(_side(rng, 10, 22), rng.uniform(12, 22), 8.5, 8.5), (250, 240, 190)),
        _flat(oval(rng.uniform(20, 76), hill + 40, 90, 42), (24, 28, 62)),
    ]


def _room(rng: Rng) -> list[Shape]:
    floor, x = rng.uniform(70, 77), _side(rng, 16, 22)
    other, y = SIDE - x, rng.uniform(26, 32)
    carpet = _flat(oval(48, 90, 40, 9), _hue(rng, (178, 68, 76)))
    return [
        *_graded(0, floor, _hue(rng, (240, 214, 172)), (232, 196, 150), 12),
        _flat(box(x - 13, y - 17, x + 13, y + 15), (250, 248, 240)),
        _flat(box(x - 10, y - 14, x + 10, y + 12), (146, 208, 240)),
        _flat(box(other - 9, y - 10, other + 9, y + 6), _hue(rng, (88, 124, 110))),
        *_ground(floor, _hue(rng, (164, 108, 66))),
        carpet,
    ]


def _snow(rng: Rng) -> list[Shape]:
    line = rng.uniform(58, 66)
    trees = [(_side(rng, 6, 20), rng.uniform(30, 38)) for _ in range(2)]
    return [
        *_graded(0, line + 6, _hue(rng, (140, 168, 204)), (206, 220, 236)),
        _flat(oval(rng.uniform(10, 86), line + 12, 50, 26), (222, 232, 244)),
        *(shape for x, high in trees for shape in _fir(x, line + 8, high)),
        *_graded(line + 5, SIDE, (248, 250, 254), (224, 234, 246), 8),
    ]


def _fir(x: float, foot: float, high: float) -> list[Shape]:
    tiers = [(foot - 0.72 * high, foot - 0.15 * high, 12.0), (foot - high, foot - 0.5 * high, 9.0)]
    return [
        _flat(box(x - 2.2, foot - 8, x + 2.2, foot + 1), (92, 66, 52)),
        *(_flat(corners((x, top), (x + wide, low), (x - wide, low)), (44, 100, 88)) for top, low, wide in tiers),
    ]


def _desert(rng: Rng) -> list[Shape]:
    line, x = rng.uniform(56, 64), _side(rng, 10, 18)
    top = line - rng.uniform(16, 22)
    cactus = [capsule(x, top, x, line + 12, 4), capsule(x - 8, top + 8, x - 8, top + 14, 2.8)]
    cactus += [capsule(x - 8, top + 14, x, top + 16, 2.8), capsule(x + 8, top + 5, x + 8, top + 10, 2.8)]
    cactus += [capsule(x + 8, top + 10, x, top + 12, 2.8)]
    return [
        *_graded(0, line + 9, _hue(rng, (250, 150, 84)), (255, 214, 140)),
        _flat(oval(SIDE - x, rng.uniform(14, 24), 9, 9), (255, 244, 196)),
        _flat(oval(rng.uniform(10, 86), line + 16, 56, 26), _hue(rng, (218, 134, 72))),
        *(_flat(part, (70, 126, 66)) for part in cactus),
        *_ground(line + 8, _hue(rng, (234, 172, 98))),
    ]


def _meadow(rng: Rng) -> list[Shape]:
    line = rng.uniform(54, 62)
    flowers = [(x + rng.uniform(-4, 4), rng.uniform(line + 14, 92)) for x in (10, 34, 62, 86)]
    cloud = _side(rng, 12, 26), rng.uniform(12, 20)
    colours: tuple[Colour, ...] = ((255, 240, 110), (250, 250, 250), (240, 110, 130))
    return [
        *_graded(0, line + 7, _hue(rng, (96, 176, 246)), (190, 226, 250)),
        *(_flat(oval(cloud[0] + dx, cloud[1] + dy, w, 5), (252, 252, 255)) for dx, dy, w in ((0, 0, 11), (4, -4, 7))),
        _flat(oval(rng.uniform(10, 86), line + 22, 60, 28), _hue(rng, (128, 196, 96))),
        *_ground(line + 6, _hue(rng, (96, 178, 66))),
        *(_flat(oval(x, y, 3.4, 3.4), colours[index % 3]) for index, (x, y) in enumerate(flowers)),
    ]


PLACES: dict[str, Callable[[Rng], list[Shape]]] = {
    "beach": _beach,
    "forest": _forest,
    "city": _city,
    "night sky": _night_sky,
    "room": _room,
    "snow": _snow,
    "desert": _desert,
    "meadow": _meadow,
}
"""The places under the names of `scene.BACKGROUNDS`."""

"""Control clips: a stick figure whose head is where the scene's head is, whoever acts and wherever."""

import numpy as np

from training.world.character import character
from training.world.control import HEAD, control
from training.world.draw import truth
from training.world.scene import ACTIONS, scene


def disc(frame):
    """Middle and radius of what has the head's colour."""
    y, x = np.nonzero(np.abs(frame.astype(int) - HEAD).max(-1) < 100)
    return x.mean(), y.mean(), np.sqrt(len(x) / np.pi)


def test_the_disc_lies_where_the_head_does():
    for seed, action in enumerate(ACTIONS):
        one = scene(seed, action=action)
        for frame, face in zip(control(one), truth(one), strict=True):
            left, top, right, bottom = face.box
            x, y, _ = disc(frame)
            assert abs(x - (left + right) / 2) < 1 and abs(y - (top + bottom) / 2) < 1


def test_the_disc_grows_as_the_head_does():
    one = scene(4, action="comes closer")
    ratios = [
        disc(frame)[2] / (face.box[2] - face.box[0]) for frame, face in zip(control(one), truth(one), strict=True)
    ]
    assert max(ratios) / min(ratios) < 1.03


def test_who_acts_and_where_does_not_show():
    one = scene(7, character=character(1), background="snow")
    other = scene(7, character=character(2), background="room", style="ink")
    assert np.array_equal(control(one), control(other))


def test_it_stands_on_black():
    clip = control(scene(3))
    assert clip.shape == (13, 96, 96, 3)
    assert (clip == 0).all(-1).mean() > 0.6

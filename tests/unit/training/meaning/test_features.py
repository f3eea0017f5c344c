"""What the classifiers are shown: it tells what it should, whatever else there is in the clip."""

from __future__ import annotations

import numpy as np
import pytest

from standin_batch.face.detect import Face
from training.meaning.features import action_features, place_features, style_features
from training.meaning.tracks import SAMPLED, Seen
from training.world.draw import draw, truth
from training.world.scene import scene


def seen_in(one, missing=()):
    faces = truth(one, frames=len(SAMPLED))
    return Seen({i: Face(face.box, face.landmarks, 1.0) for i, face in enumerate(faces) if i not in missing})


def test_the_place_is_seen_behind_what_moves():
    still = np.full((5, 96, 96, 3), 200, np.uint8)
    moving = still.copy()
    for index in range(5):
        moving[index, 20:80, 18 * index : 18 * index + 18] = 0
    assert np.abs(place_features(moving) - place_features(still)).max() < 0.02


def test_other_places_look_otherwise():
    night, snow = (place_features(draw(scene(1, background=name), frames=2)) for name in ("night sky", "snow"))
    assert snow.mean() > night.mean() + 0.2


def test_the_style_does_not_depend_on_where_a_colour_is():
    clip = draw(scene(2), frames=2)
    assert style_features(clip[:, ::-1]) == pytest.approx(style_features(clip))
    assert style_features(clip).sum() == pytest.approx(3)


def test_the_style_shows_in_the_same_scene():
    plain, ink = (style_features(draw(scene(3, style=style), frames=2)) for style in ("plain", "ink"))
    assert np.abs(plain - ink).sum() > 0.5


@pytest.mark.parametrize(("action", "sign"), [("walks to the left", -1), ("walks to the right", 1)])
def test_an_action_is_seen_in_the_track(action, sign):
    along = action_features(seen_in(scene(4, action=action)))[:52].reshape(4, 13)[:, 0]
    assert (sign * np.diff(along) > 3).all()


def test_where_it_begins_does_not_matter():
    one = seen_in(scene(5, action="jumps"))
    moved = Seen(
        {i: Face(tuple(np.add(f.box, 9)), tuple(map(tuple, np.add(f.landmarks, 9))), 1.0) for i, f in one.faces.items()}
    )
    assert action_features(moved) == pytest.approx(action_features(one))


def test_a_missing_frame_is_filled_in():
    whole, with_gap = (action_features(seen_in(scene(6, action="walks to the left"), gap)) for gap in ((), (2,)))
    assert np.abs(whole - with_gap)[:52].reshape(4, 13)[:, 0].max() < 2


def test_two_faces_tell_no_action():
    assert action_features(seen_in(scene(7), missing=(0, 2, 4))) is None

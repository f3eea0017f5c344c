"""Which way a head is turned, by five landmarks."""

import numpy as np
import pytest

from standin_batch.face.pose import HEAD, Pose, pose_of


def turned(yaw=0.0, pitch=0.0, roll=0.0, head=HEAD):
    """The landmarks of a head turned by these degrees, as a camera far away sees them."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([(np.cos(y), 0, -np.sin(y)), (0, 1, 0), (np.sin(y), 0, np.cos(y))])
    about_x = np.array([(1, 0, 0), (0, np.cos(p), np.sin(p)), (0, -np.sin(p), np.cos(p))])
    about_z = np.array([(np.cos(r), -np.sin(r), 0), (np.sin(r), np.cos(r), 0), (0, 0, 1)])
    return (head @ (about_y @ about_x @ about_z).T)[:, :2]


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 15), (40, -20, 10), (-70, 10, -30)]
)
def test_the_angles_of_a_turned_head_are_found(angles):
    assert pose_of(turned(*angles)) == pytest.approx(angles, abs=1e-6)


def test_size_and_place_in_the_picture_do_not_matter():
    assert pose_of(turned(25, -10, 5) * 70 + (300, 200)) == pytest.approx((25, -10, 5), abs=1e-6)


def test_a_nose_that_points_to_the_right_of_the_image_is_a_positive_yaw():
    landmarks = [(100, 100), (140, 100), (135, 125), (105, 150), (137, 150)]
    assert pose_of(landmarks).yaw > 20


def test_a_mirrored_head_is_turned_the_other_way():
    landmarks = turned(25, -10, 5)
    mirrored = (landmarks * (-1, 1))[[1, 0, 2, 4, 3]]
    assert pose_of(mirrored) == pytest.approx((-25, -10, -5), abs=1e-6)


def test_other_heads_near_the_camera_are_told_within_fifteen_degrees():
    random = np.random.default_rng(0)
    for yaw in (-50, -20, 0, 20, 50):
        head = HEAD + random.normal(0, 0.04, HEAD.shape)
        assert pose_of(turned(yaw, 10, -10, head)) == pytest.approx((yaw, 10, -10), abs=15)


def test_landmarks_in_one_place_say_nothing():
    assert pose_of([(7, 7)] * 5) == Pose(0, 0, 0)

"""The scores of a written video: of the file, not of what it was encoded from."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from standin_batch.face.detect import InsightFaceDetector
from standin_batch.face.swap import embedding_of
from standin_batch.media.image import open_image
from standin_batch.media.video import VideoInfo, VideoInputError
from standin_batch.output.video import write_video
from standin_batch.scores.clip import Person, sample, score_video
from standin_batch.scores.table import DECIDING, SCORES
from standin_batch.weights.tiny_faces import write_face_models

SIDE, LENGTH, FPS = 128, 9, 8.0
INFO = VideoInfo(SIDE, SIDE, LENGTH, FPS)


@pytest.fixture(scope="module")
def portrait(manifests):
    return open_image(manifests / "faces" / "astronaut.png")


@pytest.fixture(scope="module")
def person(portrait, tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    write_face_models(root)
    models = root / "antelopev2"
    embedding = embedding_of(portrait, InsightFaceDetector(models, "cpu", with_embedding=True))
    return Person(embedding, InsightFaceDetector(models, "cpu", with_embedding=True, size=(SIDE, SIDE)))


@pytest.fixture
def video(portrait, tmp_path):
    """The person's head in the first six frames, and nothing in the last three."""
    head = np.asarray(portrait.convert("RGB").crop((100, 0, 350, 250)))
    shown = cv2.resize(head, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    frames = np.stack([shown] * 6 + [np.full_like(shown, 128)] * 3)
    write_video(tmp_path / "clip.mp4", frames, FPS, metadata={})
    return tmp_path / "clip.mp4"


def test_a_clip_that_shows_the_person_in_two_thirds_of_its_frames(video, person):
    scores = score_video(video, INFO, samples=100, person=person)
    assert scores["scored_frames"] == LENGTH
    assert scores["face_frames"] == pytest.approx(6 / 9, abs=1e-4)
    assert scores["face_similarity"] > 0.9
    assert scores["face_similarity_min"] <= scores["face_similarity_p10"] <= scores["face_similarity"]


def test_the_same_file_has_the_same_scores_and_names_them_as_the_table_does(video, person):
    scores = score_video(video, INFO, 5, person)
    again = score_video(video, INFO, 5, person)
    assert scores == again
    assert set(scores) == {score.name for score in SCORES}


def test_a_clip_that_should_show_nobody_has_no_face_scores(video):
    scores = score_video(video, INFO, 5, None)
    assert not any(score.of_face and score.name in scores for score in SCORES)
    assert {"sharpness", "motion"} <= scores.keys() & DECIDING.keys()


def test_a_single_frame_does_not_move(portrait, tmp_path):
    write_video(tmp_path / "one.mp4", np.asarray(portrait.convert("RGB").resize((64, 64)))[None], FPS, metadata={})
    scores = score_video(tmp_path / "one.mp4", VideoInfo(64, 64, 1, FPS), 16, None)
    assert "motion" not in scores
    assert scores["scored_frames"] == 1


def test_a_video_that_is_not_what_it_was_is_told(video):
    with pytest.raises(VideoInputError):
        score_video(video, VideoInfo(SIDE, SIDE, LENGTH + 4, FPS), 5, None)


def test_frames_are_sampled_evenly_from_the_first_to_the_last():
    assert sample(81, 5) == [0, 20, 40, 60, 80]
    assert sample(9, 16) == list(range(9))
    assert sample(81, 1) == [0]

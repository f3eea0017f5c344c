"""Photographs and videos looked at once, and remembered by content."""

import json
import shutil

import numpy as np
import pytest
from degraded import FACES, portrait
from jobs import make_job
from PIL import Image

from standin_batch.digests import DigestCache
from standin_batch.face.detect import FaceModelsMissing
from standin_batch.job import InputFile
from standin_batch.media.image import ImageError
from standin_batch.media.video import probe_video
from standin_batch.output.video import write_video
from standin_batch.run.looks import Looks
from standin_batch.weights.locate import FaceFiles
from standin_batch.weights.tiny_faces import write_face_models

PARAMS = {"paste": True, "force_background_consistency": False}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    write_face_models(root)
    return FaceFiles(root / "antelopev2", root / "face-parsing")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "faces.jsonl"


def looks(files, cache):
    """As another process would have them."""
    return Looks(files, DigestCache(cache))


class NoDetector:
    """Nobody may look."""

    def detect(self, image_bgr):
        raise AssertionError("looked at again")


def blind(files, cache):
    return Looks(files, DigestCache(cache), _detector=NoDetector())


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Four frames with the portrait, eight without."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    face = np.asarray(portrait().resize((256, 256)))
    write_video(path, np.stack([face] * 4 + [np.full_like(face, 90)] * 8), 8.0, metadata={})
    return path


def job_of(clip, **files):
    found = {"input_video": InputFile(clip, "clip", probe_video(clip))}
    found |= {key: InputFile(path, path.name) for key, path in files.items()}
    return make_job(mode="face_swap", params=PARAMS, shape=(256, 256, 9), fps=8.0, files=found)


def test_a_photograph_is_looked_at_once(files, cache, tmp_path):
    first = looks(files, cache).portrait(FACES / "astronaut.png")
    shutil.copy(FACES / "astronaut.png", tmp_path / "renamed.png")
    again = blind(files, cache).portrait(tmp_path / "renamed.png")
    assert again == first
    assert np.array_equal(again.embedding, first.embedding)
    assert again.likeness.side > 90


def test_other_face_models_look_again(files, cache, tmp_path):
    looks(files, cache).portrait(FACES / "chelsea.png")
    shutil.copytree(files.detector, tmp_path / "other")
    (tmp_path / "other" / "glintr100.onnx").unlink()
    with pytest.raises(AssertionError, match="looked at again"):
        blind(FaceFiles(tmp_path / "other", files.parser), cache).portrait(FACES / "chelsea.png")


def test_without_an_embedder_people_are_found_but_not_told_apart(files, cache, tmp_path):
    shutil.copytree(files.detector, tmp_path / "other")
    (tmp_path / "other" / "glintr100.onnx").unlink()
    one_eyed = looks(FaceFiles(tmp_path / "other", files.parser), cache)
    assert not one_eyed.tells_apart
    found = one_eyed.portrait(FACES / "astronaut.png")
    assert len(found.faces) == 1
    assert found.embedding is None


def test_a_picture_that_cannot_be_read_is_not_remembered(files, cache, tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    for _ in range(2):
        with pytest.raises(ImageError):
            blind(files, cache).portrait(tmp_path / "x.png")


def test_a_cache_of_another_kind_is_no_harm(files, cache):
    cache.write_text('not json\n["a", 0]\n' + json.dumps([1, 2, 3, 4]) + "\n")
    assert looks(files, cache).portrait(FACES / "chelsea.png").faces == ()


def test_missing_face_models_say_what_to_do(cache, tmp_path):
    with pytest.raises(FaceModelsMissing, match="no face models"):
        looks(FaceFiles(tmp_path, tmp_path), cache).portrait(FACES / "astronaut.png")


def test_a_video_is_looked_at_once_as_far_as_its_job_uses_it(files, cache, clip):
    found = looks(files, cache).footage(job_of(clip))
    assert (found.name, found.sampled, found.with_face, found.most, found.likeness) == ("clip.mp4", 9, 4, 1, None)
    assert blind(files, cache).footage(job_of(clip)) == found


def test_the_person_who_is_meant_is_looked_for(files, cache, clip, tmp_path):
    found = looks(files, cache).footage(job_of(clip, target_image=FACES / "astronaut.png"))
    assert found.wanted == "astronaut.png"
    assert found.likeness > 0.7
    Image.new("RGB", (99, 99)).save(tmp_path / "nobody.png")
    found = looks(files, cache).footage(job_of(clip, target_image=tmp_path / "nobody.png"))
    assert (found.unusable, found.likeness) == ("no face was found there", None)

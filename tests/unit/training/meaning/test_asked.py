"""The folder that is asked with: a manifest that `standin` takes, and everything that it names."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from standin_batch.manifest.loader import load_manifest
from standin_batch.media.clip import load_clip
from standin_batch.media.video import probe_video
from training.meaning.asked import ask, given, manifest
from training.meaning.cases import CONTROL, INK, NOBODY, SWAP, of_kind
from training.world.draw import draw


@pytest.fixture(scope="module")
def lora(tmp_path_factory):
    path = tmp_path_factory.mktemp("loras") / "ink.safetensors"
    path.touch()
    return path


@pytest.fixture(scope="module")
def written(asked, lora, tmp_path_factory):
    few = [case for case in asked if case.number == 0]
    return few, ask(tmp_path_factory.mktemp("asked") / "new", few, lora)


@pytest.fixture
def jobs(asked, lora):
    who = list(dict.fromkeys(case.who for case in asked))
    return {job["name"]: job for job in manifest(asked, who, lora)["jobs"]}


def test_the_manifest_is_sound_and_has_a_job_for_each_case(written):
    few, path = written
    loaded = load_manifest(path)
    assert loaded.name == "meaning"
    assert [job.name for job in loaded.jobs] == [case.name for case in few]
    assert loaded.warnings == ()


def test_everybody_is_shown_in_a_portrait_and_once(written):
    few, path = written
    shown = sorted((path.parent / "portraits").iterdir())
    assert len(shown) == len({case.who for case in few}) == 1
    assert Image.open(shown[0]).size == (512, 512)


def test_clips_are_what_the_row_makes(written):
    _, path = written
    for name in ("control-00", "swap-00"):
        info = probe_video(path.parent / "clips" / f"{name}.mp4")
        assert (info.width, info.height, info.num_frames, info.fps) == (96, 96, 13, 8)


def test_a_clip_comes_through_its_file_nearly_as_it_was(written):
    few, path = written
    (case,) = of_kind(few, SWAP)
    file = path.parent / "clips" / f"{case.name}.mp4"
    read = load_clip(file, probe_video(file), 96, 96, 13, 8)
    assert np.abs(read.astype(float) - draw(case.given)).mean() < 5


def test_without_identity_nothing_but_the_identity_is_left_out(jobs, asked):
    for case in of_kind(asked, NOBODY):
        alone, shown = jobs[case.name], jobs[f"identity-{case.number:02}"]
        assert alone.pop("identity") is None
        assert shown.pop("identity") is not None
        assert {**alone, "name": shown["name"]} == shown


def test_the_style_is_asked_for_where_it_should_be(jobs, asked):
    assert {name for name, job in jobs.items() if "loras" in job} == {case.name for case in of_kind(asked, INK)}


def test_a_swap_may_change_the_face_alone(jobs, asked):
    assert all(jobs[case.name]["force_background_consistency"] for case in of_kind(asked, SWAP))


def test_a_control_video_tells_nothing_of_who_follows_it(asked):
    (case, _) = of_kind(asked, CONTROL)
    assert len(np.unique(given(case).reshape(-1, 3), axis=0)) < 2000
    assert (given(case)[:, 0, 0] == 0).all()

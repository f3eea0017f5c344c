"""Face swap from the command line: a photograph into a clip with two faces at times, and none at others.

`manifests/clips/visitors.mp4` has 25 frames: a large face in all but 16 to 19, and a small one in 6 to 13.
"""

from __future__ import annotations

import re
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

FRAMES = 21
CORNER = (slice(None), slice(None), slice(None), slice(0, 6), slice(-6, None))
"""Of the latents: sky, where no face ever is."""

JOBS = {
    "kept": {"num_frames": FRAMES, "force_background_consistency": True},
    "kept_too": {"num_frames": FRAMES, "force_background_consistency": True, "seed": 1},
    "free": {"num_frames": FRAMES, "force_background_consistency": False},
    "free_too": {"num_frames": FRAMES, "force_background_consistency": False, "seed": 1},
    "prepared": {"num_frames": 5, "paste": False},
    "weaker": {"num_frames": 5, "paste": False, "denoising_strength": 0.3},
    "slower": {"num_frames": 5, "paste": False, "fps": 8},
    "two_experts": {"num_frames": 5, "model": "tiny-2.2"},
}


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("swap")


@pytest.fixture(scope="module")
def ran(workspace, manifests):
    manifest = workspace.manifest("swap", content(manifests, JOBS))
    result = workspace.standin("run", manifest)
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def records(ran, workspace):
    return {record["name"]: record for record in workspace.records("swap")}


@pytest.fixture(scope="module")
def latents(records, workspace):
    folder = workspace.folder / "outputs" / "swap"
    return {name: load_file(folder / record["latents"])["latents"] for name, record in records.items()}


def content(manifests, jobs):
    return {
        "output": {"keep_latents": True},
        "defaults": {"num_inference_steps": 3, "max_pixels": 16384},
        "identities": {"astronaut": str(manifests / "faces" / "astronaut.png")},
        "jobs": [
            {
                "name": name,
                "mode": "face_swap",
                "identity": "astronaut",
                "prompt": "A person walks through hills.",
                "input_video": str(manifests / "clips" / "visitors.mp4"),
                **job,
            }
            for name, job in jobs.items()
        ],
    }


def about(path):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)]
    return subprocess.run(command, capture_output=True, check=False).stderr.decode()


def test_rate_and_sound_are_the_source_s(records, workspace):
    told = about(workspace.folder / "outputs" / "swap" / records["kept"]["video"])
    assert "16 fps" in told
    assert "Audio: aac" in told
    hours, minutes, seconds = map(float, re.search(r"Duration: (\d+):(\d+):([\d.]+)", told).groups())
    assert hours == minutes == 0
    assert seconds == pytest.approx(FRAMES / 16, abs=0.1)


def test_another_rate_shows_the_same_time_in_fewer_frames(records, workspace):
    assert "8 fps" in about(workspace.folder / "outputs" / "swap" / records["slower"]["video"])
    assert records["slower"]["fps"] == 8


def test_the_report_tells_each_face_s_frames(records):
    report = records["kept"]["report"]
    assert report["frames"] == FRAMES
    assert report["without_face"] == [[16, 19]]
    large, small = report["faces"]
    assert (large["frames"], large["first"], large["last"], large["replaced"]) == (17, 0, 20, True)
    assert (small["frames"], small["first"], small["last"], small["replaced"]) == (8, 6, 13, False)
    assert large["mean_side"] > small["mean_side"]


def test_frames_without_the_face_are_said_while_it_runs(ran):
    assert "the face was not found in 4 of 21 frames: 16-19" in ran.stderr


def test_a_prepared_video_is_not_looked_at(records):
    assert records["prepared"]["report"] == {}


def test_the_background_stays_if_wanted(latents):
    assert torch.equal(latents["kept"][CORNER], latents["kept_too"][CORNER])
    assert not torch.equal(latents["kept"], latents["kept_too"]), "the face is each seed's own"


def test_the_background_is_free_unless_wanted(latents):
    assert not torch.equal(latents["free"][CORNER], latents["free_too"][CORNER])


def test_less_strength_stays_closer_to_the_video(latents, workspace, manifests):
    original = latents["kept"][CORNER][:, :, :2]
    distance = {name: (latents[name][CORNER] - original).norm().item() for name in ("prepared", "weaker")}
    assert distance["weaker"] < distance["prepared"]


def test_a_policy_can_refuse_frames_without_the_face(workspace, manifests):
    jobs = {"strict": {"num_frames": FRAMES, "frames_without_face": "error"}}
    ran = workspace.standin("run", workspace.manifest("strict", content(manifests, jobs)))
    assert ran.returncode == 1
    assert "frames 16-19 of 21" in ran.stderr
    assert "frames_without_face: keep" in ran.stderr


def test_somebody_who_is_not_there_fails_the_job_by_name(workspace, manifests):
    jobs = {"third": {"num_frames": 5, "target": 2}}
    ran = workspace.standin("run", workspace.manifest("third", content(manifests, jobs)))
    assert ran.returncode == 1
    assert "third" in ran.stderr


def test_a_thing_cannot_be_pasted(workspace, manifests):
    written = content(manifests, {"cat": {"identity": "cat"}})
    written["identities"]["cat"] = {"image": str(manifests / "faces" / "chelsea.png"), "kind": "subject"}
    ran = workspace.standin("validate", workspace.manifest("cat", written))
    assert ran.returncode == 2
    assert "`cat` is no face" in ran.stderr
    assert "paste: false" in ran.stderr


def test_the_frames_are_the_source_s_size_and_length(records, workspace):
    reader = imageio_ffmpeg.read_frames(str(workspace.folder / "outputs" / "swap" / records["kept"]["video"]))
    assert next(reader)["size"] == (160, 96)
    assert sum(1 for _ in reader) == FRAMES
    assert np.prod((records["kept"]["width"], records["kept"]["height"])) <= 16384

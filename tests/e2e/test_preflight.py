"""Preflight from the command line: ten bad photographs among good ones, and a run that refuses one of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from degraded import BAD, FACES, portrait
from PIL import Image

from standin_batch.face.checks import Cause
from standin_batch.output.video import write_video

GOOD = ("ada", "ada_cut")
PLANTED = {
    "a_cat": Cause.NO_FACE,
    "two_people": Cause.SEVERAL_FACES,
    "tiny": Cause.TOO_SMALL,
    "out_of_focus": Cause.BLURRED,
    "at_the_left_edge": Cause.CUT_OFF,
    "at_night": Cause.TOO_DARK,
    "in_the_sun": Cause.TOO_BRIGHT,
    "broken": Cause.UNREADABLE,
    "twin": Cause.SAME_PERSON,
    "film.mp4": Cause.FACES_IN_VIDEO,
}
SMALL = {"num_inference_steps": 1, "num_frames": 5, "width": 64, "height": 64}
ALL_ONE_PERSON = {"same_person": 0.9995}
"""The tiny detector knows one person only: here another photograph of hers counts as another person."""


@pytest.fixture(scope="module")
def photographs(make_workspace):
    """A workspace with ten that are bad, each in one way, and two that are good."""
    workspace = make_workspace("preflight")
    folder = workspace.folder
    portrait().save(folder / "ada.png")
    portrait().crop((60, 0, 700, 700)).save(folder / "ada_cut.png")
    for name in PLANTED.keys() & BAD.keys():
        BAD[name][1]().save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes((folder / "ada.png").read_bytes()[:5000])
    portrait().save(folder / "twin.png", compress_level=1)
    face = np.asarray(portrait().resize((128, 128)))
    write_video(folder / "film.mp4", np.stack([face] * 2 + [np.full_like(face, 90)] * 7), 8.0, metadata={})
    return workspace


def manifest(workspace, name, people, **content):
    identities = {who: f"{who}.png" for who in people}
    jobs = [{"name": "all", "mode": "t2v", "prompt": "At a desk.", "matrix": {"identity": list(people)}}]
    return workspace.manifest(name, {"defaults": SMALL, "identities": identities, "jobs": jobs, **content})


@pytest.fixture(scope="module")
def whole(photographs):
    """A manifest with all of them."""
    people = [*GOOD, *(name for name in PLANTED if not name.endswith(".mp4")), "cat"]
    identities = {name: f"{name}.png" for name in people} | {
        "cat": {"image": str(FACES / "chelsea.png"), "kind": "subject"}
    }
    swap = {"name": "swap", "mode": "face_swap", "identity": "ada", "prompt": "p p", "input_video": "film.mp4"}
    jobs = [{"name": "all", "mode": "t2v", "prompt": "At a desk.", "matrix": {"identity": people}}, swap]
    content = {"faces": ALL_ONE_PERSON, "identities": identities, "jobs": jobs}
    return photographs.manifest("whole", content)


@pytest.fixture(scope="module")
def looked(photographs, whole):
    return photographs.standin("validate", whole, "--faces", "--json")


def test_ten_planted_faults_have_their_cause_and_the_good_ones_none(looked):
    assert looked.returncode == 2, looked.stderr
    told = json.loads(looked.stdout)
    assert {finding["name"]: finding["cause"] for finding in told["findings"]} == {
        name: cause.value for name, cause in PLANTED.items()
    }
    assert len(told["findings"]) == len(PLANTED) == 10
    verdicts = {each["name"]: each["verdict"] for each in [*told["identities"], *told["videos"]]}
    assert {name for name, verdict in verdicts.items() if verdict == "ok"} == {*GOOD, "cat"}
    assert {name for name, verdict in verdicts.items() if verdict == "error"} == {"a_cat", "broken"}
    (film,) = told["videos"]
    assert (film["sampled"], film["with_face"]) == (9, 2)


def test_the_same_is_said_to_people_and_the_sheet_is_there(photographs, whole, looked):
    ran = photographs.standin("validate", whole, "--faces")
    assert ran.returncode == 2
    assert "looked at 12 identities and 1 video: 2 errors, 8 warnings" in ran.stdout
    assert "the face has 61 pixels along its shorter side (at least 96)" in ran.stdout
    assert "cure: take a larger picture" in ran.stdout
    assert "Traceback" not in ran.stderr
    assert "contact sheet: outputs/whole/preflight.png" in ran.stdout
    with Image.open(photographs.folder / "outputs" / "whole" / "preflight.png") as sheet:
        assert sheet.width > 1000


def test_nothing_to_object_to_leaves_with_zero(photographs):
    good = manifest(photographs, "good", GOOD, faces=ALL_ONE_PERSON)
    ran = photographs.standin("validate", good, "--faces", "--sheet", "people.png")
    assert ran.returncode == 0, ran.stderr
    assert "looked at 2 identities: 0 errors, 0 warnings" in ran.stdout
    assert (photographs.folder / "people.png").is_file()


def test_without_face_models_it_leaves_with_three_and_says_what_to_get(photographs, tmp_path):
    good = manifest(photographs, "elsewhere", GOOD)
    ran = photographs.standin("validate", good, "--faces", "--checkpoints", tmp_path)
    assert ran.returncode == 3
    assert "there are no face models (*.onnx)" in ran.stderr
    assert "cure:" in ran.stderr


def test_a_refused_identity_fails_alone_and_is_made_when_it_is_no_longer_refused(photographs):
    people, faces = ("ada", "at_night", "tiny"), {**ALL_ONE_PERSON, "refuse": ["too_dark"]}
    refusing = manifest(photographs, "refusing", people, faces=faces)
    ran = photographs.standin("run", refusing)
    assert ran.returncode == 1, ran.stderr
    assert "preflight refuses at_night: the brightest parts of the face" in ran.stderr
    assert "take `too_dark` out of `faces.refuse`" in ran.stderr
    assert "! tiny: the face has 61 pixels" in ran.stderr, "the others are warned of"
    assert {record["identity"] for record in photographs.records("refusing")} == {"ada", "tiny"}
    assert (photographs.folder / "outputs" / "refusing" / "preflight.png").is_file()

    again = photographs.standin("run", refusing)
    assert again.returncode == 1, "it is looked at again"
    lenient = manifest(photographs, "refusing", people, faces={**faces, "refuse": []})
    ran = photographs.standin("run", lenient)
    assert ran.returncode == 0, ran.stderr
    assert "1 video made" in ran.stderr
    assert {record["identity"] for record in photographs.records("refusing")} == set(people)

"""Preflight of jobs: who is looked at, who is refused, and what a run says of it."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from degraded import BAD, FACES, portrait
from jobs import make_job
from PIL import Image

from standin_batch.errors import StandinError
from standin_batch.face.checks import Cause, FaceChecks, Finding, RefusedError
from standin_batch.files import sha256_file
from standin_batch.job import InputFile, Subject
from standin_batch.media.video import probe_video
from standin_batch.output.layout import OutputLayout
from standin_batch.output.video import write_video
from standin_batch.run.contact_sheet import write_sheet
from standin_batch.run.events import Prepared, Preparing, Warned
from standin_batch.run.preflight import MOST_SAID, Preflight, preflight, warnings_of
from standin_batch.run.subjects import Subjects
from standin_batch.weights.locate import FaceFiles
from standin_batch.weights.tiny_faces import write_face_models

CHECKS = FaceChecks()


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    write_face_models(root)
    return {"tiny": FaceFiles(root / "antelopev2", root / "face-parsing")}


@pytest.fixture
def folder(tmp_path):
    """With photographs."""
    portrait().save(tmp_path / "good.png")
    for name in ("tiny", "at_night", "a_cat"):
        BAD[name][1]().save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "good.png").read_bytes()[:5000])
    shutil.copy(tmp_path / "good.png", tmp_path / "copy.png")
    return tmp_path


def job(number, path, kind="face", on_no_face="error", name=""):
    subject = Subject(name or path.stem, path, kind, on_no_face, sha256_file(path))
    return replace(make_job(number), subject=subject)


def looked_at(folder, faces, *jobs, checks=CHECKS, events=None):
    emit = (lambda event: None) if events is None else events.append
    return preflight(jobs, checks, faces, OutputLayout(folder / "out"), emit)


def told(found):
    return [(finding.name, finding.cause.value, finding.severity) for finding in found.findings]


def test_jobs_without_identity_cost_nothing(folder):
    events = []
    assert looked_at(folder, {}, make_job(), events=events) == Preflight()
    assert events == []


def test_each_identity_is_looked_at_once_in_order(folder, faces):
    events = []
    jobs = [job(number, folder / f"{name}.png") for number, name in enumerate(["tiny", "good", "tiny", "a_cat"])]
    found = looked_at(folder, faces, *jobs, checks=replace(CHECKS, same_person=1.0), events=events)
    assert [seen.sitter.name for seen in found.seen] == ["tiny", "good", "a_cat"]
    assert told(found) == [("tiny", "too_small", "warning"), ("a_cat", "no_face", "error")]
    assert [type(event) for event in events] == [Preparing, Prepared]
    assert events[0].what == "looking at 3 identities"


def test_what_the_model_will_be_shown_is_ready_for_the_run(folder, faces):
    good = job(0, folder / "good.png")
    (seen,) = looked_at(folder, faces, good).seen
    assert seen.prepared == Subjects(OutputLayout(folder / "out").subjects, faces["tiny"], "cpu").prepare(good)
    assert Image.open(seen.prepared).size == (512, 512)


def test_a_photograph_without_a_face_is_left_to_its_job(folder, faces):
    found = looked_at(folder, faces, job(0, folder / "a_cat.png"), job(1, folder / "broken.png"))
    assert told(found) == [("a_cat", "no_face", "error"), ("broken", "unreadable", "error")]
    assert found.refused == {}
    assert [seen.prepared for seen in found.seen] == [None, None]


def test_a_photograph_that_is_taken_whole_is_prepared(folder, faces):
    (seen,) = looked_at(folder, faces, job(0, folder / "a_cat.png", on_no_face="whole_image")).seen
    assert seen.prepared is not None


def test_a_subject_has_only_to_open(folder, faces):
    found = looked_at(folder, faces, job(0, folder / "a_cat.png", "subject"), job(1, folder / "broken.png", "subject"))
    assert told(found) == [("broken", "unreadable", "error")]


def test_what_is_refused_fails_and_nothing_else(folder, faces):
    jobs = [job(0, folder / "tiny.png"), job(1, folder / "good.png"), job(2, folder / "tiny.png")]
    strict = replace(CHECKS, refuse=("too_small",), same_person=1.0)
    found = looked_at(folder, faces, *jobs, checks=strict)
    assert set(found.refused) == {"0000", "0002"}
    assert {finding.cause for finding in found.refused.values()} == {Cause.TOO_SMALL}
    subjects = Subjects(OutputLayout(folder / "out").subjects, faces["tiny"], "cpu", found.refused)
    with pytest.raises(RefusedError, match="61 pixels"):
        subjects.prepare(jobs[0])
    assert subjects.prepare(jobs[1]).is_file()


def test_an_identity_may_be_called_as_a_video_is(folder, faces):
    """What is wrong with the one is not said of the other, and refuses none of its jobs."""
    path = folder / "good.png.mp4"
    write_video(path, np.full((9, 96, 160, 3), (90, 120, 30), np.uint8), 25.0, metadata={})
    video = InputFile(path, sha256_file(path), probe_video(path))
    params = {"paste": True, "force_background_consistency": False}
    swap = make_job(1, mode="face_swap", params=params, files={"input_video": video})
    named = job(0, folder / "good.png", name="good.png.mp4")
    found = looked_at(folder, faces, swap, named, checks=replace(CHECKS, refuse=("faces_in_video",)))
    assert set(found.refused) == {swap.job_id}
    assert [finding.cause for finding in found.of("video", path.name)] == [Cause.FACES_IN_VIDEO]
    assert found.of("identity", path.name) == ()


def test_one_photograph_under_two_names_is_a_warning(folder, faces):
    found = looked_at(folder, faces, job(0, folder / "good.png"), job(1, folder / "copy.png"))
    assert told(found) == [("copy", "same_person", "warning")]
    assert found.findings[0].message == "the same photograph as good"


def test_two_photographs_of_one_name_are_told_apart(folder, faces):
    (folder / "other").mkdir()
    portrait().crop((0, 0, 700, 700)).save(folder / "other" / "good.png")
    found = looked_at(folder, faces, job(0, folder / "good.png"), job(1, folder / "other" / "good.png"))
    assert [seen.sitter.name for seen in found.seen] == ["good", "good (other/good.png)"]
    assert told(found) == [("good (other/good.png)", "same_person", "warning")]


def test_without_an_embedder_it_is_said_that_nobody_was_compared(folder, faces, tmp_path):
    shutil.copytree(faces["tiny"].detector, tmp_path / "models")
    (tmp_path / "models" / "glintr100.onnx").unlink()
    without = {"tiny": FaceFiles(tmp_path / "models", faces["tiny"].parser)}
    portrait().crop((0, 0, 700, 700)).save(folder / "again.png")
    found = looked_at(folder, without, job(0, folder / "good.png"), job(1, folder / "again.png"))
    assert found.findings == ()
    assert "people were not compared" in found.notes[0]


def findings(number, severity="warning"):
    return tuple(Finding(f"p{n}", Cause.BLURRED, severity, "soft", "focus", "soft") for n in range(number))


def test_a_run_says_the_first_warnings_and_how_many_more():
    said = list(warnings_of(Preflight(findings=findings(MOST_SAID + 3)), Path("my people.yaml")))
    assert said[0] == Warned("p0: soft", "focus")
    assert len(said) == MOST_SAID + 1
    assert said[-1] == Warned("… and 3 more", "standin validate --faces 'my people.yaml'")
    assert len(list(warnings_of(Preflight(findings=findings(MOST_SAID)), Path("x")))) == MOST_SAID


def test_errors_are_told_by_the_jobs_that_fail():
    assert list(warnings_of(Preflight(findings=findings(2, "error")), Path("x"))) == []


def test_the_contact_sheet_is_drawn_when_there_is_something_new(folder, faces):
    path = folder / "out" / "preflight.png"
    found = looked_at(folder, faces, job(0, folder / "good.png"), job(1, folder / "broken.png"))
    assert write_sheet(path, "people", found) == (path,)
    before = path.stat().st_mtime_ns, path.read_bytes()
    assert write_sheet(path, "people", found) == (path,)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    fewer = looked_at(folder, faces, job(0, folder / "good.png"))
    write_sheet(path, "people", fewer)
    assert path.read_bytes() != before[1]


def test_pages_that_are_no_longer_needed_go(folder, faces):
    path = folder / "preflight.png"
    found = looked_at(folder, faces, job(0, FACES / "chelsea.png", "subject"))
    many = replace(found, seen=found.seen * 61)
    assert write_sheet(path, "people", many) == (path, folder / "preflight-2.png")
    assert write_sheet(path, "people", found) == (path,)
    assert not (folder / "preflight-2.png").exists()


def test_nobody_needs_no_sheet(tmp_path):
    assert write_sheet(tmp_path / "preflight.png", "people", Preflight()) == ()
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_an_error_of_the_house():
    assert issubclass(RefusedError, StandinError)

"""Freight and inbox: the files of jobs go to a worker once each, and jobs are made from them there under their ids."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import PurePosixPath

import pytest
from jobs import make_job

from standin_batch.attempts import attempt
from standin_batch.backends.crew.freight import Freighter, inputs_of
from standin_batch.backends.crew.inbox import Inbox
from standin_batch.job import InputFile, Lora, Subject, job_id
from standin_batch.manifest.manifest import Acceptance
from standin_batch.output.layout import OutputLayout
from standin_batch.output.subject_key import subject_key
from standin_batch.plan.planner import make_plan


@pytest.fixture
def folder(tmp_path):
    for name, content in {"ada.png": b"ada", "style.safetensors": b"style", "wave.mp4": b"wave"}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path / "out")


def file(path):
    return InputFile(path, sha256(path.read_bytes()).hexdigest())


def job_from(folder, number=0, **fields):
    photograph = file(folder / "ada.png")
    job = make_job(
        number,
        subject=Subject("ada", photograph.path, "subject", "error", photograph.digest),
        loras=(Lora("style", {"all": file(folder / "style.safetensors")}, 0.5),),
        files={"reference_video": file(folder / "wave.mp4")},
        **fields,
    )
    return replace(job, job_id=job_id(job))


def plan(*jobs):
    return make_plan(jobs, {})


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def names(freight):
    return {str(name) for name in freight.files}


def test_a_job_is_made_from_the_same_contents_elsewhere_under_its_own_id(folder, layout, tmp_path):
    job = job_from(folder)
    inbox = Inbox(tmp_path / "inbox")
    inbox.take(Freighter(layout).load("w1", plan(job)).inputs)
    moved = inbox.moved(job)
    assert moved.job_id == job_id(moved) == job.job_id
    theirs, ours = dict(inputs_of([job])), dict(inputs_of([moved]))
    assert theirs.keys() == ours.keys() and len(ours) == 3
    for digest, path in ours.items():
        assert path.is_relative_to(tmp_path / "inbox")
        assert path.read_bytes() == theirs[digest].read_bytes()
        assert path.name == theirs[digest].name
        assert inbox.known_as[str(path)] == str(theirs[digest])


def test_each_content_goes_once_to_each_worker_and_is_read_once_in_all(folder, layout):
    read = []
    freighter = Freighter(layout, lambda content: read.append(content) or len(read))
    first, second = job_from(folder, 1), job_from(folder, 2)
    assert len(freighter.load("w1", plan(first, second)).inputs) == 3
    assert not freighter.load("w1", plan(second)).inputs
    assert len(freighter.load("w2", plan(second)).inputs) == 3
    assert sorted(read) == [b"ada", b"style", b"wave"]
    freighter.forget("w2")
    assert len(freighter.load("w2", plan(second)).inputs) == 3


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_bytes(b"another")])
def test_a_file_that_is_no_longer_what_was_planned_does_not_go_and_its_job_finds_none(folder, layout, tmp_path, change):
    job = job_from(folder)
    change(folder / "ada.png")
    inbox = Inbox(tmp_path / "inbox")
    inbox.take(Freighter(layout).load("w1", plan(job)).inputs)
    assert not inbox.moved(job).subject.image.exists()
    assert inbox.moved(job).loras[0].files["all"].path.read_bytes() == b"style"


def test_two_contents_of_one_name_do_not_meet(folder, layout, tmp_path):
    put(tmp_path / "b" / "ada.png", b"another ada")
    other = file(tmp_path / "b" / "ada.png")
    jobs = [job_from(folder), make_job(1, files={"reference_image": other})]
    inbox = Inbox(tmp_path / "inbox")
    inbox.take(Freighter(layout).load("w1", plan(*jobs)).inputs)
    assert inbox.moved(jobs[0]).subject.image.read_bytes() == b"ada"
    assert inbox.moved(jobs[1]).files["reference_image"].path.read_bytes() == b"another ada"


def test_of_the_output_folder_goes_what_its_jobs_need(folder, layout):
    job, other = job_from(folder, 1), job_from(folder, 2)
    prepared = layout.subjects / f"{subject_key(job.subject.fingerprint(), None)}.png"
    for path in (prepared, *(layout.saved_state(each.job_id) for each in (job, other)), layout.record(job.job_id)):
        put(path, path.name.encode())
    freighter = Freighter(layout)
    freight = freighter.load("w1", plan(job))
    # A record says nothing to a job that is not judged by it.
    state = layout.relative(layout.saved_state(job.job_id))
    assert names(freight) == {layout.relative(prepared), state}
    assert freight.files[PurePosixPath(state)] == f"{job.job_id}.safetensors".encode()
    # What is saved may be further by now; a prepared subject never changes.
    assert names(freighter.load("w1", plan(job))) == {state}


def test_a_job_that_is_judged_has_the_records_and_states_of_all_its_attempts(folder, layout):
    first = job_from(folder, accept=Acceptance((), best_of=1, max_reseeds=2))
    ids = [attempt(first, number).job_id for number in range(5)]
    # Three are allowed, and another was once; behind a gap nobody looks.
    paths = [layout.record(ids[0]), layout.record(ids[3]), layout.saved_state(ids[1])]
    for path in paths:
        put(path, b"x")
    assert names(Freighter(layout).load("w1", plan(first))) == {layout.relative(path) for path in paths}

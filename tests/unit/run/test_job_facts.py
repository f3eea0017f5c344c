"""What an output folder knows of one job."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from jobs import make_job

from standin_batch.job import InputFile, Lora
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import job_fields
from standin_batch.run.job_facts import JobFacts, label_of, read_facts, read_labels
from standin_batch.run.journal import Journal, State
from standin_batch.run.posts import at_post
from standin_batch.speed import Speed

JOB = make_job(job_id="00aa", who="ada", prompt="desk")


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


@pytest.fixture
def journal(layout):
    with closing(Journal(layout.journals)) as opened:
        yield opened


def record(layout, job):
    layout.records.mkdir(exist_ok=True)
    layout.record(job.job_id).write_text(json.dumps({**job_fields(job), "video": "videos/a.mp4"}))


def test_a_job_is_called_the_same_by_its_record():
    loras = (Lora("ghibli", {"all": InputFile(Path("g"), "g")}, 0.6), Lora("turbo", {}, 1.0))
    again = make_job(6, attempt=2, first_seed=1)
    quick = make_job(7, loras=loras, speed=Speed(fp8=True, cache=0.1))
    for job in (quick, make_job(3), make_job(4, who="ada", prompt="desk"), make_job(5, who="ada", loras=loras), again):
        assert label_of(json.loads(json.dumps({**job_fields(job), "attempt": job.attempt}))) == job.label


def test_of_an_empty_folder_nothing_is_known(layout):
    assert read_labels(layout) == {}
    assert read_facts(layout, "00aa", "ada") == JobFacts("00aa", "ada")


def test_labels_come_from_journals_and_from_records_without_one(layout, journal):
    record(layout, JOB)
    journal.write("00bb", "job b", State.FAILED)
    layout.owned.write_text("00aa\n00cc\n")
    assert read_labels(layout) == {"00aa": JOB.label, "00bb": "job b", "00cc": ""}


def test_everything_about_the_job_is_read_and_nothing_about_others(layout, journal):
    journal.write("00aa", "job a", State.RUNNING, attempt=1)
    journal.write("00bb", "job b", State.RUNNING)
    journal.write("00aa", "job a", State.FAILED, "no", kind="io", hint="look", attempt=1)
    layout.owned.write_text("00aa\n")
    line = {"time": "t", "level": "ERROR", "logger": "l", "message": "m", "thread": "t", "job_id": "00aa"}
    layout.log.write_text(json.dumps(line) + "\n" + json.dumps({**line, "job_id": "00bb"}) + "\n")
    found = read_facts(layout, "00aa", "job a")
    assert [(entry.state, entry.kind) for entry in found.entries] == [(State.RUNNING, ""), (State.FAILED, "io")]
    assert (found.at_work, found.owned, [said.message for said in found.log]) == (True, True, ["m"])
    assert read_facts(layout, "00cc", "job c").owned is False


def test_what_workers_say_of_a_job_is_in_their_own_logs(layout):
    line = {"time": "t", "level": "ERROR", "logger": "l", "message": "m", "thread": "t", "job_id": "00aa"}
    for name in ("w0", "w1"):
        path = layout.worker(name).log
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({**line, "message": name}) + "\n")
    assert [said.message for said in read_facts(layout, "00aa", "job a").log] == ["w0", "w1"]


def test_a_job_of_a_worker_is_at_work_while_that_is_at_its_post(layout):
    with closing(Journal(layout.journals, worker="w0")) as journal:
        with at_post(layout, "w0"):
            journal.write("00aa", "job a", State.RUNNING)
            assert read_facts(layout, "00aa", "job a").at_work
        assert not read_facts(layout, "00aa", "job a").at_work


def test_a_record_without_its_video_is_told_apart(layout):
    record(layout, JOB)
    assert not read_facts(layout, "00aa", JOB.label).has_video
    layout.videos.mkdir()
    (layout.videos / "a.mp4").touch()
    assert read_facts(layout, "00aa", JOB.label).has_video


def test_a_job_of_a_process_that_is_gone_is_not_at_work(layout):
    script = (
        "import os, pathlib, signal\n"
        "from standin_batch.run.journal import Journal, State\n"
        f"Journal(pathlib.Path({str(layout.journals)!r})).write('00aa', 'job a', State.RUNNING)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert not read_facts(layout, "00aa", "job a").at_work


def test_what_is_saved_of_it_is_told_by_its_step(layout):
    import torch

    from standin_batch.run.saved import Saved, write_saved

    latents = torch.zeros(1, 16, 3, 4, 4)
    write_saved(layout, Saved("00aa", {}, 12, 20, latents, None, {}, None, "resident", {}, ()))
    saved = read_facts(layout, "00aa", "job a").saved
    assert (saved.step, saved.steps) == (12, 20)

"""Where an output folder stands, from records and journals alone."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import ExitStack, closing, contextmanager

import pytest

from standin_batch.output.layout import OutputLayout
from standin_batch.run.journal import Journal, State
from standin_batch.run.posts import at_post
from standin_batch.run.status import read_status

FAST = 6.0
"""Seconds for 100,000 records."""


@pytest.fixture
def layout(tmp_path):
    found = OutputLayout(tmp_path)
    found.records.mkdir()
    found.state.mkdir()
    return found


@pytest.fixture
def journal(layout):
    with closing(Journal(layout.journals)) as opened:
        yield opened


def record(layout, *job_ids):
    for job_id in job_ids:
        layout.record(job_id).touch()


def own(layout, *job_ids):
    layout.owned.write_text("\n".join(job_ids))


def test_jobs_of_the_manifest_without_any_state_are_pending(layout, journal):
    own(layout, "a", "b", "c", "d", "e")
    record(layout, "a")
    journal.write("b", "job b", State.RUNNING)
    journal.write("c", "job c", State.FAILED, "no face")
    found = read_status(layout.folder)
    assert found.counts == {"COMPLETED": 1, "RUNNING": 1, "REQUEUED": 0, "FAILED": 1, "CANCELLED": 0, "PENDING": 2}
    assert (found.total, found.active) == (5, True)
    assert [(job.label, job.error) for job in (*found.running, *found.failed)] == [("job b", ""), ("job c", "no face")]


def test_records_of_other_jobs_are_counted_apart(layout):
    own(layout, "a", "b")
    record(layout, "a", "old", "older")
    found = read_status(layout.folder)
    assert (found.counts["COMPLETED"], found.counts["PENDING"], found.other) == (1, 1, 2)


def test_before_any_run_the_manifest_says_how_many(layout):
    record(layout, "a")
    assert read_status(layout.folder, total=3).counts["PENDING"] == 2
    assert "PENDING" not in read_status(layout.folder).counts


def test_a_record_outweighs_the_journal(layout, journal):
    journal.write("a", "job a", State.FAILED, "no face")
    record(layout, "a")
    assert read_status(layout.folder).failed == ()


def changed_run(layout, **changes):
    """Let the only journal tell something else of its run."""
    (path,) = layout.journals.iterdir()
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({"run": {**json.loads(head)["run"], **changes}}), *rest, ""]))


def entries(path, *rows):
    """Put so many entries into a journal: id, state and time."""
    with path.open("a") as file:
        for job_id, state, at in rows:
            file.write(f'{{"job_id":"{job_id}","state":"{state}","at":{at!r},"label":"job","attempt":1}}\n')


def completed(layout, started, *moments):
    """A run at work that began, and made videos, so many seconds ago."""
    own(layout, *"abcdef")
    now = time.time()
    record(layout, *"abcdef"[: len(moments)])
    changed_run(layout, started=now - started)
    (path,) = layout.journals.iterdir()
    entries(path, *((job_id, "COMPLETED", now - moment) for job_id, moment in zip("abcdef", moments, strict=False)))


def test_what_is_left_goes_by_the_pace_between_videos_as_loading_comes_but_once(layout, journal):
    own(layout, *"abcdef")
    assert read_status(layout.folder).seconds_left is None
    completed(layout, 300, 100, 80, 60, 40)
    found = read_status(layout.folder)
    assert found.seconds == pytest.approx(300, abs=1)
    assert found.seconds_left == pytest.approx(2 * 20 - 40, abs=1)


def test_with_one_video_it_goes_by_the_whole(layout, journal):
    completed(layout, 100, 40)
    assert read_status(layout.folder).seconds_left == pytest.approx(5 * 60 - 40, abs=1)


@contextmanager
def crew(layout, *names):
    """Workers at work, all of them this process, with their journals."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(at_post(layout, name))
        yield [stack.enter_context(closing(Journal(layout.journals, worker=name, device="cpu"))) for name in names]


def test_a_run_in_one_process_has_no_workers(layout, journal):
    journal.write("a", "job a", State.RUNNING)
    found = read_status(layout.folder)
    assert (found.workers, found.running[0].worker) == ((), "")


def test_each_worker_is_told_with_what_it_does(layout):
    with crew(layout, "w0", "w1") as (first, second):
        first.write("a", "job a", State.COMPLETED)
        first.write("b", "job b", State.RUNNING)
        second.write("c", "job c", State.FAILED, "no face")
        found = read_status(layout.folder)
        one, other = found.workers
        assert (one.name, one.host, one.device, one.completed) == ("w0", socket.gethostname(), "cpu", 1)
        assert (one.job_id, one.label, one.step) == ("b", "job b", None)
        assert time.time() - one.since < 60
        assert (other.name, other.completed, other.label) == ("w1", 0, "")
        assert [(job.job_id, job.worker) for job in (*found.running, *found.failed)] == [("b", "w0"), ("c", "w1")]


def test_a_worker_says_what_of_its_job_is_saved(layout):
    import torch

    from standin_batch.run.saved import Saved, write_saved

    latents = torch.zeros(1, 16, 3, 4, 4)
    write_saved(layout, Saved("b", {}, 12, 20, latents, None, {}, None, "resident", {}, ()))
    with crew(layout, "w0") as (journal,):
        journal.write("b", "job b", State.RUNNING)
        (worker,) = read_status(layout.folder).workers
    assert (worker.step, worker.steps) == (12, 20)


def test_a_job_of_a_worker_that_is_gone_was_cancelled_though_its_process_never_said_so(layout):
    with crew(layout, "w1"):
        with at_post(layout, "w0"):
            journal = Journal(layout.journals, worker="w0")
            journal.write("a", "job a", State.RUNNING)
            assert read_status(layout.folder).counts["RUNNING"] == 1
        found = read_status(layout.folder)
        assert (found.counts["RUNNING"], found.counts["CANCELLED"]) == (0, 1)
        assert [worker.name for worker in found.workers] == ["w1"]


def test_workers_without_a_driver_are_a_run_at_work(layout):
    with crew(layout, "w0"):
        assert read_status(layout.folder).active
    with at_post(layout, "w0"):
        assert read_status(layout.folder).active, "before its journal"
    assert not read_status(layout.folder).active


def test_what_is_left_goes_by_the_pace_of_all_workers_together(layout):
    own(layout, *"abcdefgh")
    record(layout, *"abcd")
    now = time.time()
    with crew(layout, "w0", "w1", "w2", "w3"):
        for path, ids in zip(sorted(layout.journals.iterdir()), ("ab", "cd", "", ""), strict=True):
            entries(path, *((job_id, "COMPLETED", at) for job_id, at in zip(ids, (now - 20, now), strict=False)))
        found = read_status(layout.folder)
    assert found.seconds_left == pytest.approx(4 * 20 / 4, abs=1), "those without a clip yet will be as quick"


def test_a_run_that_has_ended_is_not_at_work(layout):
    with closing(Journal(layout.journals)):
        assert read_status(layout.folder).active
    found = read_status(layout.folder)
    assert (found.active, found.seconds, found.seconds_left) == (False, None, None)


def test_a_later_process_with_the_same_id_is_not_the_run(layout, journal):
    journal.write("a", "job a", State.RUNNING)
    changed_run(layout, born="1")
    assert read_status(layout.folder).counts["CANCELLED"] == 1


@pytest.mark.timing
def test_a_hundred_thousand_records_are_read_in_no_time(layout, journal):
    ids = [f"{number:016x}" for number in range(100_000)]
    own(layout, *ids)
    for job_id in ids:
        os.close(os.open(f"{layout.records}/{job_id}.json", os.O_CREAT))
    (path,) = layout.journals.iterdir()
    entries(path, *((job_id, state, 1.0) for job_id in ids for state in ("RUNNING", "FAILED", "COMPLETED")))
    start = time.perf_counter()
    found = read_status(layout.folder)
    assert time.perf_counter() - start < FAST
    assert found.counts["COMPLETED"] == 100_000

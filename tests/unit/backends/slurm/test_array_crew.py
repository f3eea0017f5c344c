"""What the driver makes of what the tasks of an array tell. The programs of Slurm are scripts here."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desks import make_desk
from holding import Rests
from jobs import make_job
from records import write_records

from standin_batch.backends.crew.news import DIED, Gone, Joined, Told
from standin_batch.backends.crew.news_lines import telling
from standin_batch.backends.crew.orders import plan_of
from standin_batch.backends.slurm.array import Array, events_file, jobs_of, worker_name, write, written
from standin_batch.backends.slurm.crew import ArrayCrew
from standin_batch.errors import NotReadyError
from standin_batch.run.events import JobCompleted, JobFailed, Prepared, Preparing, Warned, WorkerLeft
from standin_batch.run.outcomes import RunEnded

JOBS = [make_job(number) for number in range(4)]
PLAN = plan_of(JOBS)
ARRAY = Array("standin-a-1", "12", (jobs_of(PLAN)[:2], jobs_of(PLAN)[2:]))
ENDED = "12|0|COMPLETED|node1|None\n12|1|COMPLETED|node2|None\n"


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """What `squeue` prints can be written, and what else was called is noted."""
    bin, calls, queue = tmp_path / "bin", tmp_path / "calls", tmp_path / "queue"
    bin.mkdir()
    queue.write_text(ENDED)
    for name, body in {"squeue": f"cat {queue}", "scancel": f'echo "$@" >> {calls}'}.items():
        (bin / name).write_text(f"#!/bin/sh\n{body}\n")
        (bin / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:/usr/bin:/bin")
    return queue


@pytest.fixture
def told():
    return []


@pytest.fixture
def desk(tmp_path, told):
    return make_desk(tmp_path / "out", told, {job.job_id for job in JOBS})


def tells(desk, rank, *news, restarts=0):
    tell = telling(events_file(desk.store.layout, worker_name(ARRAY.id, rank, restarts)))
    for each in news:
        tell(each)


def completed(job):
    return Told(JobCompleted(job.job_id, job.label, "videos/a.mp4", 1.0))


def failed(job):
    return Told(JobFailed(job.job_id, job.label, "it cannot be", "", "input"))


@pytest.fixture(autouse=True)
def hurried(desk, monkeypatch):
    """Nobody waits for the clock."""
    monkeypatch.setattr(desk.stop, "wait", Rests())


def crew(desk, max_failures=None, found=False):
    write(desk.store.layout, ARRAY)
    return ArrayCrew(ARRAY, desk, max_failures, found=found)


def test_an_array_whose_workers_have_all_done_theirs_is_over(slurm, desk):
    for rank, jobs in enumerate((JOBS[:2], JOBS[2:])):
        tells(desk, rank, Joined("node", "cpu"), *map(completed, jobs), Gone(""))
    crew(desk).work()
    assert desk.tally.remaining == 0 and not desk.stop.requested
    assert written(desk.store.layout) is None


def record_of(desk, job):
    write_records(desk.store.layout, [{"job_id": job.job_id, "video": f"videos/{job.job_id}.mp4"}])


def test_what_a_worker_has_made_and_could_not_say_any_more_is_made(slurm, desk, told):
    slurm.write_text("12|0|FAILED|node1|None\n12|1|COMPLETED|node2|None\n")
    tells(desk, 0, Joined("node", "cpu"), completed(JOBS[0]))
    tells(desk, 1, Joined("node", "cpu"), *map(completed, JOBS[2:]), Gone(""))
    record_of(desk, JOBS[1])
    crew(desk).work()
    assert desk.tally.remaining == 0 and not desk.stop.requested
    (last,) = [event for event in told if getattr(event, "job_id", "") == JOBS[1].job_id]
    assert (last.video, last.worker) == ("videos/0001.mp4", "slurm-12_0")


def test_before_that_it_is_looked_at(slurm, desk):
    looked = []
    for rank in range(2):
        tells(desk, rank, Gone("it was stopped", "stopped"))
    write(desk.store.layout, ARRAY)
    ArrayCrew(ARRAY, desk, None, found=False, put_in_order=lambda: looked.append(True)).work()
    assert looked == [True]


def test_who_has_left_jobs_is_named_and_nobody_where_nobody_has(slurm, desk, told):
    for rank, jobs in enumerate((JOBS[:1], JOBS[2:])):
        tells(desk, rank, Joined("node", "cpu"), *map(completed, jobs), Gone(""))
    crew(desk).work()
    assert [event.message for event in told if isinstance(event, Warned)] == [
        "all tasks have ended, and not all jobs are made"
    ]
    assert desk.stop.requested


def test_what_a_task_has_told_on_a_node_is_waited_for_though_slurm_has_it_no_more(slurm, desk, monkeypatch):
    tells(desk, 0, Joined("node", "cpu"), *map(completed, JOBS[:2]), Gone(""))
    rests = Rests(lambda: tells(desk, 1, *map(completed, JOBS[2:]), Gone("")) if len(rests) == 3 else None)
    monkeypatch.setattr(desk.stop, "wait", rests)
    crew(desk).work()
    assert desk.tally.remaining == 0 and len(rests) == 3


def test_but_not_for_ever(slurm, desk, monkeypatch):
    monkeypatch.setattr("standin_batch.backends.slurm.crew.LATE", 0.0)
    monkeypatch.setattr(desk.stop, "wait", Rests())
    crew(desk).work()
    assert desk.stop.reason == "tasks that ended early"


def test_and_not_for_one_that_was_on_no_node(slurm, desk, monkeypatch):
    slurm.write_text("12|0|CANCELLED||None\n12|1|CANCELLED||None\n")
    monkeypatch.setattr(desk.stop, "wait", rests := Rests())
    crew(desk).work()
    assert len(rests) == 1


def test_what_was_heard_before_a_task_was_requeued_says_nothing_of_its_end(slurm, desk, monkeypatch):
    tells(desk, 1, *map(completed, JOBS[2:]), Gone(""))
    slurm.write_text("12|0|PENDING||BeginTime\n12|1|COMPLETED|node2|None\n")
    monkeypatch.setattr("standin_batch.backends.slurm.watched.ASKS", 0.0)
    tells(desk, 0, Joined("node", "cpu"), completed(JOBS[0]), Gone("USR2", "stopped"))

    def meanwhile():
        if len(rests) == 2:
            slurm.write_text(ENDED)
        if len(rests) == 4:
            tells(desk, 0, completed(JOBS[1]), Gone(""), restarts=1)

    monkeypatch.setattr(desk.stop, "wait", rests := Rests(meanwhile))
    crew(desk).work()
    assert desk.tally.remaining == 0 and len(rests) == 4


def test_that_there_was_a_clip_before_says_nothing_of_one_that_is_forced(slurm, desk):
    record_of(desk, JOBS[0])
    for rank in range(2):
        tells(desk, rank, Gone(""))
    write(desk.store.layout, forced := replace(ARRAY, forced=True))
    ArrayCrew(forced, desk, None, found=False).work()
    assert desk.tally.remaining == len(JOBS)


def test_a_driver_that_comes_later_ends_by_the_failures_before_it_while_it_is_at_work(slurm, desk):
    tells(desk, 0, Joined("node", "cpu"), *map(failed, JOBS[:2]), Gone("max_failures", "max_failures"))
    tells(desk, 1, Gone(""))
    labour = crew(desk, max_failures=2, found=True)
    with pytest.raises(RunEnded, match="max_failures"):
        labour.work()
    assert len(desk.tally.failed) == 2


@pytest.fixture
def local(monkeypatch):
    """No file system hides what others have written."""
    monkeypatch.setattr("standin_batch.backends.slurm.crew.LATE", 0.0)


def test_workers_that_cannot_begin_are_no_reason_to_try_again_and_what_they_printed_is_shown(slurm, desk, local):
    slurm.write_text("12|0|FAILED|node1|NonZeroExitCode\n12|1|FAILED|node2|NonZeroExitCode\n")
    labour, printed = crew(desk), desk.store.layout.array.tasks.absolute() / "12_0_0_log.err"
    printed.parent.mkdir(parents=True, exist_ok=True)
    printed.write_bytes(
        b"a banner\n" * 9999 + b"\n  /home/me/venv/bin/activate: No such file\n\n\xff: command not found\n"
        b"srun: error: node1: task 0: Exited with exit code 127\n"
    )
    with pytest.raises(NotReadyError) as caught:
        labour.work()
    assert caught.value.message == (
        "task 0 of the array 12 could not begin: "
        "a banner / /home/me/venv/bin/activate: No such file / \N{REPLACEMENT CHARACTER}: command not found"
    )
    assert str(printed) in caught.value.hint


def test_nor_where_they_fall_over_their_first_line(slurm, desk, local):
    tells(desk, 0, Gone("ImportError: no module of that name", DIED))
    with pytest.raises(NotReadyError, match="could not begin: ImportError: no module of that name"):
        crew(desk).work()


def test_where_others_began_the_run_is_to_be_gone_on_with(slurm, desk, told, local):
    slurm.write_text("12|0|FAILED|node1|NonZeroExitCode\n12|1|COMPLETED|node2|None\n")
    tells(desk, 1, Joined("node", "cpu"), *map(completed, JOBS[2:]), Gone(""))
    crew(desk).work()
    (warning,) = [event.message for event in told if isinstance(event, Warned)]
    assert warning.startswith("1 of 2 tasks have ended early: 0 (FAILED); task 0 of the array 12 could not begin: it ")
    assert desk.stop.requested


def test_a_worker_that_was_killed_at_work_had_begun(slurm, desk, told, local):
    slurm.write_text("12|0|FAILED|node1|NonZeroExitCode\n12|1|CANCELLED|node2|None\n")
    tells(desk, 0, Joined("node", "cpu"))
    crew(desk).work()
    (warning,) = [event.message for event in told if isinstance(event, Warned)]
    assert warning == "2 of 2 tasks have ended early: 0 (FAILED), 1 (CANCELLED)"


def test_who_was_killed_leaves_while_others_are_at_work(slurm, desk, told, monkeypatch):
    monkeypatch.setattr("standin_batch.backends.slurm.watched.ASKS", 0.0)
    slurm.write_text("12|0|FAILED|node1|None\n12|1|RUNNING|node2|None\n")
    tells(desk, 0, Joined("node1", "cpu"))
    tells(desk, 1, Joined("node2", "cpu"))
    seen = []

    def meanwhile():
        if len(rests) == 4:
            seen.extend(event for event in told if isinstance(event, WorkerLeft))
            tells(desk, 1, *map(completed, JOBS[2:]), Gone(""))

    monkeypatch.setattr(desk.stop, "wait", rests := Rests(meanwhile))
    crew(desk).work()
    assert seen == [WorkerLeft("slurm-12_0", "Slurm has ended it: FAILED")]


def test_a_driver_that_comes_later_says_that_it_listens_until_it_has_heard_all(slurm, desk, told):
    tells(desk, 0, *map(completed, JOBS[:2]), Gone(""))
    tells(desk, 1, *map(completed, JOBS[2:]), Gone(""))
    crew(desk, found=True).work()
    what = "listening to the array 12, which is at work already"
    begins = told.index(Preparing(what))
    (ends,) = [number for number, event in enumerate(told) if isinstance(event, Prepared) and event.what == what]
    assert sum(isinstance(event, JobCompleted) for event in told[begins:ends]) == len(JOBS)

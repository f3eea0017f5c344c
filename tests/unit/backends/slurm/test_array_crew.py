"""What the driver makes of what the tasks of an array tell. The programs of Slurm are scripts here."""

from __future__ import annotations

import pytest
from jobs import make_job

from standin_batch.backends.crew.news import Gone, Joined, Told
from standin_batch.backends.crew.news_lines import telling
from standin_batch.backends.crew.orders import plan_of
from standin_batch.backends.slurm.array import Array, events_file, jobs_of, worker_name, write, written
from standin_batch.backends.slurm.crew import ArrayCrew
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputOptions, Store
from standin_batch.run.conduct import Desk
from standin_batch.run.events import JobCompleted, JobFailed
from standin_batch.run.journal import Journal
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.stopping import Stop
from standin_batch.run.tally import Tally

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
    layout = OutputLayout(tmp_path / "out")
    tally = Tally({job.job_id for job in JOBS})
    return Desk(
        store=Store(layout, OutputOptions("{job_id}", 5, lossless=False, keep_latents=False)),
        tally=tally,
        journal=Journal(layout.journals),
        emit=tally.listening(told.append),
        stop=Stop(),
        refresh=lambda: None,
    )


def tells(desk, rank, *news, restarts=0):
    tell = telling(events_file(desk.store.layout, worker_name(ARRAY.id, rank, restarts)))
    for each in news:
        tell(each)


def completed(job):
    return Told(JobCompleted(job.job_id, job.label, "videos/a.mp4", 1.0))


def failed(job):
    return Told(JobFailed(job.job_id, job.label, "it cannot be", "", "input"))


def crew(desk, max_failures=None, found=False):
    write(desk.store.layout, ARRAY)
    return ArrayCrew(ARRAY, desk, max_failures, found=found)


def test_an_array_whose_workers_have_all_done_theirs_is_over(slurm, desk):
    for rank, jobs in enumerate((JOBS[:2], JOBS[2:])):
        tells(desk, rank, Joined("node", "cpu"), *map(completed, jobs), Gone(""))
    crew(desk).work()
    assert desk.tally.remaining == 0 and not desk.stop.requested
    assert written(desk.store.layout) is None


def test_a_driver_that_comes_later_ends_by_the_failures_before_it_while_it_is_at_work(slurm, desk):
    tells(desk, 0, Joined("node", "cpu"), *map(failed, JOBS[:2]), Gone("max_failures", "max_failures"))
    tells(desk, 1, Gone(""))
    labour = crew(desk, max_failures=2, found=True)
    with pytest.raises(RunEnded, match="max_failures"):
        labour.work()
    assert len(desk.tally.failed) == 2

"""What people are told of a run with workers, and that of one in this process nothing is told of any."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from standin_batch.cli import progress_lines, progress_live, progress_plain
from standin_batch.run.events import (
    JobCompleted,
    JobFailed,
    JobSaved,
    JobStarted,
    JobStep,
    Prepared,
    Preparing,
    RunFinished,
    RunStarted,
    Stopping,
    Warned,
    WorkerLeft,
    WorkerStarted,
)

ENDED = RunFinished(1, 1, 1, 9.0, stopped=True, folder="out", why="Ctrl-C")


def run_of(worker=""):
    """Two clips end, and one is at work when the run is stopped."""
    return (
        RunStarted("faces", "out", 3, 0),
        *([WorkerStarted(worker, "node1", "cuda:0")] if worker else []),
        Preparing("loading weights", worker),
        Prepared("loading weights", 2.0, worker),
        JobStarted("a", "job a", 4, worker),
        JobStep("a", 4, 4),
        JobStarted("b", "job b", 4, worker),
        JobCompleted("a", "job a", "videos/a.mp4", 3.0, worker=worker),
        Warned("frames without a face", worker=worker),
        JobFailed("b", "job b", "no face", "", "input", worker),
        JobStarted("c", "job c", 4, worker),
        JobStep("c", 2, 4),
        JobSaved("c", 2, 4),
        Stopping("Ctrl-C"),
        *([WorkerLeft(worker, "")] if worker else []),
        ENDED,
    )


@pytest.fixture(params=[progress_live, progress_plain], ids=["live", "plain"])
def told(request, monkeypatch):
    """Lets a reporter tell of events; returns its lines."""
    screen = Console(file=io.StringIO(), width=120, soft_wrap=True, highlight=False)
    for module in (request.param, progress_lines):
        monkeypatch.setattr(module, "err", screen)
    name = "LiveReporter" if request.param is progress_live else "PlainReporter"

    def tell(*events):
        reporter = getattr(request.param, name)()
        for event in events:
            reporter(event)
        return [line.strip() for line in screen.file.getvalue().splitlines()]

    return tell


def mentions(lines, *words):
    return any(all(word in line for word in words) for line in lines)


def test_a_run_in_this_process_names_no_worker(told):
    lines = told(*run_of())
    assert not mentions(lines, "worker")
    assert mentions(lines, "✓ job a  3.0 s  videos/a.mp4")
    assert "loading weights: 2.0 s" in lines
    assert mentions(lines, "the clip at work is being saved")
    assert "job c: saved at step 2 of 4" in lines


def test_what_the_time_of_a_run_is_told_by_is_named_where_it_is_another_machines(told):
    assert mentions(told(RunStarted("faces", "out", 3, 0, 60.0)), "in all, as measured here")
    assert mentions(told(RunStarted("faces", "out", 3, 0, 60.0, "NVIDIA H200")), "in all, as measured on NVIDIA H200")


def test_of_a_crew_each_line_names_the_worker(told):
    lines = told(*run_of("w7"))
    assert "worker w7 is at work: node1 cuda:0" in lines
    assert "w7: loading weights: 2.0 s" in lines
    assert mentions(lines, "✓ job a", "w7") and mentions(lines, "✗ job b", "w7")
    assert "! w7: frames without a face" in lines
    assert mentions(lines, "the clips at work are being saved")
    assert "worker w7 has left" in lines
    assert "job c: saved at step 2 of 4" in lines


def test_why_a_worker_is_gone_is_told(told):
    lines = told(WorkerStarted("w0", "node1", "cuda:0"), WorkerLeft("w0", "node1 is lost"))
    assert "! worker w0 has left: node1 is lost" in lines


def test_one_that_another_follows_is_no_fault(told):
    lines = told(WorkerStarted("w0", "node1", "cuda:0"), WorkerLeft("w0", "requeued by Slurm", again=True))
    assert "worker w0 has left: requeued by Slurm" in lines


def test_without_a_terminal_a_step_names_its_worker_and_its_job(monkeypatch):
    screen = Console(file=io.StringIO(), width=120)
    monkeypatch.setattr(progress_plain, "err", screen)
    monkeypatch.setattr(progress_plain, "PLAIN_STEP_SECONDS", 0.0)
    reporter = progress_plain.PlainReporter()
    for worker in ("w0", ""):
        reporter(JobStarted(f"job of {worker}", "job a", 4, worker))
        reporter(JobStep(f"job of {worker}", 2, 4))
    assert screen.file.getvalue().splitlines() == ["  w0: step 2/4 of job a", "  step 2/4"]

"""Slurm: a real one on this machine, the real command line; whatever is ended, nothing is lost or made twice."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
from driven import Driven, latents, write_manifest
from slurm_cluster import NODES

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_records
from standin_batch.run.journals import history, runs

pytestmark = pytest.mark.cluster

EVERY = 5
"""Steps between saves."""

JOBS = 6


@pytest.fixture
def workspace(tmp_path):
    manifest_in(tmp_path)
    config_in(tmp_path)
    return tmp_path


def manifest_in(folder):
    """Clips of seconds, so that there is time to do something to them."""
    size = {"model": "tiny", "width": 96, "height": 96, "num_frames": 9, "num_inference_steps": 80}
    jobs = [{"name": "clip", "mode": "t2v", "matrix": {"prompt": ["rain", "window"], "seed": f"0..{JOBS // 2 - 1}"}}]
    return write_manifest(folder / "manifest.yaml", run={"checkpoint_every": EVERY}, defaults=size, jobs=jobs)


def config_in(folder, **more):
    lines = {"workers": 2, "gpus_per_worker": 0, "time": 30, "signal_before": 30, **more}
    told = "\n".join(f"{key} = {value!r}" for key, value in lines.items())
    (folder / "standin.toml").write_text(f'backend = "slurm"\n[slurm]\n{told}\n')


def start(folder, *arguments):
    return Driven(folder, "manifest.yaml", "--device", "cpu", *arguments)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The same jobs, made by one process that knows of no cluster."""
    folder = tmp_path_factory.mktemp("alone")
    manifest_in(folder)
    run = start(folder)
    assert run.code() == 0
    return latents(folder / "out")


def ended(run, code=0):
    assert run.code() == code, run.stderr.read_text()
    return run


def at_second_clip(run):
    """When the worker of the first rank has made a clip, and saved the next one on its way: its name and its array.

    It is always the first, as Slurm 22.05 takes a signal for the last, whose id is the array's own, as one for all.
    """
    array = run.until("WorkerStarted")["worker"].removeprefix("slurm-").split("_")[0]
    worker = f"slurm-{array}_0"
    run.until("JobCompleted", worker=worker)
    job_id = run.until("JobStarted", worker=worker)["job_id"]
    run.until("JobSaved", job_id=job_id, step=2 * EVERY)
    return worker, array


def assert_whole(folder, alone):
    """Every job is done, was made once, and is what one process makes, to the bit."""
    layout = OutputLayout(folder / "out")
    records = list(read_records(layout))
    assert len(records) == JOBS and all(has_video(layout, record) for record in records)
    assert latents(layout.folder) == alone
    told = Counter(entry.state.value for job in alone for entry in history(layout.journals, job))
    assert told["COMPLETED"] == JOBS
    assert not list(layout.saved.glob("*.safetensors"))
    assert len(layout.index.read_text().splitlines()) == JOBS
    assert not list(layout.folder.rglob(".tmp-*"))


def assert_repeats_little(*parts_of_a_run, repeats=EVERY):
    """What another worker went on with had been at most so many steps further."""
    events = [event for run in parts_of_a_run for event in run.events]
    for number, event in enumerate(events):
        if event["event"] == "JobResumed":
            mine = [each for each in events[:number] if each.get("job_id") == event["job_id"]]
            done = [each["step"] for each in mine if each["event"] in ("JobStep", "JobSaved")]
            assert max(done, default=0) - event["step"] <= repeats


def signalled(pids, number):
    for pid in pids:
        os.kill(pid, number)


def restarted(run):
    """The workers that went on with a shard that another had begun."""
    return [event["worker"] for event in run.named("WorkerStarted") if "." in event["worker"]]


def test_an_array_of_two_makes_what_one_process_makes_to_the_bit(slurm, workspace, alone):
    config_in(workspace, setup=["touch setup-$SLURM_ARRAY_TASK_ID"])
    run = ended(start(workspace))
    assert_whole(workspace, alone)
    names = sorted(event["worker"] for event in run.named("WorkerStarted"))
    array = names[0].removeprefix("slurm-").split("_")[0]
    assert names == [f"slurm-{array}_0", f"slurm-{array}_1"]
    assert Counter(event["worker"] for event in run.named("JobCompleted")) == dict.fromkeys(names, JOBS // 2)
    assert {task.node for task in slurm.tasks(array).values()} == set(NODES)
    assert [(workspace / f"setup-{rank}").exists() for rank in range(2)] == [True, True]
    ended(start(workspace))
    assert len(runs(OutputLayout(workspace / "out").journals)) == 3, "there was nothing to do, and nobody was sent"


@pytest.mark.parametrize("how", [("scontrol", "requeue"), ("scancel", "--signal=USR2")])
def test_a_task_that_is_requeued_goes_on_with_its_shard(slurm, workspace, alone, how):
    run = start(workspace)
    worker, array = at_second_clip(run)
    slurm.call(*how, f"{array}_0")
    ended(run)
    assert restarted(run) == [f"{worker}.1"]
    assert run.named("JobResumed")
    assert_repeats_little(run, repeats=0)
    assert_whole(workspace, alone)


def test_a_task_that_is_cancelled_leaves_its_jobs_to_the_next_run(slurm, workspace, alone):
    first = start(workspace)
    _, array = at_second_clip(first)
    slurm.call("scancel", f"{array}_0")
    ended(first, 75)
    told = [event["message"] for event in first.named("Warned")]
    assert told == ["1 of 2 tasks have ended early: 0 (CANCELLED)"]
    second = ended(start(workspace))
    assert len(second.named("JobCompleted")) == JOBS - len(first.named("JobCompleted"))
    assert_repeats_little(first, second, repeats=0)
    assert_whole(workspace, alone)


def test_what_a_drained_node_was_at_goes_on_on_the_other(slurm, workspace, alone):
    run = start(workspace)
    worker, array = at_second_clip(run)
    slurm.drain(node := slurm.tasks(array)[f"{array}_0"].node)
    slurm.call("scontrol", "requeue", f"{array}_0")
    ended(run)
    assert restarted(run) == [f"{worker}.1"]
    assert slurm.tasks(array)[f"{array}_0"].node != node
    assert_repeats_little(run, repeats=0)
    assert_whole(workspace, alone)


def test_what_a_node_was_at_that_goes_down_goes_on_on_the_other(slurm, workspace, alone):
    run = start(workspace)
    worker, array = at_second_clip(run)
    node = slurm.tasks(array)[f"{array}_0"].node
    slurm.call("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    ended(run)
    assert restarted(run) == [f"{worker}.1"]
    assert slurm.tasks(array)[f"{array}_0"].node != node
    assert_repeats_little(run)
    assert_whole(workspace, alone)


def test_a_worker_that_is_killed_costs_the_steps_since_its_last_save(slurm, workspace, alone):
    first = start(workspace)
    worker, _ = at_second_clip(first)
    (pid,) = [run.pid for run in runs(OutputLayout(workspace / "out").journals) if run.worker == worker]
    os.kill(pid, signal.SIGKILL)
    ended(first, 75)
    assert [event["message"] for event in first.named("Warned")] == ["1 of 2 tasks have ended early: 0 (FAILED)"]
    second = ended(start(workspace))
    assert second.named("JobResumed")
    assert_repeats_little(first, second)
    assert_whole(workspace, alone)


def test_an_array_goes_on_without_its_driver_and_the_next_one_finds_it(slurm, workspace, alone):
    first = start(workspace)
    _, array = at_second_clip(first)
    first.kill()
    workers = [run.pid for run in runs(OutputLayout(workspace / "out").journals) if run.worker]
    signalled(workers, signal.SIGSTOP)  # so that they are not done before the next driver is there
    other = ended(start(workspace, "--limit", "1"), 4)
    assert f"scancel {array}" in other.stderr.read_text()
    second = start(workspace)
    second.until("Prepared", what=f"listening to the array {array}, which is at work already")
    signalled(workers, signal.SIGCONT)
    ended(second)
    assert {event["worker"] for event in second.named("JobCompleted")} == {f"slurm-{array}_0", f"slurm-{array}_1"}
    assert not second.named("JobResumed")
    assert first.by_job("JobCompleted").keys().isdisjoint(second.by_job("JobCompleted").keys())
    assert_whole(workspace, alone)


def test_an_interrupted_run_saves_what_is_at_work_takes_the_rest_back_and_goes_on(slurm, workspace, alone):
    slurm.drain(NODES[1])
    first = start(workspace)
    _, array = at_second_clip(first)
    first.interrupt()
    ended(first, 75)
    slurm.wait_for(array, "COMPLETED", "CANCELLED")
    slurm.call("scontrol", "update", f"NodeName={NODES[1]}", "State=RESUME")
    second = ended(start(workspace))
    assert second.named("JobResumed")
    assert_repeats_little(first, second, repeats=0)
    assert_whole(workspace, alone)

"""What the Slurm backend relies on: how arrays, signals and requeues reach a task of submitit, without accounting."""

from __future__ import annotations

from pathlib import Path

import pytest
from slurm_cluster import NODES, SlurmCluster

pytestmark = pytest.mark.cluster


@pytest.fixture
def submit(slurm: SlurmCluster, tmp_path: Path):
    """Submits an array of two that listens; its id, when both are at work."""
    from slurm_tasks import Listening
    from submitit import SlurmExecutor

    def submitted(**parameters: object) -> str:
        executor = SlurmExecutor(tmp_path / "submitit")
        executor.update_parameters(**{"time": 10, **parameters})
        with executor.batch():
            jobs = [executor.submit(Listening(tmp_path, rank)) for rank in range(2)]
        slurm.until(lambda: all(told(tmp_path, rank) for rank in range(2)))
        return jobs[0].job_id.split("_")[0]

    return submitted


def told(folder: Path, rank: int, start: int = 0) -> list[str]:
    path = folder / f"{rank}.{start}"
    return path.read_text().splitlines() if path.exists() else []


def test_an_array_of_two_runs_one_task_on_each_node(slurm, submit, tmp_path):
    tasks = slurm.wait_for(submit(), "RUNNING", "RUNNING")
    assert {task.node for task in tasks.values()} == set(NODES)
    assert [told(tmp_path, rank) for rank in range(2)] == [[task.node] for _, task in sorted(tasks.items())]


def test_a_task_that_is_cancelled_hears_sigterm_and_is_seen_without_accounting(slurm, submit, tmp_path):
    array = submit()
    slurm.call("scancel", f"{array}_0")
    slurm.wait_for(array, "CANCELLED", "RUNNING")
    slurm.until(lambda: told(tmp_path, 0)[1:] == ["SIGTERM"])
    assert told(tmp_path, 1)[1:] == []


def test_a_signal_to_the_array_reaches_every_task_and_leaves_the_end_to_them(slurm, submit, tmp_path):
    array = submit()
    slurm.call("scancel", "--signal=TERM", array)
    slurm.wait_for(array, "COMPLETED", "COMPLETED")
    assert [told(tmp_path, rank)[1:] for rank in range(2)] == [["SIGTERM"], ["SIGTERM"]]


def test_a_task_that_is_requeued_hears_sigterm_and_starts_again_with_its_rank(slurm, submit, tmp_path):
    array = submit()
    slurm.call("scontrol", "requeue", f"{array}_1")
    slurm.until(lambda: told(tmp_path, 1, start=1))
    assert told(tmp_path, 1)[1:] == ["SIGTERM"]
    slurm.wait_for(array, "RUNNING", "RUNNING")


def test_what_submitit_does_at_usr2_requeues_the_task(slurm, submit, tmp_path):
    array = submit()
    slurm.call("scancel", "--signal=USR2", f"{array}_0")
    slurm.until(lambda: told(tmp_path, 0, start=1))
    assert (told(tmp_path, 0)[1:], told(tmp_path, 1)[1:]) == (["SIGUSR2"], [])
    slurm.wait_for(array, "RUNNING", "RUNNING")


def test_a_drained_node_gets_nothing_any_more(slurm, submit, tmp_path):
    array = submit()
    tasks = slurm.tasks(array)
    mine, other = (tasks[f"{array}_{rank}"].node for rank in range(2))
    slurm.drain(mine)
    slurm.call("scontrol", "requeue", f"{array}_0")
    slurm.until(lambda: told(tmp_path, 0)[1:] == ["SIGTERM"])
    slurm.call("scancel", f"{array}_1")
    slurm.until(lambda: told(tmp_path, 0, start=1))
    assert told(tmp_path, 0, start=1) == [other]

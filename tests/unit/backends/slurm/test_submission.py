"""What sbatch is told, by the machine file."""

from __future__ import annotations

import subprocess

import pytest
from jobs import make_job

from standin_batch.backends.crew.orders import plan_of
from standin_batch.backends.slurm.client import SlurmError
from standin_batch.backends.slurm.submission import clear, guard, new_name, parameters, submit
from standin_batch.machine import SlurmOptions
from standin_batch.output.layout import OutputLayout


def test_what_the_machine_file_leaves_open_is_left_to_the_cluster():
    told = parameters("a", SlurmOptions(workers=2))
    assert told["time"] is None, "submitit's own default is five minutes"
    assert not {"partition", "account", "qos", "constraint", "mem"} & set(told)
    assert (told["nodes"], told["ntasks_per_node"], told["gpus_per_node"]) == (1, 1, 1)


def test_what_it_says_reaches_sbatch():
    options = SlurmOptions(
        workers=2,
        partition="gpu",
        reservation="night",
        time=720,
        gpus_per_worker=0,
        cpus_per_worker=8,
        mem="64G",
        setup=("module load cuda",),
        signal_before=300,
        extra={"--mail-type": "FAIL", "exclusive": True},
    )
    told = parameters("a", options)
    assert (told["partition"], told["time"], told["mem"], told["cpus_per_task"]) == ("gpu", 720, "64G", 8)
    assert told["srun_args"] == ["--cpus-per-task=8"]
    assert "gpus_per_node" not in told
    assert told["setup"] == [":", "module load cuda", "export OMP_NUM_THREADS=8"]
    further = {"reservation": "night", "mail-type": "FAIL", "exclusive": True, "requeue": True, "signal": "USR2@300"}
    assert told["additional_parameters"] == further


def test_threads_may_be_fewer_than_processors():
    assert parameters("a", SlurmOptions(cpus_per_worker=8, threads=2))["setup"][-1:] == ["export OMP_NUM_THREADS=2"]


def test_no_two_arrays_have_one_name_and_squeue_takes_it():
    first, second = new_name("雨, and more"), new_name("雨, and more")
    assert first != second
    assert "," not in first and " " not in first
    assert new_name("trees").startswith("trees-standin-")


@pytest.fixture
def place(tmp_path):
    """Of an array, in an output folder that a group writes into."""
    found = OutputLayout(tmp_path / "out").array
    found.folder.mkdir(parents=True)
    found.folder.parent.chmod(0o2775)
    found.folder.chmod(0o2775)
    return found


def is_started(folder):
    script = f"{guard(folder)}\necho started"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout == "started\n"


def test_what_tasks_are_started_with_is_this_users_alone(place):
    clear(place)
    assert place.tasks.stat().st_mode & 0o777 == 0o700
    (place.tasks / "orders.pkl").touch()
    assert is_started(place.tasks)
    clear(place)
    assert not list(place.tasks.iterdir()), "of an earlier array"


def test_a_link_is_not_followed(place, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    place.folder.rmdir()
    place.folder.symlink_to(elsewhere)
    with pytest.raises(SlurmError, match="is a link"):
        clear(place)
    assert [path.name for path in elsewhere.iterdir()] == ["mine"]


def test_the_array_of_another_user_is_left_alone(place, monkeypatch):
    clear(place)
    place.file.touch()
    monkeypatch.setattr("os.geteuid", lambda: place.tasks.stat().st_uid + 1)
    with pytest.raises(SlurmError, match="another user's"):
        clear(place)
    assert place.file.exists()


@pytest.mark.parametrize("other", ["link", "writable", "nothing"])
def test_a_task_does_not_begin_with_what_was_put_in_its_place(place, tmp_path, other):
    clear(place)
    place.tasks.rename(place.folder / "before")
    if other == "link":
        place.tasks.symlink_to(place.folder / "before")
    elif other == "writable":
        place.tasks.mkdir()
        place.tasks.chmod(0o770)
    assert not is_started(place.tasks)


@pytest.fixture
def refusing(tmp_path, monkeypatch):
    """A machine whose sbatch takes nothing."""
    for name, body in {
        "srun": "",
        "sbatch": "echo 'sbatch: error: Invalid partition name specified' >&2; exit 1",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_what_slurm_refuses_is_told_once_with_the_key_that_is_wrong(refusing, tmp_path, capsys):
    pytest.importorskip("submitit")
    options, config = SlurmOptions(workers=1, partition="gpus"), tmp_path / "cluster.toml"
    clear(OutputLayout(tmp_path).array)
    folder = OutputLayout(tmp_path).array.tasks
    with pytest.raises(SlurmError, match=r"Slurm does not take the array: .*Invalid partition name") as caught:
        submit("a", [plan_of([make_job(1)])], "orders", options, folder, config)
    assert caught.value.hint.startswith(f"look at `partition` in {config}: ")
    assert capsys.readouterr() == ("", "")

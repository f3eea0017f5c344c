"""What sbatch is told, by the machine file."""

from __future__ import annotations

from standin_batch.backends.slurm.submission import new_name, parameters
from standin_batch.machine import SlurmOptions


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
    assert told["setup"] == ["module load cuda", "export OMP_NUM_THREADS=8"]
    further = {"reservation": "night", "mail-type": "FAIL", "exclusive": True, "requeue": True, "signal": "USR2@300"}
    assert told["additional_parameters"] == further


def test_threads_may_be_fewer_than_processors():
    assert parameters("a", SlurmOptions(cpus_per_worker=8, threads=2))["setup"] == ["export OMP_NUM_THREADS=2"]


def test_no_two_arrays_have_one_name_and_squeue_takes_it():
    first, second = new_name("雨, and more"), new_name("雨, and more")
    assert first != second
    assert "," not in first and " " not in first

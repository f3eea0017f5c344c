"""What this machine has measured, kept across runs."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from jobs import make_job

from standin_batch.plan.estimate import CPU, Device
from standin_batch.plan.kind import alike, kept_kind
from standin_batch.plan.learnt import LAST, Learnt
from standin_batch.plan.memory import Profile
from standin_batch.plan.work import job_flop
from standin_batch.run import measured as module
from standin_batch.run.measured import Measured, device_of, likely_device, likely_worker
from standin_batch.speed import Speed

TINY = ("tiny", "float32")
JOB = make_job()


@pytest.fixture
def measured(tmp_path):
    return Measured(tmp_path / "cache" / "throughput.jsonl")


def test_without_a_file_nothing_is_known(measured):
    costs = measured.costs("cpu")
    assert (costs.throughput, costs.loading) == ({}, {})


def test_a_finished_job_tells_the_throughput_of_its_denoising_and_decoding(measured):
    measured.add_job("cpu", JOB, {"prompt": 50.0, "identity": 50.0, "denoise": 1.5, "decode": 0.5})
    assert measured.costs("cpu").throughput == {TINY: job_flop(JOB) / 2.0}
    assert measured.costs("cpu").job_seconds(JOB) == 2.0


def test_only_exact_jobs_tell_the_throughput(measured):
    quick = make_job(speed=Speed(fp8=True, cache=0.2))
    measured.add_job("cpu", JOB, {"denoise": 2.0})
    for _ in range(3):
        measured.add_job("cpu", quick, {"denoise": 0.5})
    costs = measured.costs("cpu")
    assert costs.job_seconds(quick) == 0.5
    assert costs.job_seconds(make_job(speed=Speed(cache=0.1))) == 2.0, "a speed never seen is taken for no speed-up"
    twice = make_job(num_inference_steps=8)
    assert costs.job_seconds(twice) == pytest.approx(2.0 * job_flop(twice) / job_flop(JOB))


def test_each_memory_profile_has_its_own_seconds(measured):
    for seconds, memory in ((2.0, "resident"), (20.0, "lowest"), (21.0, "lowest")):
        measured.add_job("cpu", JOB, {"denoise": seconds}, memory=memory)
        measured.add_run("cpu", [JOB], False, {"start": 1.0, "denoise": seconds}, 0.0, memory)
    costs = measured.costs("cpu")
    low = replace(costs, memory=Profile.LOWEST)
    assert (costs.job_seconds(JOB), low.job_seconds(JOB)) == (2.0, 20.0)
    assert costs.once_seconds(alike([JOB]), {}) == low.once_seconds(alike([JOB]), {}) == 1.0
    assert costs.throughput == {TINY: job_flop(JOB) / 2.0}, "and a kind never seen goes by the highest of them"


def test_of_profiles_that_nobody_knows_nothing_is_told(measured):
    measured.add_job("cpu", JOB, {"denoise": 2.0}, memory="none")
    assert measured.costs("cpu").throughput == {}


def test_a_load_tells_the_time_of_loading(measured):
    measured.add_load("cpu", TINY, 3.0)
    assert measured.costs("cpu").loading == {TINY: 3.0}


def test_each_device_has_its_own(measured):
    measured.add_load("NVIDIA H200", TINY, 3.0)
    assert measured.costs("cpu").loading == {}


def test_the_median_of_the_last_counts(measured):
    for seconds in (*[1000.0] * LAST, *[1.0] * (LAST // 2 + 1), *[9.0] * (LAST // 2 - 1)):
        measured.add_load("cpu", TINY, seconds)
    assert measured.costs("cpu").loading == {TINY: 1.0}


@pytest.mark.parametrize(
    "line", ["", "{", "[1]", "{}", '{"device": "cpu"}', "\x00", '"x"', "NaN", '{"device": "cpu", "seconds": "x"}']
)
def test_a_line_that_is_damaged_is_passed_over(measured, line):
    measured.add_load("cpu", TINY, 3.0)
    with measured.path.open("a") as file:
        file.write(f"{line}\n")
    measured.add_load("cpu", TINY, 3.0)
    assert measured.costs("cpu").loading == {TINY: 3.0}


@pytest.mark.parametrize(("flop", "seconds"), [(1e9, 0.0), (0.0, 1.0), (1e9, -1.0), (1e9, "Infinity"), ("NaN", 1.0)])
def test_a_throughput_that_cannot_be_is_passed_over(measured, flop, seconds):
    measured.path.parent.mkdir()
    measured.path.write_text(
        f'{{"device": "cpu", "model": "tiny", "dtype": "float32", "flop": {flop}, "seconds": {seconds}}}\n'
    )
    assert measured.costs("cpu").throughput == {}


def test_a_line_cut_short_by_a_crash_does_not_swallow_the_next(measured):
    measured.add_load("cpu", TINY, 3.0)
    measured.path.write_bytes(measured.path.read_bytes()[:-5])
    measured.add_load("cpu", TINY, 4.0)
    assert measured.costs("cpu").loading == {TINY: 4.0}


@pytest.mark.parametrize("lost", ["first", "second"])
def test_lines_of_two_machines_at_the_same_place_tell_what_is_true_or_nothing(measured, lost):
    """As on network file systems, where the end of a file is what each machine takes for it."""
    for device in ("cpu", "a GPU of a longer name"):
        measured.add_load(device, TINY, 3.0)
    first, second = measured.path.read_bytes().splitlines(keepends=True)
    under, over = (first, second) if lost == "first" else (second, first)
    measured.path.write_bytes(over + under[len(over) :])
    assert [measured.costs(device).loading for device in ("cpu", "a GPU of a longer name")] == (
        [{}, {TINY: 3.0}] if lost == "first" else [{TINY: 3.0}, {}]
    )


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    Measured(tmp_path / "file" / "throughput.jsonl").add_load("cpu", TINY, 1.0)


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Puts an `nvidia-smi` into the path that runs a line of shell."""

    def install(line):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return install


def test_a_gpu_is_what_the_driver_calls_it(driver):
    driver('echo "NVIDIA H200, 143771"')
    gpu = Device("NVIDIA H200", 143771 << 20)
    assert device_of("cuda") == device_of("cuda:0") == likely_device() == gpu
    assert device_of("cpu") == CPU


@pytest.mark.parametrize(
    ("visible", "device", "asked"), [(None, "cuda:1", "1"), ("3,5", "cuda:1", "5"), ("GPU-ab", "cuda", "GPU-ab")]
)
def test_the_gpu_that_is_asked_is_the_one_that_torch_counts(driver, monkeypatch, visible, device, asked):
    driver('echo "$1, 1"')
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert device_of(device).name == f"--id={asked}"


@pytest.mark.parametrize("line", ["exit 9", "echo 'No devices were found'", "echo 'A, [N/A]'"])
def test_where_no_gpu_answers_the_cpu_is_planned_for(driver, line):
    driver(line)
    assert likely_device() == CPU
    assert device_of("cuda") == Device("cuda"), "and what runs there is not taken for the CPU"


def test_hidden_gpus_are_not_planned_for(driver, monkeypatch):
    driver('echo "NVIDIA H200, 143771"')
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert likely_device() == CPU


def test_the_gpu_that_was_measured_last_is_known(measured):
    assert measured.last_gpu() is None
    for device in ("NVIDIA H200", "NVIDIA L40", "cpu"):
        measured.add_load(device, TINY, 3.0)
    assert measured.last_gpu() == Device("NVIDIA L40")


def test_workers_are_taken_for_what_this_machine_has_or_has_measured_last(monkeypatch, tmp_path):
    monkeypatch.setenv("STANDIN_CACHE", str(tmp_path))
    assert likely_worker(CPU) == CPU
    Measured.default().add_load("NVIDIA L40", TINY, 3.0)
    assert likely_worker(CPU) == Device("NVIDIA L40")
    assert likely_worker(Device("NVIDIA H200", 1)) == Device("NVIDIA H200", 1)


def test_they_lie_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("STANDIN_CACHE", str(tmp_path))
    assert Measured.default().path == Path(tmp_path / "throughput.jsonl")


def test_a_finished_job_tells_what_its_kind_takes(measured):
    seconds = {"prompt": 50.0, "identity": 50.0, "inputs": 0.25, "switch": 0.25, "denoise": 1.5, "decode": 0.5}
    measured.add_job("cpu", JOB, seconds, kept=0.5, scored=True)
    costs = measured.costs("cpu")
    assert costs.job_seconds(JOB) == 2.5
    assert costs.learnt.kept == {kept_kind(JOB, True): 0.5}
    assert costs.job_seconds(make_job(num_inference_steps=8)) == pytest.approx(
        2.0 * job_flop(make_job(num_inference_steps=8)) / job_flop(JOB)
    ), "a kind never seen takes as long as its work"


def test_a_whole_run_tells_what_runs_take_besides(measured):
    measured.add_job("cpu", JOB, {"denoise": 2.0})
    measured.add_run("cpu", [JOB], False, {"start": 1.0, "denoise": 2.0, "torch": 3.0}, 0.0)
    assert measured.costs("cpu").once_seconds(alike([JOB]), {}) == 4.0
    assert measured.costs("NVIDIA H200").once_seconds(alike([JOB]), {}) == 0.0


def test_texts_that_a_run_has_had_are_not_encoded_again(measured):
    other = make_job(prompt="q")
    measured.add_job("cpu", JOB, {"denoise": 2.0})
    measured.add_run("cpu", [JOB], False, {"start": 1.0, "denoise": 2.0, "prompt": 3.0}, 0.0, encoded=2)
    measured.add_run("cpu", [JOB], False, {"start": 1.0, "denoise": 2.0}, 0.0, encoded=0)
    costs = measured.costs("cpu")
    assert costs.order_seconds([other]) - costs.order_seconds([JOB]) == pytest.approx(3.0)


def test_a_file_of_an_older_version_is_read(measured):
    measured.path.parent.mkdir()
    line = '{"device": "cpu", "model": "tiny", "dtype": "float32", "flop": 1000.0, "seconds": 2.0}\n'
    measured.path.write_text(line)
    costs = measured.costs("cpu")
    assert (costs.throughput, costs.learnt) == ({TINY: 500.0}, Learnt())


def a_run(measured):
    measured.add_run("cpu", [JOB], False, {"start": 1.0}, 0.0)


def a_load(measured):
    measured.add_load("cpu", TINY, 3.0)


@pytest.mark.parametrize("note", [a_run, a_load])
def test_a_file_that_has_grown_forgets_its_beginning(measured, monkeypatch, note):
    monkeypatch.setattr(module, "MOST_BYTES", 50_000)
    monkeypatch.setattr(module, "TAIL_BYTES", 20_000)
    sizes = []
    for _ in range(1000):
        note(measured)
        sizes.append(measured.path.stat().st_size)
    assert max(sizes) < 51_000
    assert all(json.loads(line)["device"] == "cpu" for line in measured.path.read_text().splitlines())
    assert len(list(measured.path.parent.iterdir())) == 1, "nothing temporary is left"

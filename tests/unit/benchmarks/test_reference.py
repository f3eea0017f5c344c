"""The reference is timed by its own script, or it is said why not."""

from __future__ import annotations

import argparse

import pytest

from benchmarks.common import BenchmarkError
from benchmarks.reference import reference_seconds

JOBS = [{"identity": "ada", "prompt": "desk", "seed": seed} for seed in (0, 1)]

SCRIPT = """
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ("ip_image", "prompt", "output", "seed", "num_inference_steps"):
    parser.add_argument("--" + name, required=True)
said = parser.parse_args()
with pathlib.Path("told.txt").open("a") as told:
    told.write(f"{said.ip_image} {said.prompt} {said.seed} {said.num_inference_steps}\\n")
"""


def seconds(folder, size="832x480"):
    arguments = argparse.Namespace(reference=folder, size=size, frames=81, steps=20)
    return reference_seconds(arguments, JOBS, {"ada": "ada.jpg"}, {"desk": "a desk"})


def test_each_job_is_a_process_of_its_script(tmp_path):
    (tmp_path / "infer.py").write_text(SCRIPT)
    assert [taken > 0 for taken in seconds(tmp_path)] == [True, True]
    assert (tmp_path / "told.txt").read_text() == "ada.jpg a desk 0 20\nada.jpg a desk 1 20\n"


def test_a_script_that_fails_measures_nothing(tmp_path):
    (tmp_path / "infer.py").write_text("raise SystemExit('no GPU here')")
    with pytest.raises(BenchmarkError, match="no GPU here"):
        seconds(tmp_path)


def test_no_checkout_measures_nothing(tmp_path):
    with pytest.raises(BenchmarkError, match=r"there is no .*infer\.py"):
        seconds(tmp_path)


def test_another_size_than_its_own_measures_nothing(tmp_path):
    (tmp_path / "infer.py").write_text(SCRIPT)
    with pytest.raises(BenchmarkError, match="only 832x480 with 81 frames"):
        seconds(tmp_path, "160x96")

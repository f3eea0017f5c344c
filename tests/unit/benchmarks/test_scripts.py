"""Each benchmark says what it answers and what it takes, at once: nothing heavy is imported for that."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPTS = ("batch", "runner", "plan", "kernel", "clip", "load", "speed_error", "fullsize")


@pytest.mark.parametrize("name", SCRIPTS)
def test_help(name):
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", f"benchmarks.{name}", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert f"python -m benchmarks.{name}" in ran.stdout
    imported = {line.split("|")[-1].strip().split(".")[0] for line in ran.stderr.splitlines() if "import time:" in line}
    assert imported.isdisjoint({"torch", "diffsynth"})

"""Commands that compute nothing start at once: they never import torch."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "diffsynth", "transformers", "onnxruntime", "insightface", "cv2")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["--version"],
        ["schema"],
        ["validate", "MANIFEST"],
        ["plan", "MANIFEST"],
        ["status", "MANIFEST"],
        ["stop", "MANIFEST"],
        ["why", "MANIFEST", "portraits", "astronaut", "desk", "seed", "0"],
        ["run", "MANIFEST"],
        ["dataset", "export", "MANIFEST", "--dry-run"],
        ["weights", "list"],
        ["weights", "download", "wan2.1-t2v-14b", "--dry-run"],
    ],
    ids=" ".join,
)
def test_no_heavy_import(quickstart, manifests, arguments):
    named = [str(manifests / "quickstart.yaml") if word == "MANIFEST" else word for word in arguments]
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "standin_batch", *named],
        cwd=quickstart[0].folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    imported = {line.split("|")[-1].strip().split(".")[0] for line in ran.stderr.splitlines() if "import time:" in line}
    assert "standin_batch" in imported
    assert imported.isdisjoint(HEAVY)


@pytest.mark.timing
def test_help_is_there_in_half_a_second():
    def seconds():
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "standin_batch", "--help"], capture_output=True, check=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.5

"""Importing DiffSynth brings no compiler along, and leaves torch as it was."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, torch
compiling = torch.compile
from standin_batch.engine.lean import import_diffsynth
import_diffsynth()
import standin_batch.engine.engine
print("torch._inductor.compile_fx" in sys.modules, torch.compile is compiling, "diffsynth" in sys.modules)
"""


def test_importing_diffsynth_brings_no_compiler_along():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False True True"

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


LATER = """
import torch
from standin_batch.engine.lean import _uncompiled
with _uncompiled():
    twice = torch.compile(lambda x: 2 * x, backend="eager")
    @torch.compile(backend="eager")
    def thrice(x):
        return 3 * x
print(twice(torch.ones(1)).item(), thrice(torch.ones(1)).item(), torch._dynamo.utils.counters["frames"]["ok"])
"""


def test_what_was_to_be_compiled_is_compiled_when_it_is_called():
    ran = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "2.0 3.0 2"


def test_importing_diffsynth_brings_no_compiler_along():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False True True"

"""`plan` and `run` are functions and subpackages at once, whatever is imported first."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

IMPORTS = (
    "from standin_batch import plan, run",
    "import standin_batch",
    "import standin_batch.run.log as log",
    "import standin_batch.plan.plan",
    "from standin_batch.plan.plan import Plan",
    "from standin_batch.run.plan_manifest import plan_manifest",
    "import standin_batch.cli.main",
    "import standin_batch.api",
)

SAME = """
import inspect, standin_batch, standin_batch.run.stopping, standin_batch.plan.plan
from standin_batch import plan, run
from standin_batch.plan.plan import Plan
assert callable(plan) and callable(run)
assert list(inspect.signature(plan).parameters)[:2] == ["manifest", "only"]
assert list(inspect.signature(run).parameters)[:2] == ["what", "device"]
assert standin_batch.plan.plan.Plan is Plan
assert standin_batch.run.stopping.Stop is __import__("standin_batch.run.stopping").run.stopping.Stop
try:
    plan("there-is-none.yaml")
except standin_batch.errors.StandinError as error:
    print(type(error).__name__)
"""


def ran(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("first", IMPORTS)
def test_they_are_both_whatever_comes_first(first):
    assert ran(first + SAME) == "ManifestError\n"


def test_they_are_both_after_every_other_import():
    assert ran("\n".join(reversed(IMPORTS)) + SAME) == "ManifestError\n"


def test_notebooks_find_what_they_do():
    from standin_batch import api, plan, run

    for called, function in ((plan, api.plan), (run, api.run)):
        assert inspect.signature(called) == inspect.signature(function)
        assert called.__doc__ == function.__doc__


def test_importing_the_package_imports_nothing_heavy():
    """The command line starts through it."""
    loaded = ran("import sys, standin_batch; print(*sys.modules)").split()
    mine = {name for name in loaded if name.startswith("standin_batch")}
    assert mine == {f"standin_batch{part}" for part in ("", ".api", ".errors", ".plan", ".run")}
    heavy = {"torch", "pydantic", "yaml", "numpy", "rich", "typer", "pyarrow", "pathlib", "dataclasses"}
    assert heavy.isdisjoint(set(loaded) - set(ran("import sys, typing; print(*sys.modules)").split()))


def test_the_package_says_that_it_is_typed():
    from importlib.resources import files

    assert (files("standin_batch") / "py.typed").is_file()

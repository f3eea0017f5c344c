"""The package from Python, as `docs/python.md` shows it, in a process of its own that calls it again and again."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from standin_batch import load_manifest, plan, read_index
from standin_batch.errors import StandinError, UsageError
from standin_batch.output.layout import OutputLayout
from standin_batch.run.lock import held

BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)

AGAIN = """
import json, logging, os, signal, threading
from standin_batch import load_manifest, plan, read_index, run
from standin_batch.run.events import JobSaved, JobStep, RunFinished

heard, threads = logging.getLogger().handlers[:], threading.active_count()
told = {}
four = load_manifest("manifests/quickstart.yaml", overrides=["jobs.portraits.seed=0", "defaults.num_inference_steps=9"])
planned = plan(four)
events = []


def interrupts(event):
    events.append(event)
    if isinstance(event, JobStep) and event.step == 3:
        os.kill(os.getpid(), signal.SIGINT)


try:
    run(planned, on_event=interrupts, progress=False)
except KeyboardInterrupt as stopped:
    told["stopped"] = str(stopped)
told["saved"] = [event.step for event in events if isinstance(event, JobSaved)]
told["finished"] = [event.stopped for event in events if isinstance(event, RunFinished)]
told["late"] = vars(run(plan(four), max_time=1e-6, progress=False))


def fails(event):
    if isinstance(event, JobStep):
        raise RuntimeError("mine")


try:
    run(planned, on_event=fails, progress=False)
except RuntimeError as error:
    told["fails"] = str(error)
told["limited"] = run(plan(four, limit=1), progress=False).completed
told["stale"] = run(planned, progress=False).completed
told["nothing"] = vars(run(four, progress=False))
told["rows"] = read_index("manifests/quickstart.yaml").num_rows
told["handlers"] = logging.getLogger().handlers == heard
told["signals"] = signal.getsignal(signal.SIGINT) is signal.default_int_handler
told["threads"] = [thread.name for thread in threading.enumerate() if thread.name in ("writer", "watch")]
print(json.dumps(told))
"""


@pytest.fixture
def folder(workspace, manifests):
    (workspace.folder / "manifests").symlink_to(manifests)
    return workspace.folder


def ran(code, folder):
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_documentation_says_what_happens(docs, folder):
    blocks = BLOCK.findall((docs / "python.md").read_text())
    code = "\n".join(text for kind, text in blocks if kind == "python")
    shown = "".join(text for kind, text in blocks if kind == "text")
    found = ran(code, folder)
    assert found.returncode == 0, found.stderr
    assert found.stdout == shown
    assert "2 videos made" in found.stderr


@pytest.mark.slow
def test_runs_follow_each_other_in_one_process(folder):
    found = ran(AGAIN, folder)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert told["stopped"] == "Ctrl-C"
    assert told["saved"] == [3], "the clip at work was saved where it was interrupted"
    assert told["finished"] == [True]
    assert (told["late"]["stopped"], told["late"]["remaining"], told["late"]["why"]) == (True, 4, "the deadline")
    assert told["fails"] == "mine"
    assert told["limited"] == 1
    assert told["stale"] == 3, "what is done since it was planned is not made again"
    assert (told["nothing"]["completed"], told["nothing"]["remaining"]) == (0, 0)
    assert told["rows"] == 4
    assert told["handlers"] and told["signals"] and told["threads"] == []
    assert found.stderr == "", "nothing is shown without progress"


def test_a_plan_reads_well(quickstart, manifests, monkeypatch):
    monkeypatch.chdir(quickstart[0].folder)
    planned = plan(manifests / "quickstart.yaml", force=True, limit=3)
    assert repr(planned) == "<PlannedRun quickstart: 3 to make, 0 made before, into outputs/quickstart>"
    printed = quickstart[0].standin("plan", manifests / "quickstart.yaml", "--force", "--limit", 3).stdout
    assert [line.rstrip() for line in str(planned).splitlines()] == [line.rstrip() for line in printed.splitlines()]
    assert "portraits · astronaut · desk · seed 0" in planned._repr_html_()
    assert planned._repr_html_().startswith("<pre")
    assert [item.reason.kind.value for item in planned.jobs] == ["forced"] * 3
    assert planned.estimate().jobs == len(planned) == 3


def test_planning_can_be_narrowed(manifests):
    manifest = load_manifest(manifests / "modes.yaml", overrides=["jobs.text.seed=5"])
    assert {item.job.seed for item in plan(manifest, only=["text"]).jobs} == {5}
    assert sum(shard.jobs for shard in plan(manifest, only="text").makespan(workers=2).shards) == 3
    with pytest.raises(UsageError, match="workers is 0"):
        plan(manifest).makespan(workers=0)
    assert len(plan(manifest, only="text")) == 3
    with pytest.raises(UsageError, match="there is no job"):
        plan(manifest, only=["nothing"])
    with pytest.raises(UsageError, match="limit is 0"):
        plan(manifest, limit=0)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tracebacks have no notes")
def test_errors_bring_their_cure(tmp_path):
    with pytest.raises(StandinError) as error:
        read_index(tmp_path / "none")
    assert error.value.__notes__ == ["cure: name a manifest, or an output folder, such as outputs/NAME"]


@pytest.fixture
def output(quickstart, workspace):
    """A copy of the quick start's output, with an index as old as can be."""
    import shutil

    shutil.copytree(quickstart[0].folder / "outputs", workspace.folder / "outputs", symlinks=True)
    return OutputLayout(workspace.folder / "outputs" / "quickstart")


def test_an_index_that_is_up_to_date_is_read(output):
    before = output.parquet.stat().st_mtime_ns
    assert read_index(output.folder).num_rows == 8
    assert output.parquet.stat().st_mtime_ns == before


@pytest.mark.parametrize("missing", [True, False])
def test_one_that_is_missing_or_old_is_made_anew(output, missing):
    if missing:
        output.parquet.unlink()
    next(output.records.glob("*.json")).unlink()
    table = read_index(str(output.folder))
    assert table.num_rows == 7
    assert pq.read_table(output.parquet).equals(table)
    assert table.to_pandas().identity.isin(["astronaut", "cat"]).all()


def test_while_a_run_is_at_work_its_records_are_read_and_its_index_is_left_alone(output):
    next(output.records.glob("*.json")).unlink()
    before = output.parquet.read_bytes()
    with held(output.lock):
        assert read_index(output.folder).num_rows == 7
    assert output.parquet.read_bytes() == before


def test_reading_an_index_imports_no_torch(output):
    code = f"import sys; from standin_batch import read_index; print(read_index({str(output.folder)!r}).num_rows)"
    found = ran(f"{code}; print('torch' in sys.modules)", output.folder)
    assert found.stdout.split() == ["8", "False"], found.stderr

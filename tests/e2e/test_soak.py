"""Many jobs in one process: memory and open files stay flat, and a second process can read everything at any moment.

CI takes a hundred; `make test-soak` takes two thousand and prints what it measured.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

import pytest

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_records, recorded_ids
from standin_batch.run.journal import State
from standin_batch.run.journals import latest
from standin_batch.run.status import read_status

GROWTH = 1.05

PAGE = 4096


def manifest(workspace, number):
    job = {"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}, "matrix": {"seed": f"1..{number}"}}
    defaults = {"num_inference_steps": 1, "num_frames": 5, "width": 64, "height": 64, "cfg_scale": 1}
    return workspace.manifest(f"soak-{number}", {"model": "tiny", "defaults": defaults, "jobs": [job]})


def consistent(layout, completed):
    """What a second process reads while the run writes."""
    records = list(read_records(layout))
    assert len(records) == len(recorded_ids(layout)), "every record can be read"
    assert all(has_video(layout, record) for record in records)
    entries = latest(layout.journals)
    told = {job_id for job_id, entry in entries.items() if entry.state is State.COMPLETED}
    assert completed <= told <= {record["job_id"] for record in records}, "records come first, then the journal"
    status = read_status(layout.folder)
    assert status.active
    assert status.counts["COMPLETED"] >= len(completed)
    assert status.counts["FAILED"] == 0


def soak(workspace, number, every):
    """Run so many jobs; resident bytes and open files after each but the last."""
    layout = OutputLayout(workspace.folder / "outputs" / f"soak-{number}")
    memory, files, completed = [], [], set()
    with workspace.start("run", manifest(workspace, number), "--json") as process:
        proc = Path(f"/proc/{process.pid}")
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] != "JobCompleted":
                continue
            completed.add(event["job_id"])
            memory.append(int((proc / "statm").read_text().split()[1]) * PAGE)
            files.append(len(list((proc / "fd").iterdir())))
            if len(completed) % every == 0 and len(completed) < number:
                consistent(layout, completed)
        assert process.wait(timeout=60) == 0, process.stderr.read()
    assert len(completed) == number
    assert len((layout.folder / "index.jsonl").read_text().splitlines()) == number
    return memory[:-1], files[:-1]  # after the last job the index is being written


@pytest.mark.soak
def test_a_hundred_jobs_leave_nothing_behind_in_the_process(make_workspace):
    memory, files = soak(make_workspace("soak"), 100, every=10)
    assert median(memory[-20:]) < median(memory[30:50]) * GROWTH
    assert max(files[-20:]) <= max(files[10:50])


@pytest.mark.soak
def test_two_thousand_neither(make_workspace, capsys):
    memory, files = soak(make_workspace("soak"), 2000, every=100)
    early, late = median(memory[100:200]), median(memory[-100:])
    with capsys.disabled():
        print(f"\nresident: {early / 1e6:.1f} MB after 100 to 200 jobs, {late / 1e6:.1f} MB at the end ", end="")
        print(f"({100 * (late / early - 1):+.2f} %); open files: {max(files[100:200])}, then {max(files[-100:])}")
    assert late < early * GROWTH
    assert max(files[-100:]) <= max(files[100:200])

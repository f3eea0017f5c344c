"""`standin stop`: asks the run that is at work, and waits until it has ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from holding import held_elsewhere

from standin_batch.output.layout import OutputLayout

OBEDIENT = """
import pathlib, sys, time
from standin_batch.output.layout import OutputLayout
from standin_batch.run.lock import held
from standin_batch.run.stop_request import asked, withdrawn
layout = OutputLayout(pathlib.Path(sys.argv[1]))
with held(layout.lock):
    print("held", flush=True)
    while (request := asked(layout)) is None:
        time.sleep(0.01)
    withdrawn(layout)
print("now" if request.now else "saved", flush=True)
"""


@pytest.fixture
def layout(workspace):
    return OutputLayout(workspace.folder / "outputs" / "trees")


@pytest.fixture
def manifest(workspace):
    jobs = [{"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}}]
    return workspace.manifest("trees", {"model": "tiny", "jobs": jobs})


@pytest.mark.parametrize("by", ["manifest", "folder"])
def test_the_process_at_work_is_named_asked_and_waited_for(workspace, manifest, layout, by):
    command = [sys.executable, "-c", OBEDIENT, str(layout.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        ran = workspace.standin("stop", manifest if by == "manifest" else layout.folder)
        assert (ran.returncode, ran.stdout) == (0, "")
        assert f"process {process.pid} on" in ran.stderr and "ended" in ran.stderr
        assert process.communicate(timeout=30)[0] == "saved\n"
    assert not layout.stop.exists()


WORKER = """
import pathlib, sys, time
from standin_batch.output.layout import OutputLayout
from standin_batch.run.journal import Journal, State
from standin_batch.run.posts import at_post
from standin_batch.run.stop_request import asked
layout, name = OutputLayout(pathlib.Path(sys.argv[1])), sys.argv[2]
with at_post(layout, name) as post:
    journal = Journal(layout.journals, worker=name, device="cpu")
    journal.write(f"00{name}", f"the tree of {name}", State.RUNNING)
    print("at work", flush=True)
    while asked(post) is None:
        time.sleep(0.01)
    journal.close()
"""


@pytest.fixture
def crew(layout):
    """Two workers whose driver is gone."""
    commands = [[sys.executable, "-c", WORKER, str(layout.folder), name] for name in ("w0", "w1")]
    found = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    assert [process.stdout.readline() for process in found] == ["at work\n"] * 2
    yield found
    for process in found:
        process.kill()
        process.communicate()


def test_workers_that_go_on_without_their_driver_are_named_all_asked_and_waited_for(workspace, manifest, layout, crew):
    ran = workspace.standin("stop", manifest)
    assert (ran.returncode, ran.stdout) == (0, "")
    assert all(f"worker w{number} (process {process.pid} on" in ran.stderr for number, process in enumerate(crew))
    assert "are asked to stop as soon as" in ran.stderr and "they have ended" in ran.stderr
    assert [process.wait(timeout=30) for process in crew] == [0, 0]


def test_nobody_else_takes_their_folder(workspace, manifest, layout, crew):
    ran = workspace.standin("run", manifest)
    assert ran.returncode == 4
    assert "worker w0" in ran.stderr and f"standin stop {layout.folder.relative_to(workspace.folder)}" in ran.stderr


def test_an_array_that_waits_for_its_turn_is_in_the_way_until_it_is_asked_to_stop(workspace, manifest, layout):
    layout.array.folder.mkdir(parents=True)
    layout.array.file.write_text(json.dumps({"name": "standin-trees", "id": "12", "shards": [["1"]]}))
    ran = workspace.standin("run", manifest)
    assert ran.returncode == 4 and "the array 12 (standin-trees) may still begin" in ran.stderr
    ran = workspace.standin("stop", manifest)
    assert ran.returncode == 0 and "the array 12 (standin-trees) is asked to stop" in ran.stderr
    assert layout.array.stop.exists()
    assert "nobody is at work" in workspace.standin("stop", manifest).stderr


def test_they_are_seen_in_the_status_and_where_a_job_stands(workspace, manifest, layout, crew):
    found = json.loads(workspace.standin("status", layout.folder, "--json").stdout)
    assert found["active"]
    assert [(worker["name"], worker["device"], worker["label"]) for worker in found["workers"]] == [
        ("w0", "cpu", "the tree of w0"),
        ("w1", "cpu", "the tree of w1"),
    ]
    assert {job["label"]: job["worker"] for job in found["running"]} == {"the tree of w0": "w0", "the tree of w1": "w1"}
    shown = workspace.standin("status", layout.folder).stdout
    assert shown.count("the tree of w1") == 1
    why = json.loads(workspace.standin("why", layout.folder, "00w1", "--json").stdout)
    assert (why["state"], why["attempts"][0]["worker"]) == ("RUNNING", "w1")
    crew[1].kill()
    crew[1].wait(timeout=30)
    found = json.loads(workspace.standin("status", layout.folder, "--json").stdout)
    assert [worker["name"] for worker in found["workers"]] == ["w0"]
    assert [job["label"] for job in found["cancelled"]] == ["the tree of w1"]


def test_without_waiting_the_request_stays_and_a_second_one_says_at_once(workspace, manifest, layout):
    with held_elsewhere(layout.lock):
        first, second = (workspace.standin("stop", manifest, "--no-wait") for _ in range(2))
        assert (first.returncode, second.returncode) == (0, 0)
        assert "as soon as what it has is saved" in first.stderr
        assert "at once" in second.stderr
        assert layout.stop.is_file()


def test_one_that_is_killed_meanwhile_has_ended_too(workspace, manifest, layout):
    with held_elsewhere(layout.lock) as process:
        with workspace.start("stop", manifest) as stopping:
            assert f"process {process.pid} on" in stopping.stderr.readline()
            os.kill(process.pid, signal.SIGKILL)
            assert "ended" in stopping.communicate(timeout=30)[1]
        assert stopping.returncode == 0
        assert not layout.stop.exists(), "nobody is left who is meant"


def test_nobody_at_work_is_said(workspace, manifest, layout):
    ran = workspace.standin("stop", manifest)
    assert (ran.returncode, ran.stderr.strip()) == (0, "nobody is at work in outputs/trees")
    assert not layout.folder.exists()


def test_a_manifest_that_is_not_there_is_a_mistake(workspace):
    assert workspace.standin("stop", "nowhere.yaml").returncode == 2


@pytest.mark.parametrize("command", ["status", "stop", "why"])
def test_a_folder_that_no_run_has_made_is_told(workspace, command):
    (workspace.folder / "pictures").mkdir()
    for where in ("pictures", "nowhere"):
        ran = workspace.standin(command, where, *(["tree"] if command == "why" else []))
        assert ran.returncode == 2
        assert where in ran.stderr
        assert "output folder" in ran.stderr

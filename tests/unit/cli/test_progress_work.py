"""What is being done right now, as it stands on the screen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from standin_batch.cli.progress_work import MOST, WAITING, Work


def screen(work, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(work)
    return console.file.getvalue().splitlines()


@pytest.fixture
def work():
    return Work()


def test_where_nothing_is_done_there_is_no_line(work):
    assert screen(work) == []


def test_this_process_has_one_line_for_what_it_does_now(work):
    work.show("", "loading weights")
    work.show("", "job a", 4, "a")
    work.step("", "job a", 2, 4)
    (line,) = screen(work)
    assert line.split("job a")[1].endswith("step 2/4")
    work.hide("")
    assert screen(work) == []


def test_each_worker_has_a_line_of_its_own_in_its_place(work):
    for number in range(3):
        work.show(f"w{number}", f"job {number}", 4, str(number))
    work.step("w0", "job 0", 4, 4)
    work.step("w1", "job 1", 1, 4)
    work.show("w0", "job 9", 8, "9")
    first, second, third = screen(work)
    assert "w0 job 9" in first and first.rstrip().endswith("preparing")
    assert "w1 job 1" in second and second.rstrip().endswith("step 1/4")
    assert "w2 job 2" in third


def test_a_worker_whose_clip_has_ended_waits_unless_it_has_begun_the_next(work):
    work.show("w0", "job a", 4, "a")
    work.ended("w0", "a")
    assert f"w0 {WAITING}" in screen(work)[0]
    work.show("w0", "job b", 4, "b")
    work.ended("w0", "a")
    assert "w0 job b" in screen(work)[0]


def test_of_many_workers_the_first_are_shown_and_the_others_counted(work):
    for number in range(MOST + 24):
        work.rest(f"w{number:02d}")
    lines = screen(work)
    assert len(lines) == MOST + 1
    assert lines[-1].strip() == "and 24 more workers"
    for number in range(25):
        work.hide(f"w{number:02d}")
    assert [line.split()[1] for line in screen(work)] == [f"w{number}" for number in range(25, 32)]


@pytest.mark.parametrize("width", [100, 50])
def test_on_a_narrow_screen_the_label_gives_way_and_nothing_else(work, width):
    work.show("node1-w0", "portraits · ada · desk by the window · seed 0", 20, "a")
    work.step("node1-w0", "portraits · ada · desk by the window · seed 0", 12, 20)
    (line,) = screen(work, width)
    assert len(line) <= width
    assert "node1-w0 portraits" in line and line.rstrip().endswith("step 12/20")
    assert ("…" in line) is (width == 50)

"""News as lines: what a worker writes, its driver reads, from a file that grows and may be cut off."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from standin_batch.backends.crew.news import Gone, Joined, Made, Sent, Told
from standin_batch.backends.crew.news_lines import STEP_SECONDS, NewsFile, line_of, news_of, telling
from standin_batch.run.events import JobCompleted, JobFailed, JobReseeded, JobSaved, JobStarted, JobStep, Warned

NEWS = (
    Joined("node1", "NVIDIA H200"),
    Told(JobStarted("1", "a · 雨\ud800", 8)),
    Told(JobStep("1", 1, 8)),
    Told(JobSaved("1", 2, 8)),
    Told(JobCompleted("1", "a", "videos/a.mp4", 1.5, {"sharpness": 3.0, "hash": None}, True, "w")),
    Told(JobReseeded("2", "a", 1, 7)),
    Told(JobFailed("2", "b", "no\nface", "another", "input")),
    Told(Warned("slow")),
    Made(out_of_time=True),
    Gone("the disk is full", "disk_full", "make room"),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "worker" / "events.jsonl"


@pytest.mark.parametrize("news", NEWS)
def test_a_line_tells_what_was_put_into_it(news):
    assert line_of(news).count("\n") == 1
    assert news_of(line_of(news)) == news


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", '{"event": "Nothing"}', '{"event": "JobStep"}', '{"news": "Told"}']
)
def test_a_broken_line_tells_nothing(line):
    assert news_of(line) is None


def test_a_file_is_no_line():
    with pytest.raises(TypeError):
        line_of(Sent(PurePosixPath("a"), b""))


def test_what_is_told_is_read_once_in_its_order(path):
    tell, file = telling(path), NewsFile(path)
    assert list(file.new()) == []
    for news in NEWS[:4]:
        tell(news)
    assert list(file.new()) == list(NEWS[:4])
    for news in NEWS[4:]:
        tell(news)
    assert list(file.new()) == list(NEWS[4:])
    assert list(NewsFile(path).new()) == list(NEWS)


def test_half_a_line_is_waited_for_and_a_broken_one_passed_over(path):
    path.parent.mkdir()
    line = line_of(NEWS[0]).encode()
    path.write_bytes(b"broken\n" + line[:9])
    file = NewsFile(path)
    assert list(file.new()) == []
    with path.open("ab") as more:
        more.write(line[9:])
    assert list(file.new()) == [NEWS[0]]


def test_of_steps_about_one_a_second_is_told_and_all_of_everything_else(path):
    now = [0.0]
    tell = telling(path, lambda: now[0])
    for step in range(10):
        now[0] = step * STEP_SECONDS / 4
        tell(Told(JobStep("1", step, 10)))
        tell(Told(JobSaved("1", step, 10)))
    told = [news.event for news in NewsFile(path).new()]
    assert [event.step for event in told if isinstance(event, JobStep)] == [0, 4, 8]
    assert sum(isinstance(event, JobSaved) for event in told) == 10


def test_what_cannot_be_told_costs_no_clip(path, caplog):
    path.mkdir(parents=True)
    telling(path)(NEWS[0])
    assert "could not be told" in caplog.text

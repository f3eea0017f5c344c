"""The next group's files are read while the last job is made: only where it helps, and never in the way."""

from __future__ import annotations

import os
import threading

import pytest

from standin_batch.run.read_ahead import ReadAhead, files_of, is_worth
from standin_batch.weights.locate import WeightsMissing, locate
from standin_batch.weights.registry import ROWS

GB = 1 << 30


@pytest.mark.parametrize(
    ("size", "available", "worth"),
    [
        (28 * GB, 35 * GB, True),
        (28 * GB, 34 * GB, False),
        (28 * GB, None, False),
        (GB - 1, 100 * GB, False),
        (GB, 100 * GB, True),
        (0, 0, False),
    ],
)
def test_it_is_worth_it_for_large_files_and_where_memory_is_left(size, available, worth):
    assert is_worth(size, available) is worth


def test_what_a_group_loads_is_read_and_no_more(golden):
    files = locate(ROWS["tiny"], golden / "weights", ("vace",))
    found = files_of(files, "bfloat16")
    assert set(found) == {*files.experts[0].shards, files.vae, *files.modules["vace"]}
    assert files.text_encoder not in found, "it is loaded only where a prompt is not known"


@pytest.fixture
def pipe(tmp_path):
    """A file that is read when somebody writes, and no sooner."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_files_are_read_to_their_end(pipe):
    with ReadAhead(lambda size, available: True) as ahead:
        ahead.begin(lambda: [pipe])
        with pipe.open("wb") as writing:  # opens when it is opened for reading
            writing.write(bytes(20 << 20))  # ends when it is read
        ahead.wait()


def test_it_ends_when_the_loader_begins(pipe):
    with ReadAhead(lambda size, available: True) as ahead:
        ahead.begin(lambda: [pipe, pipe])
        with pipe.open("wb"):
            ending = threading.Thread(target=ahead.end)
            ending.start()
            assert ahead._ended.wait(10)
        ending.join(10)  # the second time nobody writes, and whoever opened it would wait for ever
        assert not ending.is_alive()


@pytest.mark.parametrize("error", [OSError("gone"), WeightsMissing("gone", "download it")])
def test_what_cannot_be_found_or_read_is_left_to_the_loader(error, tmp_path):
    def files():
        raise error

    with ReadAhead(lambda size, available: True) as ahead:
        for wanted in (files, lambda: [tmp_path / "missing"]):
            ahead.begin(wanted)
            ahead.wait()


def test_what_is_not_worth_it_is_not_opened(pipe):
    with ReadAhead() as ahead:
        ahead.begin(lambda: [pipe])
        ahead.wait()  # a pipe that was opened would wait for ever

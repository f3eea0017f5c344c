"""Arrays that nobody leads: what still waits for its turn is seen by those who know no scheduler, and ended by them."""

from __future__ import annotations

import json

import pytest
from holding import Rests, held_elsewhere

from standin_batch.errors import ExitCode
from standin_batch.output.layout import OutputLayout
from standin_batch.run.arrays import ask_array, may_begin
from standin_batch.run.lock import LockedError
from standin_batch.run.posts import alone


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path / "out")


@pytest.fixture
def queued(layout):
    """An array of two tasks that was submitted, and whose driver is gone."""
    layout.array.folder.mkdir(parents=True)
    layout.array.file.write_text(json.dumps({"name": "standin-a", "id": "12", "shards": [["1"], ["2", "3"]]}))
    return layout


def test_where_none_was_submitted_none_may_begin(layout):
    assert may_begin(layout) is None
    assert ask_array(layout) is None
    assert not layout.state.exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "a", "id": "1", "shards": 3}'])
def test_a_broken_file_tells_of_none(queued, content):
    queued.array.file.write_text(content)
    assert may_begin(queued) is None


def test_nobody_takes_a_folder_in_which_an_array_may_still_begin(queued):
    with pytest.raises(LockedError, match=r"the array 12 \(standin-a\) may still begin") as caught, alone(queued):
        pytest.fail("before the array")
    assert caught.value.exit_code is ExitCode.LOCKED
    assert f"standin stop {queued.folder}" in caught.value.hint
    assert "the same command that began it goes on with it" in caught.value.hint


def test_who_asked_the_scheduler_takes_it_all_the_same(queued):
    with alone(queued, no_array=True):
        pass


def test_one_that_was_asked_to_stop_begins_nothing(queued):
    assert str(ask_array(queued)) == "the array 12 (standin-a)"
    with alone(queued):
        pass
    assert ask_array(queued) is None, "once is enough"


def test_one_whose_tasks_have_all_done_theirs_begins_nothing(queued):
    queued.array.done(1).touch()
    assert may_begin(queued) is not None
    queued.array.done(0).touch()
    assert may_begin(queued) is None


def test_who_waits_is_told_once_and_then_has_the_folder_alone(queued):
    told = []
    rests = Rests(lambda: queued.array.stop.touch() if len(rests) == 3 else None)
    with alone(queued, told.append, rests):
        assert len(rests) == 3
    assert told == [f"waiting for the array 12 (standin-a), which may still begin in {queued.folder}"]


def test_what_of_it_is_at_work_is_at_work(queued):
    ask_array(queued)
    with (
        held_elsewhere(queued.worker("slurm-12_0").lock),
        pytest.raises(LockedError, match="worker slurm-12_0"),
        alone(queued),
    ):
        pytest.fail("over the heads of the workers")

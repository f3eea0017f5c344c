"""Asking a run to stop: the one that is at work is meant, and no later one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from holding import held_elsewhere, write

from standin_batch.locks.holder import myself
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputError
from standin_batch.run.lock import held
from standin_batch.run.stop_request import ask, asked, withdrawn


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path / "out")


def test_nobody_at_work_is_asked_nothing(layout):
    assert ask(layout) is None
    with held(layout.lock):
        pass
    assert ask(layout) is None
    assert not layout.stop.exists()


def test_the_run_at_work_is_asked(layout):
    with held(layout.lock):
        assert asked(layout) is None
        whom, request = ask(layout)
        assert whom.pid == myself().pid
        assert asked(layout) == request
        assert not request.now


def test_another_process_is_asked_and_not_this_one(layout):
    with held_elsewhere(layout.lock) as process:
        whom, request = ask(layout)
        assert whom.pid == process.pid
        assert asked(layout) is None
        assert asked(layout, whom) == request


def test_a_worker_is_asked_at_its_post(layout):
    post = layout.worker("w0")
    with held(layout.lock), held_elsewhere(post.lock) as process:
        whom, request = ask(post)
        assert (whom.pid, asked(layout)) == (process.pid, None)
        assert asked(post, whom) == request


def test_who_asks_again_asks_for_it_at_once(layout):
    with held(layout.lock):
        assert [ask(layout)[1].now for _ in range(3)] == [False, True, True]
        assert asked(layout).now


@pytest.mark.parametrize("earlier", [{"pid": 1}, {"born": "1"}, {"boot": "another"}, {"host": "elsewhere"}], ids=str)
def test_a_request_to_an_earlier_run_stops_nothing_and_makes_none_more_urgent(layout, earlier):
    with held(layout.lock):
        ask(layout)
        request = json.loads(layout.stop.read_text())
        layout.stop.write_text(json.dumps({**request, **earlier}))
        assert asked(layout) is None
        assert not ask(layout)[1].now


def test_a_request_can_be_withdrawn_also_one_that_is_not_there(layout):
    with held(layout.lock):
        ask(layout)
        for _ in range(2):
            withdrawn(layout)
            assert asked(layout) is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"null", b'{"pid": 1}', b'{"unknown": 1}'])
def test_a_broken_request_is_none(layout, content):
    layout.state.mkdir(parents=True)
    layout.stop.write_bytes(content)
    assert asked(layout) is None


def test_since_when_the_lock_is_held_does_not_matter(layout):
    with held(layout.lock):
        whom, _ = ask(layout)
        assert asked(layout, replace(whom, since="later", mark="another")) is not None


def test_a_lock_that_cannot_be_read_is_told(layout):
    layout.lock.mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot be read"):
        ask(layout)


def test_a_folder_that_cannot_be_written_is_told_with_another_way(layout):
    found = write(layout.lock)
    layout.stop.mkdir()
    with pytest.raises(OutputError) as caught:
        ask(layout)
    assert str(layout.stop) in caught.value.message
    assert f"kill -INT {found.pid}" in caught.value.hint

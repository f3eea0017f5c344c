"""What several processes encode: texts that more than one of them needs, and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from holding import held_elsewhere, interrupted, long_ago, pid_in, without_flock, write
from jobs import make_job

from standin_batch.locks.holder import named
from standin_batch.locks.holder_file import file_of
from standin_batch.plan.planner import make_plan
from standin_batch.run.common_texts import CommonTexts, common_texts

TINY = ("tiny", "float32")


def never(_seconds):
    pytest.fail("there is nothing to wait for")


def shard(*prompts, model="tiny"):
    return make_plan([make_job(number, prompt=prompt, model=model) for number, prompt in enumerate(prompts)], {})


def test_a_text_is_common_when_two_shards_need_it():
    """The empty one is what none of them is to show."""
    shards = [shard("rain", "sun"), shard("rain", "wind"), shard("fog")]
    assert {model: set(texts) for model, texts in common_texts(shards).items()} == {TINY: {"rain", ""}}


def test_one_shard_has_nothing_in_common_with_anybody():
    assert common_texts([shard("rain", "rain", "sun")]) == {}


def test_each_model_encodes_its_own():
    found = common_texts([shard("rain"), shard("rain", model="tiny-2.2"), shard("rain", model="tiny-2.2")])
    assert set(found) == {("tiny-2.2", "float32")}


def test_each_model_has_a_lock_of_its_own_where_all_see_it():
    common = CommonTexts(Path("prompts"), {TINY: ("rain",)})
    other = ("tiny-2.2", "float32")
    assert common.lock(TINY).parent == Path("prompts") and common.lock(TINY) != common.lock(other)
    assert common.of(other) == ()


@pytest.fixture
def common(tmp_path):
    return CommonTexts(tmp_path / "prompts", {TINY: ("rain",)})


def test_one_encodes_and_the_others_wait(common):
    with held_elsewhere(common.lock(TINY)), pytest.raises(KeyboardInterrupt), common.alone(TINY, interrupted):
        pytest.fail("two at once")
    with common.alone(TINY, never):
        assert pid_in(common.lock(TINY)) == os.getpid()


def test_one_that_died_on_another_node_without_locks_ends_nobody(common, monkeypatch):
    """It could have been cut off only, so that its lock is not taken from it."""
    without_flock(monkeypatch)
    lock = file_of(common.lock(TINY))
    dead = write(lock, host="elsewhere", boot="another", namespace="another")
    long_ago(lock)
    with common.alone(TINY, never):
        assert named(lock) == dead


def test_where_no_lock_can_be_written_all_encode(tmp_path):
    (tmp_path / "file").touch()
    reached = False
    with CommonTexts(tmp_path / "file", {}).alone(TINY, never):
        reached = True
    assert reached

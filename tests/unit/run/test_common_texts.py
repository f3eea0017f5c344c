"""What several processes encode: texts that more than one of them needs, and no others."""

from __future__ import annotations

from pathlib import Path

from jobs import make_job

from standin_batch.plan.planner import make_plan
from standin_batch.run.common_texts import CommonTexts, common_texts

TINY = ("tiny", "float32")


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

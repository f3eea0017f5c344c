"""A worker whose paths are others makes clips only with the weights that were planned with."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from jobs import make_job

from standin_batch.backends.crew.same_weights import OtherWeightsError, check_same
from standin_batch.digests import DigestCache
from standin_batch.plan.planner import make_plan
from standin_batch.weights.content import ADAPTER, BASE, weight_digests
from standin_batch.weights.locate import ADAPTERS, TEXT_ENCODERS, TOKENIZER, VAES, locate
from standin_batch.weights.registry import ROWS


@pytest.fixture
def checkpoints(tmp_path):
    """Weights in a folder that somebody names: what they contain counts, whatever it is."""
    row = ROWS["tiny"]
    base = tmp_path / "checkpoints" / row.base
    adapter = tmp_path / "checkpoints" / ADAPTERS / row.experts[0].adapters[0]
    shards = base / row.experts[0].shards.replace("*", "1")
    for path in (shards, base / TEXT_ENCODERS[0], base / VAES[0], base / TOKENIZER / "tokenizer.json", adapter):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    return tmp_path / "checkpoints"


@pytest.fixture
def job(checkpoints):
    weights = weight_digests(ROWS["tiny"], checkpoints, DigestCache.default())
    return make_job(0, weights={part: weights[part] for part in (BASE, ADAPTER)})


def check(job, checkpoints):
    plan = make_plan([job], {})
    files = {(job.model, job.weights[BASE]): locate(ROWS[job.model], checkpoints)}
    check_same(plan, files, checkpoints, lambda event: None)


def test_the_same_content_is_taken_wherever_it_lies(job, checkpoints, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(checkpoints, elsewhere)
    check(job, checkpoints)
    check(job, elsewhere)


def test_a_file_of_other_content_is_named(job, checkpoints):
    adapter = locate(ROWS["tiny"], checkpoints).adapters()[0]
    adapter.write_text("another")
    with pytest.raises(OtherWeightsError, match=str(adapter)):
        check(job, checkpoints)


def test_of_several_files_the_folder_is_named(job, checkpoints):
    with pytest.raises(OtherWeightsError, match=f"{checkpoints}.*`base`") as refused:
        check(replace(job, weights={**job.weights, BASE: "another"}), checkpoints)
    assert "standin weights list" in refused.value.hint


def test_what_the_driver_did_not_have_is_not_compared(job, checkpoints):
    check(replace(job, weights={**job.weights, ADAPTER: "missing/tiny/adapter"}), checkpoints)

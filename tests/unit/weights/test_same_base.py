"""Two checkpoints hold the same base when every tensor of it is equal, however the files are cut."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from standin_batch.digests import DigestCache
from standin_batch.weights import same_base as module
from standin_batch.weights.same_base import same_base

BASE = {"blocks.0.q.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "head.bias": np.ones(3, np.float32)}
EXTRA = {"vace_blocks.0.q.weight": np.zeros((3, 4), np.float32)}


@pytest.fixture
def cache(tmp_path):
    return DigestCache(tmp_path / "digests.jsonl")


def write(folder, *shards):
    folder.mkdir(parents=True)
    paths = tuple(folder / f"{number}.safetensors" for number in range(len(shards)))
    for path, tensors in zip(paths, shards, strict=True):
        save_file(tensors, path)
    return paths


def test_shards_may_be_cut_in_another_way(tmp_path, cache):
    base = write(tmp_path / "base", BASE)
    first, second = ({name: tensor} for name, tensor in BASE.items())
    assert same_base(base, write(tmp_path / "module", first, {**second, **EXTRA}), "vace_", cache)


@pytest.mark.parametrize(
    "other",
    [
        {**BASE, "head.bias": np.array([1, 1, 1.0001], np.float32)},
        {**BASE, "head.bias": np.ones(3, np.float16)},
        {**BASE, "head.bias": np.ones((1, 3), np.float32)},
        {**BASE, "head.more": np.ones(3, np.float32)},
        {"head.bias": BASE["head.bias"]},
    ],
    ids=["a value", "a dtype", "a shape", "one more", "one less"],
)
def test_a_tensor_that_differs_makes_another_base(tmp_path, cache, other):
    assert not same_base(write(tmp_path / "base", BASE), write(tmp_path / "module", {**other, **EXTRA}), "vace_", cache)


def test_the_data_are_read_once_whatever_is_asked_how_often(tmp_path, monkeypatch):
    base, other = write(tmp_path / "base", BASE), write(tmp_path / "module", {**BASE, **EXTRA})
    read, original = [], module.read_range
    monkeypatch.setattr(module, "read_range", lambda path, *ends: (read.append(path), original(path, *ends))[1])
    for _ in range(2):
        assert same_base(base, other, "vace_", DigestCache(tmp_path / "digests.jsonl"))
    assert len(read) == 2 * len(BASE)

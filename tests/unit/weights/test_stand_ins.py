"""Converted files in the place of their originals."""

from __future__ import annotations

import pytest

from standin_batch.digests import DigestCache
from standin_batch.files import sha256_file
from standin_batch.weights.conversions import BFLOAT16, Converted, remember
from standin_batch.weights.stand_ins import RoundedError, source_sha256, stand_ins


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "diffusion_pytorch_model-00001-of-00001.safetensors"
    path.write_bytes(b"the original")
    return path


def convert(shard, exact):
    """As if `shard` had been converted."""
    path = shard.parent / BFLOAT16 / shard.name
    path.parent.mkdir()
    path.write_bytes(b"half of it")
    status = shard.stat()
    remember(shard.name, Converted(path, sha256_file(shard), exact, status.st_size, status.st_mtime_ns))
    return path


def test_an_original_stands_for_itself(shard):
    assert stand_ins([shard], "bfloat16") == stand_ins([shard], "float32") == (shard,)


@pytest.mark.parametrize(("dtype", "exact", "stands_in"), [
    ("bfloat16", True, True), ("bfloat16", False, True), ("float32", True, True), ("float32", False, False),
])  # fmt: skip
def test_a_converted_file_stands_in_where_no_bit_changes(shard, dtype, exact, stands_in):
    path = convert(shard, exact)
    assert stand_ins([shard], dtype) == ((path if stands_in else shard),)


def test_a_rounded_file_alone_is_refused_where_it_would_show(shard):
    path = convert(shard, exact=False)
    shard.unlink()
    assert stand_ins([path], "bfloat16") == (path,)
    with pytest.raises(RoundedError, match="its original is gone"):
        stand_ins([path], "float32")


def test_it_counts_as_the_content_of_its_original(shard, tmp_path):
    cache = DigestCache(tmp_path / "digests.jsonl")
    before = source_sha256(shard, cache)
    path = convert(shard, exact=False)
    shard.unlink()
    assert source_sha256(path, cache) == before


def test_a_converted_file_that_is_gone_stands_in_for_nothing(shard):
    convert(shard, exact=True).unlink()
    assert stand_ins([shard], "bfloat16") == (shard,)


def test_an_original_that_was_replaced_stands_for_itself_again(shard):
    convert(shard, exact=True)
    shard.write_bytes(b"another original")
    assert stand_ins([shard], "bfloat16") == (shard,)

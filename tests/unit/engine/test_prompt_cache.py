"""Encoded prompts on disk: back to the bit, bounded, and whatever is wrong with a file costs an encoding, no run."""

from __future__ import annotations

import os
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jobs import make_job
from safetensors.torch import load_file

from standin_batch.engine.engine import Engine
from standin_batch.engine.pipeline import LoadError
from standin_batch.engine.prompt_cache import SLACK, CachedFile, EncodedBy, PromptCache, surplus
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS

BY = EncodedBy("weights", "float32", "cpu", (("torch", "2"),))
KEY = BY.key("A tree.")


class Nobody:
    def image(self, job):
        raise AssertionError("there is no identity here")

    face_models = image


@pytest.fixture
def cache(tmp_path):
    return PromptCache(tmp_path / "prompts")


@pytest.fixture(scope="module")
def files(golden):
    return locate(ROWS["tiny"], golden / "weights")


def load(files, cache, dtype="float32"):
    return Engine.load("tiny", dtype, files, "cpu", cache=cache)


def context(rows, dtype=torch.float32, length=512):
    drawn = torch.randn(1, length, 8, generator=torch.Generator().manual_seed(rows)).to(dtype)
    drawn[:, rows:] = 0
    return drawn


def bits(tensor):
    return tensor.contiguous().view(torch.uint8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [0, 1, 7, 512])
def test_a_context_comes_back_to_the_bit(cache, rows, dtype):
    put = context(rows, dtype)
    if rows > 1:
        put[0, rows - 1] = -0.0
    cache.put(KEY, put)
    found = PromptCache(cache.folder).get(KEY)
    assert found.dtype == dtype
    assert bits(found).equal(bits(put))


def test_the_zeros_behind_the_last_token_are_not_kept(cache):
    cache.put(KEY, context(7))
    assert load_file(cache.folder / f"{KEY}.safetensors")["context"].shape == (7, 8)


def test_what_is_not_there_is_a_miss(cache):
    assert cache.get(KEY) is None
    assert not cache.folder.exists(), "asking makes no folder"


def test_whatever_decides_a_context_is_in_its_key():
    others = [replace(BY, **{field.name: "other"}) for field in fields(EncodedBy)]
    keys = [KEY, BY.key("A tree"), *(other.key("A tree.") for other in others)]
    assert len(set(keys)) == len(keys) == 2 + len(fields(EncodedBy))


def flipped(content, place):
    return bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]])


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: flipped(content, len(content) - 9),
        lambda content: flipped(content, 20),
    ],
)
def test_a_damaged_file_is_a_miss_and_is_written_again(cache, damage):
    cache.put(KEY, context(7))
    path = cache.folder / f"{KEY}.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(KEY) is None
    cache.put(KEY, context(7))
    assert cache.get(KEY).equal(context(7))


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = PromptCache(tmp_path / "file" / "prompts")
    cache.put(KEY, context(7))
    assert cache.get(KEY) is None


FILES = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 50)), max_size=40).map(
    lambda found: [CachedFile(str(number), size, used) for number, (size, used) in enumerate(found)]
)


@given(FILES, st.integers(0, 8000), st.integers(0, 40))
def test_the_bounds_hold_and_the_longest_unused_go_first(files, most_bytes, most_files):
    gone = set(surplus(files, most_bytes, most_files))
    left = [file for file in files if file.name not in gone]
    within = sum(file.size for file in files) <= most_bytes and len(files) <= most_files
    if within:
        assert not gone
        return
    assert sum(file.size for file in left) <= most_bytes * SLACK
    assert len(left) <= most_files * SLACK
    assert max((file.used for file in files if file.name in gone), default=0) <= min(
        (file.used for file in left), default=50
    )


def test_what_was_used_last_stays_when_the_folder_is_full(cache):
    for number, text in enumerate("abc"):
        cache.put(text, context(7))
        os.utime(cache.folder / f"{text}.safetensors", ns=(number, number))
    assert cache.get("a") is not None, "is used, and so the youngest"
    PromptCache(cache.folder, most_files=3).put("d", context(7))
    assert [text for text in "abcd" if cache.get(text) is not None] == ["a", "d"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_engine_that_knows_all_prompts_never_loads_the_text_encoder(files, cache, dtype):
    job = make_job(prompt="A tree.", negative_prompt="blurry", shape=(64, 64, 5), num_inference_steps=2, dtype=dtype)
    first, without = load(files, cache, dtype), load(files, None, dtype)
    expected = without.generate(job, Nobody(), lambda step, steps: None).latents
    assert first.prompts_to_encode(["A tree.", "blurry"]) == ["A tree.", "blurry"]
    assert first.generate(job, Nobody(), lambda step, steps: None).latents.equal(expected)
    assert first.pipe.text_encoder is not None
    second = load(files, cache, dtype)
    assert second.prompts_to_encode(["A tree.", "blurry", "new"]) == ["new"]
    assert second.generate(job, Nobody(), lambda step, steps: None).latents.equal(expected)
    assert second.pipe.text_encoder is None
    assert second.pipe.tokenizer is None


def test_another_dtype_is_another_context(files, cache):
    load(files, cache).encode_prompts(["A tree."])
    assert load(files, cache, "bfloat16").prompts_to_encode(["A tree."]) == ["A tree."]


def test_a_text_encoder_that_cannot_be_loaded_is_named_when_it_is_needed(files, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(files.text_encoder.read_bytes()[:1000])
    engine = load(replace(files, text_encoder=broken), None)
    with pytest.raises(LoadError, match=r"broken\.safetensors"):
        engine.encode_prompts(["A tree."])

"""A model with copies in the place of its files: the same to everybody who asks what is in them."""

from __future__ import annotations

import shutil

import pytest

from standin_batch.digests import DigestCache
from standin_batch.weights.conversions import Converted, remember
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS
from standin_batch.weights.stage import Stage
from standin_batch.weights.staged import bundles_of, copies_in, with_copies
from standin_batch.weights.stand_ins import source_sha256


@pytest.fixture
def cache(tmp_path):
    return DigestCache(tmp_path / "digests.jsonl")


@pytest.fixture
def root(tmp_path, golden):
    """The golden weights with face models, to be changed."""
    root = shutil.copytree(golden / "weights", tmp_path / "weights")
    for name in ("antelopev2/scrfd_10g_bnkps.onnx", "antelopev2/glintr100.onnx", "face-parsing/parsing_bisenet.pth"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


@pytest.fixture
def stage(tmp_path, cache):
    return Stage(tmp_path / "scratch", cache)


def staged(files, stage, dtypes=("float32",)):
    bundles = bundles_of(files, dtypes)
    for bundle in bundles.values():
        stage.copy(bundle)
    return with_copies(files, copies_in(stage, bundles))


def convert(original, folder, cache, *, exact):
    """Let a file stand in for `original`."""
    folder.mkdir(exist_ok=True)
    path = folder / original.with_suffix(".safetensors").name
    path.write_bytes(b"converted")
    status = original.stat()
    entry = Converted(path, cache.sha256(original), exact, status.st_size, status.st_mtime_ns)
    remember(original.name, entry)
    return path


def everything(files):
    experts = [path for expert in files.experts for path in (*expert.shards, expert.adapter)]
    modules = [path for shards in files.modules.values() for path in shards]
    return [*experts, *modules, *files.text_encoding(), files.vae, *files.faces.looking(), *files.faces.preparing()]


def test_all_that_is_loaded_lies_on_this_node_with_the_same_content(root, stage, cache):
    files = locate(ROWS["tiny"], root, ("vace",), cache)
    there = staged(files, stage)
    assert all(path.is_relative_to(stage.folder) for path in everything(there))
    assert [path.read_bytes() for path in everything(there)] == [path.read_bytes() for path in everything(files)]
    assert [path.name for path in everything(there)] == [path.name for path in everything(files)]


def test_both_experts_have_their_own_shards(root, stage, cache):
    files = locate(ROWS["tiny-2.2"], root, (), cache)
    high, low = staged(files, stage).experts
    assert {path.name for path in high.shards} == {path.name for path in low.shards}
    assert set(high.shards).isdisjoint(low.shards)


def test_what_is_shared_by_models_is_copied_once(root, stage, cache):
    alone, beside = (locate(ROWS["tiny"], root, modules, cache) for modules in ((), ("vace",)))
    assert staged(alone, stage).vae == staged(beside, stage).vae


def test_what_is_not_copied_is_read_where_it_is(root, stage, cache):
    files = locate(ROWS["tiny"], root, (), cache)
    bundles = bundles_of(files, ["float32"])
    stage.copy(bundles[files.vae])
    there = with_copies(files, copies_in(stage, bundles))
    assert there.vae.is_relative_to(stage.folder)
    assert there.experts == files.experts
    assert (there.tokenizer, there.detector, there.root) == (files.tokenizer, files.detector, root)


def test_a_model_without_face_models_has_none(root, stage, cache):
    shutil.rmtree(root / "antelopev2")
    shutil.rmtree(root / "face-parsing")
    files = locate(ROWS["tiny"], root, (), cache)
    there = staged(files, stage)
    assert (there.detector, there.parser) == (files.detector, files.parser)
    assert there.face_models() == ()


@pytest.mark.parametrize("exact", [True, False])
def test_a_conversion_stands_in_where_it_did(root, stage, cache, exact):
    original = sorted((root / "Wan2.1-T2V").glob("*.safetensors"))[0]
    converted = convert(original, original.parent / "bfloat16", cache, exact=exact)
    files = locate(ROWS["tiny"], root, (), cache)
    for dtypes in (["bfloat16"], ["float32"], ["bfloat16", "float32"]):
        there = staged(files, stage, dtypes)
        for dtype in dtypes:
            expected = converted if exact or dtype == "bfloat16" else original
            shard = there.for_dtype(dtype).experts[0].shards[0]
            assert shard.is_relative_to(stage.folder)
            assert shard.read_bytes() == expected.read_bytes()
            assert files.for_dtype(dtype).experts[0].shards[0] == expected


def test_only_what_a_dtype_loads_is_copied(root, stage, cache):
    original = sorted((root / "Wan2.1-T2V").glob("*.safetensors"))[0]
    convert(original, original.parent / "bfloat16", cache, exact=False)
    files = locate(ROWS["tiny"], root, (), cache)
    assert original not in bundles_of(files, ["bfloat16"])
    assert original in bundles_of(files, ["bfloat16", "float32"])


def test_the_encoding_of_prompts_has_the_same_digests_also_after_a_conversion(root, stage, cache):
    files = locate(ROWS["tiny"], root, (), cache)
    before = [source_sha256(path, cache) for path in files.text_encoding()]
    assert [source_sha256(path, cache) for path in staged(files, stage).text_encoding()] == before
    convert(files.text_encoder, files.text_encoder.parent, cache, exact=True)
    there = staged(locate(ROWS["tiny"], root, (), cache), stage)
    assert there.text_encoder.suffix == ".safetensors"
    assert there.text_encoder.is_relative_to(stage.folder)
    assert [source_sha256(path, cache) for path in there.for_dtype("bfloat16").text_encoding()] == before

"""Where weights are found, and which base a module works beside."""

from __future__ import annotations

import shutil

import pytest
from safetensors.torch import load_file, save_file

from standin_batch.digests import DigestCache
from standin_batch.weights.content import BASE, weight_digests
from standin_batch.weights.locate import WeightsMissing, locate
from standin_batch.weights.registry import ROWS

TINY = ROWS["tiny"]


@pytest.fixture
def cache(tmp_path):
    return DigestCache(tmp_path / "digests.jsonl")


@pytest.fixture
def root(tmp_path, golden):
    """The golden weights, to be changed."""
    return shutil.copytree(golden / "weights", tmp_path / "weights")


def change_a_tensor(folder):
    shard = next(iter(sorted(folder.glob("*.safetensors"))))
    tensors = load_file(shard)
    name = next(name for name in tensors if not name.startswith("vace"))
    save_file({**tensors, name: tensors[name] + 1}, shard, metadata={"format": "pt"})


def test_a_module_made_for_the_base_works_beside_it(root, cache):
    files = locate(TINY, root, ("vace",), cache)
    assert {path.parent.name for path in files.experts[0].shards} == {"Wan2.1-T2V"}
    assert {path.parent.name for path in files.modules["vace"]} == {"Wan2.1-VACE"}
    alone, beside = weight_digests(TINY, root, cache), weight_digests(TINY, root, cache, ("vace",))
    assert beside[BASE] == alone[BASE], "so that jobs of both modes share one loaded base"


def test_a_module_made_for_another_base_brings_its_own(root, cache):
    change_a_tensor(root / "Wan2.1-VACE")
    files = locate(TINY, root, ("vace",), cache)
    parts = (*files.experts[0].shards, files.text_encoder, files.vae, files.tokenizer.parent)
    assert {path.parent.name for path in parts} == {"Wan2.1-VACE"}
    assert weight_digests(TINY, root, cache, ("vace",))[BASE] != weight_digests(TINY, root, cache)[BASE]


def test_a_module_without_a_base_of_its_own_works_beside_the_row_s(root, cache):
    for shard in (root / "Wan2.1-VACE").glob("*.safetensors"):
        tensors = {name: tensor for name, tensor in load_file(shard).items() if name.startswith("vace_")}
        save_file(tensors, shard, metadata={"format": "pt"})
    for name in ("models_t5_umt5-xxl-enc-bf16.pth", "Wan2.1_VAE.pth"):
        (root / "Wan2.1-VACE" / name).unlink(missing_ok=True)
    files = locate(TINY, root, ("vace",), cache)
    assert {path.parent.name for path in files.experts[0].shards} == {"Wan2.1-T2V"}
    assert {path.parent.name for path in files.modules["vace"]} == {"Wan2.1-VACE"}
    shutil.rmtree(root / "Wan2.1-T2V")
    with pytest.raises(WeightsMissing, match=r"Wan2\.1-T2V"):
        locate(TINY, root, ("vace",), cache)


def test_a_module_needs_no_other_base(root, cache):
    shutil.rmtree(root / "Wan2.1-T2V")
    assert {path.parent.name for path in locate(TINY, root, ("vace",), cache).experts[0].shards} == {"Wan2.1-VACE"}


def test_a_module_that_is_missing_says_how_to_get_it(root, cache):
    shutil.rmtree(root / "Wan2.1-VACE")
    with pytest.raises(WeightsMissing) as caught:
        locate(ROWS["wan2.1-t2v-14b"], root, ("vace",), cache)
    assert "Wan2.1-VACE" in caught.value.message
    assert caught.value.hint == f"standin weights download wan2.1-vace-14b --checkpoints {root}"


def test_a_module_without_any_base_asks_for_the_base(root, cache):
    shutil.rmtree(root / "Wan2.1-T2V")
    (root / "Wan2.1-VACE" / "models_t5_umt5-xxl-enc-bf16.pth").unlink()
    with pytest.raises(WeightsMissing, match="Wan2\\.1-T2V/diffusion"):
        locate(TINY, root, ("vace",), cache)


def test_a_folder_by_the_hub_s_name_is_found(root, cache):
    (root / "Wan2.1-T2V").rename(root / "Wan2.1-T2V-14B")
    files = locate(ROWS["wan2.1-t2v-14b"], root, (), cache)
    assert {path.parent.name for path in files.experts[0].shards} == {"Wan2.1-T2V-14B"}


def test_the_hub_s_own_cache_is_found(root, cache, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "models--Wan-AI--Wan2.1-T2V-14B"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc123")
    (repository / "snapshots").mkdir()
    (root / "Wan2.1-T2V").rename(repository / "snapshots" / "abc123")
    files = locate(ROWS["wan2.1-t2v-14b"], root, (), cache)
    assert files.experts[0].shards[0].parent == repository / "snapshots" / "abc123"
    assert files.vae.is_file()

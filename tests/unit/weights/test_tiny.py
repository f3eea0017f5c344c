"""The tiny model: the same bytes from the same seed, whole or absent, and loaded by the real loaders."""

from __future__ import annotations

import json

import pytest
from safetensors import safe_open

from standin_batch.files import sha256_file
from standin_batch.weights import tiny
from standin_batch.weights.locate import WeightsMissing, locate
from standin_batch.weights.registry import ROWS


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    assert tiny.ensure_tiny(folder)
    return folder


def digests(folder):
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in folder.rglob("*") if path.is_file()}


def test_it_is_made_once(root):
    assert not tiny.ensure_tiny(root)


def test_the_same_seed_gives_the_same_bytes(root, tmp_path):
    tiny.ensure_tiny(tmp_path / "tiny")
    assert digests(tmp_path / "tiny") == digests(root)


def test_nothing_temporary_is_left(root):
    assert [path.name for path in root.parent.iterdir()] == ["tiny"]


def test_one_of_an_older_generator_is_replaced(root, tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / tiny.STAMP).write_text(json.dumps({"generator": "tiny-0", "seed": 0}))
    (folder / "old").write_text("old")
    assert tiny.ensure_tiny(folder)
    assert not (folder / "old").exists()


def test_a_build_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(root):
        raise OSError("no space left on device")

    monkeypatch.setattr(tiny, "write_face_models", full)
    with pytest.raises(OSError, match="no space"):
        tiny.ensure_tiny(tmp_path / "tiny")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["tiny", "tiny-2.2"])
def test_its_files_lie_where_the_real_ones_do(root, name):
    files = locate(ROWS[name], root)
    assert len(files.experts) == len(ROWS[name].experts)
    assert len(files.adapters()) == len(files.experts)
    assert len(files.face_models()) == 2
    assert all(path.is_file() for path in files.base())


def test_its_layout_is_that_of_the_golden_weights(root, golden):
    """Same names, same shapes: one can stand in for the other by a flag."""
    for name in ("tiny", "tiny-2.2"):
        made, given = locate(ROWS[name], root), locate(ROWS[name], golden / "weights")
        for ours, theirs in zip(made.experts, given.experts, strict=True):
            assert _shapes(ours.shards) == _shapes(theirs.shards)


def _shapes(paths):
    found = {}
    for path in paths:
        with safe_open(path, framework="pt") as file:
            found.update({key: file.get_slice(key).get_shape() for key in file.keys()})  # noqa: SIM118
    return found


def test_missing_files_are_named(root, tmp_path):
    with pytest.raises(WeightsMissing, match=r"Wan2\.1-T2V"):
        locate(ROWS["tiny"], tmp_path)


def test_its_tokenizer_tells_texts_apart_in_every_language(root):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(root / "Wan2.1-T2V" / "google" / "umt5-xxl")
    texts = ["A man sits.", "一个女人", "一个男人", "été", "🙂"]
    tokens = [tuple(tokenizer(text).input_ids) for text in texts]
    assert len(set(tokens)) == len(texts)
    assert all(ids[-1] == tokenizer.eos_token_id for ids in tokens)
    assert max(max(ids) for ids in tokens) < 512

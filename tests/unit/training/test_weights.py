"""The demo model's files: written as the hub has those of the large models, so that the same loaders read them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import AutoTokenizer

from standin_batch.digests import DigestCache
from standin_batch.engine.adapter import load_adapter
from standin_batch.engine.engine import Engine
from standin_batch.engine.identity import encode_subject, identity_kv
from standin_batch.weights.content import weight_digests
from standin_batch.weights.locate import TOKENIZER, locate
from standin_batch.weights.rows_demo import DEMO_PARTS
from standin_batch.weights.verify import verify_model
from training.weights import ROOT, ROW, random_weights, save_adapter, save_dit, save_vae, write_tokenizer
from training.words import words
from training.world.character import character
from training.world.portrait import portrait
from training.world.scene import caption, scene

LIMIT = 15_000_000
"""Bytes of what is trained, in all."""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    random_weights(folder, words())
    return folder


@pytest.fixture(scope="module")
def files(root):
    return locate(ROW, root, ("vace",))


@pytest.fixture(scope="module")
def engine(files):
    return Engine.load(ROW.name, "float32", files, "cpu")


def test_all_of_it_is_found_and_sound(files):
    assert verify_model(files, ROW) == ()
    assert len(files.adapters()) == len(files.face_models()) - 1 == 1


def test_vace_works_beside_the_base_and_brings_no_second_one(files):
    assert {path.parent.name for path in files.modules["vace"]} == {"Wan2.1-VACE"}
    assert files.vae.parent == files.experts[0].shards[0].parent == files.root / "Wan2.1-T2V"


def test_it_is_small_enough_to_be_committed(files):
    every = (*files.base(), *files.adapters(), *files.modules["vace"])
    assert sum(path.stat().st_size for path in every) < LIMIT


def test_the_rows_count_of_numbers_is_that_of_the_files(engine):
    assert sum(each.numel() for each in engine.pipe.dit.parameters()) == ROW.sizes.dit_parameters
    assert sum(each.numel() for each in engine.pipe.vae.parameters()) == ROW.sizes.vae_parameters


def test_an_identity_has_as_many_tokens_as_the_row_says(engine, files):
    subject = Image.fromarray(portrait(character(0)))
    latent = encode_subject(engine.pipe, subject, ROW.sizes.subject_side)
    assert latent.shape == (1, 16, 1, 12, 12)
    adapter = load_adapter(files.adapters()[0], ROW.sizes.num_layers, ROW.sizes.dim, "cpu")
    keys, values = identity_kv(engine.pipe.dit, adapter, latent, (6, 6))[0]
    assert keys.shape == values.shape == (1, ROW.sizes.identity_tokens, ROW.sizes.dim) == (1, 36, 160)


def test_what_is_saved_is_what_is_loaded(tmp_path):
    state = {name: torch.randn(shape) for name, shape in DEMO_PARTS.adapter_shapes().items()}
    save_adapter(tmp_path, state)
    adapter = load_adapter(tmp_path / "Stand-In" / ROW.experts[0].adapters[0], 6, 160, "cpu")
    assert torch.equal(adapter[3].k.up, state["blocks.3.self_attn.k_loras.up.weight"].bfloat16().float())


@pytest.mark.parametrize("save", [save_vae, save_dit, save_adapter])
def test_a_part_of_other_sizes_is_not_saved(save, tmp_path):
    with pytest.raises(ValueError, match="the state has"):
        save(tmp_path, {"x": torch.zeros(1)})
    assert list(tmp_path.iterdir()) == []


def test_every_word_of_a_caption_is_one_token(root):
    tokenizer = AutoTokenizer.from_pretrained(root / ROW.base / TOKENIZER)
    for seed in range(20):
        text = caption(scene(seed, style=("plain", "ink")[seed % 2]))
        bare = text.replace(",", "").replace(".", "")
        assert len(tokenizer(bare).input_ids) == len(bare.split()) + 1


def test_a_prompt_is_read_in_small_letters_and_other_words_by_their_characters(root):
    tokenizer = AutoTokenizer.from_pretrained(root / ROW.base / TOKENIZER)
    assert tokenizer("A PERSON").input_ids == tokenizer("a person").input_ids
    texts = ["a persons", "zebra", "一个人", "", "🙂"]
    tokens = [tuple(tokenizer(text).input_ids) for text in texts]
    assert len(set(tokens)) == len(texts)
    assert max(map(max, tokens)) < DEMO_PARTS.text_encoder["vocab"]


@pytest.mark.skipif(not ROW.digests, reason="the demo model is not trained yet")
def test_the_committed_weights_are_those_that_the_row_knows(tmp_path):
    folder = Path(__file__).parents[3] / ROOT
    found = weight_digests(ROW, folder, DigestCache(tmp_path / "digests.jsonl"), tuple(ROW.modules))
    assert found == ROW.digests
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < LIMIT


@pytest.mark.parametrize(("known", "told"), [([f"w{n}" for n in range(159)], "1 too many"), (["a", "a"], "twice")])
def test_words_that_do_not_fit_are_refused(known, told, tmp_path):
    with pytest.raises(ValueError, match=told):
        write_tokenizer(tmp_path, known)

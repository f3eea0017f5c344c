"""What is here of each set of files."""

from __future__ import annotations

import shutil

import pytest

from standin_batch.weights.inventory import WITH_REPOSITORY, State, missing_shards, take_stock
from standin_batch.weights.needs import Use, names, needs, whole
from standin_batch.weights.registry import ROWS
from standin_batch.weights.soundness import located

LARGE, TINY, DEMO = ROWS["wan2.1-t2v-14b"], ROWS["tiny"], ROWS["demo"]
SHARD = "diffusion_pytorch_model-{:05d}-of-{:05d}.safetensors"


@pytest.fixture
def root(tmp_path, golden):
    """The golden weights, to be changed."""
    return shutil.copytree(golden / "weights", tmp_path / "weights")


def stock(root, row=LARGE):
    return {held.what: held for held in take_stock([whole(row)], root)}


def test_shards_that_are_missing_are_told_from_the_names_of_the_others():
    assert missing_shards([SHARD.format(number, 4) for number in (1, 3)]) == (SHARD.format(2, 4), SHARD.format(4, 4))
    assert missing_shards([SHARD.format(number, 2) for number in (1, 2)]) == ()


@pytest.mark.parametrize("names", [[], ["diffusion_pytorch_model.safetensors"], ["tokenizer.json"]])
def test_files_without_numbers_tell_of_no_others(names):
    assert missing_shards(names) == ()


def test_every_set_is_listed_once_with_the_rows_that_use_it(tmp_path):
    held = take_stock([whole(row) for row in ROWS.values() if row.is_downloaded], tmp_path)
    assert len({(each.source, each.what) for each in held}) == len(held)
    (parser,) = (each for each in held if each.source == "face-parsing")
    assert parser.used_by == ("wan2.1-t2v-14b", "wan2.2-t2v-a14b")
    assert {each.state for each in held} == {State.MISSING}


def test_only_what_is_used_is_looked_for(tmp_path):
    held = take_stock([Use(LARGE, adapters=False, faces=False)], tmp_path)
    assert {each.source for each in held} == {"Wan2.1-T2V"}


def test_weights_of_another_size_are_broken_and_say_so(root):
    held = stock(root)["transformer"]
    assert held.state is State.BROKEN
    assert "5120" in held.faults[0].message


def test_any_number_of_shards_does(root):
    assert [path.name for path in stock(root)["transformer"].files] == [SHARD.format(n, 3) for n in (1, 2, 3)]


def test_a_set_without_one_of_its_shards_is_incomplete(root):
    (root / "Wan2.1-VACE" / SHARD.format(2, 3)).unlink()
    (root / "Wan2.1-T2V" / "Wan2.1_VAE.pth").unlink()
    found = stock(root)
    assert found["transformer with VACE"].absent == (SHARD.format(2, 3),)
    assert found["transformer with VACE"].state is State.INCOMPLETE, "the base is not whole, so headers alone are read"
    assert found["video VAE"].state is State.MISSING


def test_a_shard_that_is_cut_short_is_found_also_where_other_files_are_missing(root):
    path = root / "Wan2.1-VACE" / SHARD.format(2, 3)
    path.write_bytes(path.read_bytes()[:-10])
    (root / "Wan2.1-T2V" / "Wan2.1_VAE.pth").unlink()
    (fault,) = stock(root)["transformer with VACE"].faults
    assert fault.path == path
    assert "cut short" in fault.message


def test_a_safetensors_file_in_the_place_of_a_pickle_is_the_same_set(root):
    folder = root / "Wan2.1-T2V"
    (folder / "Wan2.1_VAE.pth").rename(folder / "Wan2.1_VAE.safetensors")
    assert [path.name for path in stock(root)["video VAE"].files] == ["Wan2.1_VAE.safetensors"]


def test_a_row_that_is_made_here_is_one_set(root):
    (held,) = take_stock([whole(TINY)], root)
    assert held.state is State.HERE
    assert root / "Wan2.1-VACE" / SHARD.format(1, 3) in held.files
    assert held.size == sum(path.stat().st_size for path in held.files)


def test_a_row_that_comes_with_the_repository_is_one_set_and_never_downloaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (held,) = take_stock([whole(DEMO)], None)
    assert (held.source, held.state, held.needed) == (WITH_REPOSITORY, State.MISSING, 0)
    assert needs([whole(DEMO)]) == ()
    assert DEMO.name not in names()


def test_a_module_is_located_without_reading_what_its_base_was_made_of(root):
    files = located(whole(TINY), root)
    assert {path.parent.name for path in files.modules["vace"]} == {"Wan2.1-VACE"}
    assert files.experts[0].shards[0].parent.name == "Wan2.1-T2V"


def test_a_module_that_came_with_all_the_rest_does_without_the_base(root):
    shutil.copytree(root / "Wan2.1-T2V", root / "Wan2.1-VACE", dirs_exist_ok=True, ignore=lambda _, names: {
        name for name in names if name.startswith("diffusion")
    })  # fmt: skip
    shutil.rmtree(root / "Wan2.1-T2V")
    assert located(whole(TINY), root).vae.parent.name == "Wan2.1-VACE"

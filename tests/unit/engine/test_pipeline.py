"""A checkpoint is recognised as DiffSynth recognises it, and without reading a pickle for that."""

from __future__ import annotations

import pytest
import torch
from diffsynth.core.loader import hash_model_file
from safetensors.torch import save_file

from standin_batch.engine.pipeline import model_hash_of

TENSORS = {"b.weight": torch.zeros(3, 5), "a.bias": torch.zeros(3), "scalar": torch.tensor(1.0)}


@pytest.mark.parametrize("content", [TENSORS, {"state_dict": TENSORS}, {"only": torch.zeros(2)}])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_recognised_by_names_and_shapes(tmp_path, content, zipped):
    path = tmp_path / "model.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert model_hash_of((path,)) == hash_model_file(str(path))


def test_shards_are_recognised_together(tmp_path):
    shards = []
    for number, (name, tensor) in enumerate(TENSORS.items()):
        shards.append(tmp_path / f"{number}.safetensors")
        save_file({name: tensor}, shards[-1])
    assert model_hash_of(tuple(shards)) == hash_model_file([str(shard) for shard in shards])


def test_the_models_of_the_golden_cases_are_recognised(golden):
    for path in sorted((golden / "weights").glob("*/*.pth")):
        assert model_hash_of((path,)) == hash_model_file(str(path))

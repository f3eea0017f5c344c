"""The table of models, and how the tiny sizes are recognised."""

from __future__ import annotations

import pytest

from standin_batch.errors import UsageError
from standin_batch.weights.registry import ROWS, row
from standin_batch.weights.rows_demo import DEMO_DIFFSYNTH
from standin_batch.weights.rows_tiny import TINY_DIFFSYNTH


def test_a_misspelt_model_names_the_nearest():
    with pytest.raises(UsageError) as caught:
        row("wan2.1-t2v-14")
    assert "wan2.1-t2v-14b" in caught.value.hint


@pytest.mark.parametrize("name", ROWS)
def test_every_row_gives_what_a_job_needs(name):
    defaults = ROWS[name].defaults
    assert defaults["num_frames"] % 4 == 1
    assert defaults["width"] % 16 == defaults["height"] % 16 == 0
    scales = defaults["cfg_scale"]
    assert not isinstance(scales, tuple) or len(scales) == len(ROWS[name].experts)


def _state(entry):
    """The tensors of a model with those sizes, as its own file holds them; on no device."""
    import importlib

    import torch

    module, _, name = entry["model_class"].rpartition(".")
    with torch.device("meta"):
        state = getattr(importlib.import_module(module), name)(**entry["extra_kwargs"]).state_dict()
    return {key.removeprefix("model."): value for key, value in state.items()}


SMALL = (*TINY_DIFFSYNTH, *DEMO_DIFFSYNTH)


@pytest.mark.parametrize("model_hash", sorted({entry["model_hash"] for entry in SMALL}))
def test_the_small_sizes_hash_as_diffsynth_hashes_them(model_hash):
    """The hash in the table is the one of a file with models of those sizes, by DiffSynth's own function."""
    from diffsynth.core.loader.file import convert_state_dict_to_keys_dict, hash_state_dict_keys

    state = {}
    for entry in SMALL:
        if entry["model_hash"] == model_hash:
            state |= _state(entry)
    assert convert_state_dict_to_keys_dict(state)
    assert hash_state_dict_keys(state) == model_hash

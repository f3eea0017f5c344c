"""The tiny model: random weights from a seed, in the real file formats, at a size that a CPU runs in seconds.

Only sizes differ from the 14B rows. The files are made once, on first use, and loaded by the code that loads the real
ones. A tensor's values depend on its name alone, so adding a file changes no other.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from standin_batch.files import TEMPORARY_PREFIX, write_atomic
from standin_batch.weights.locate import ADAPTERS, TEXT_ENCODERS, TOKENIZER, VAES
from standin_batch.weights.random_tensors import SEED, random_tensors
from standin_batch.weights.registry import ROWS, VACE
from standin_batch.weights.rows_14b import WAN21_ADAPTERS
from standin_batch.weights.rows_tiny import TINY_PARTS
from standin_batch.weights.small_files import write_pickle, write_shards
from standin_batch.weights.small_tokenizer import write_tokenizer
from standin_batch.weights.tiny_faces import write_face_models

STAMP = "made-here.json"
SHARDS_WAN21 = 3
SHARDS_EXPERT = 2
LAYOUT = 3
"""Raised when files are added, or made to compute the same otherwise: what is seen stays, so the ids of jobs do too."""


def ensure_tiny(root: Path) -> bool:
    """Make the tiny model in `root` unless it is there; returns whether it was made.

    The folder appears whole or not at all; one made by an older generator is replaced.
    """
    if is_current(root):
        return False
    root.parent.mkdir(parents=True, exist_ok=True)
    building = root.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{root.name}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        _write_all(building)
        if is_current(root):  # another process was quicker, and may be reading it
            return False
        if root.exists():
            shutil.rmtree(root)
        building.rename(root)
    except OSError:
        # Another process may have been quicker; what counts is that the folder is whole.
        if not is_current(root):
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return True


def _stamp() -> dict[str, Any]:
    return {"generator": ROWS["tiny"].generator, "seed": SEED, "layout": LAYOUT}


def is_current(root: Path) -> bool:
    """Whether the files in `root` are what this version makes."""
    try:
        return bool(json.loads((root / STAMP).read_text()) == _stamp())
    except (OSError, ValueError):
        return False


def _write_all(root: Path) -> None:
    dit, vace = TINY_PARTS.dit_shapes(), random_tensors("vace", TINY_PARTS.vace_shapes())
    wan21, wan22 = root / ROWS["tiny"].base, root / ROWS["tiny-2.2"].base
    with_vace = root / ROWS["tiny"].modules[VACE].source.folder
    write_shards(wan21, random_tensors("dit", dit), SHARDS_WAN21)
    write_shards(with_vace, {**random_tensors("dit", dit), **vace}, SHARDS_WAN21)
    for expert in ROWS["tiny-2.2"].experts:
        write_shards(wan22 / Path(expert.shards).parent, random_tensors(expert.name, dit), SHARDS_EXPERT)
        _write_adapter(root, expert.name, expert.adapters[0])
    _write_adapter(root, "base", WAN21_ADAPTERS[0])
    for base in (wan21, with_vace, wan22):
        write_pickle(base / TEXT_ENCODERS[-1], random_tensors("t5", TINY_PARTS.text_encoder_shapes()))
        write_pickle(base / VAES[-1], random_tensors("vae", TINY_PARTS.vae_shapes()))
        write_tokenizer(base / TOKENIZER)
    write_face_models(root)
    write_atomic(root / STAMP, json.dumps(_stamp()))


def _write_adapter(root: Path, label: str, name: str) -> None:
    write_pickle(root / ADAPTERS / name, {"state_dict": random_tensors(label, TINY_PARTS.adapter_shapes())})

"""Whether the text encoder, the VAE, the tokenizer and the Stand-In adapters of a model are whole and of this model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path

from standin_batch.errors import NotReadyError
from standin_batch.weights.fault import Broken, Fault, Look, difference, shapes_in
from standin_batch.weights.locate import ExpertFiles, ModelFiles
from standin_batch.weights.pickles import read_pickle
from standin_batch.weights.registry import Expert
from standin_batch.weights.shapes import adapter_shapes

EMBEDDING = "token_embedding.weight"
"""Of the text encoder: [words, width]."""
DECODER = "decoder.conv1.weight"
"""Of the VAE: its first layer behind the latent."""
TOKENIZER_FILES = ("tokenizer.json", "spiece.model")
FIRST_DOWN = "blocks.0.self_attn.q_loras.down.weight"

_VERSION = re.compile(r"wan[-_ ]?(2[._]\d)", re.IGNORECASE)
_NOISE = re.compile(r"high|low", re.IGNORECASE)


def check_text_encoder(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """The umT5 encoder: its width, and how many numbers it has."""
    sizes = look.row.sizes
    yield from _counted(look, files.text_encoder, EMBEDDING, 1, sizes.text_dim, sizes.text_encoder_parameters)


def check_vae(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """The video VAE: its latent's channels, and how many numbers it has."""
    yield from _counted(look, files.vae, DECODER, 1, 16, look.row.sizes.vae_parameters)


def check_tokenizer(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """The tokenizer's folder."""
    folder = files.tokenizer
    here = [folder / name for name in TOKENIZER_FILES if (folder / name).exists() or (folder / name).is_symlink()]
    if not here:
        yield look.missing(folder, f"holds neither {' nor '.join(TOKENIZER_FILES)}")
    for path in here:
        faults = list(look.mistaken(path))
        if not faults and path.suffix == ".json" and not _is_json(path):
            faults.append(look.fault(path, "is cut short or no JSON"))
        yield from faults


def check_adapters(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """The Stand-In adapter of each expert that has one."""
    experts = {expert.name: expert for expert in look.row.experts}
    for found in files.experts:
        if found.adapter is not None:
            yield from _adapter(look, found, found.adapter, experts[found.name])


def _counted(look: Look, path: Path, name: str, axis: int, width: int, numbers: int) -> Iterator[Fault]:
    try:
        shapes = shapes_in(path)
    except Broken as broken:
        yield look.fault(path, str(broken))
        return
    total = sum(map(prod, shapes.values()))
    if len(shape := shapes.get(name, ())) <= axis:
        yield look.fault(path, f"has no tensor {name}: it is something else")
    elif shape[axis] != width:
        yield look.fault(path, f"has {name} of width {shape[axis]} in place of {width}: it is not of {look.row.name}")
    elif total != numbers:
        yield look.fault(path, f"holds {total:,} numbers in place of {numbers:,}: it is not of {look.row.name}")


def _adapter(look: Look, found: ExpertFiles, path: Path, expert: Expert) -> Iterator[Fault]:
    try:
        shapes = shapes_in(path)
    except Broken as broken:
        yield look.fault(path, str(broken))
        return
    rank = (shapes.get(FIRST_DOWN) or (look.row.sizes.adapter_rank,))[0]
    if wrong := difference(shapes, adapter_shapes(look.row.sizes, rank)):
        yield look.fault(path, f"{wrong[1]}: it is no Stand-In adapter of {look.row.name}")
    elif other := _saved_as(path, expert) or _downloaded_as(look, path):
        yield look.fault(path, f"{other}, not the adapter for {found.name} of {look.row.name}")


def _saved_as(path: Path, expert: Expert) -> str:
    """What the file was called when its makers saved it, if that is another adapter: torch writes it into the file."""
    try:
        name = read_pickle(path).name
    except NotReadyError:
        return ""
    for pattern in (_VERSION, _NOISE):
        said, wanted = pattern.search(name), pattern.search(expert.adapters[0])
        if said and _plain(said[said.re.groups]) != (_plain(wanted[wanted.re.groups]) if wanted else ""):
            return f"was saved as {name}"
    return ""


def _plain(text: str) -> str:
    return text.lower().replace("_", ".")


def _downloaded_as(look: Look, path: Path) -> str:
    """What the ledger says of it, if that is another adapter."""
    from standin_batch.weights.ledger import Ledger

    sources = {source.name for source in look.row.adapters}
    try:
        entry = Ledger(look.root).entries().get(path.relative_to(look.root).as_posix())
    except (NotReadyError, OSError, ValueError):
        return ""
    return f"was downloaded as {entry.source}" if entry and sources and entry.source not in sources else ""


def _is_json(path: Path) -> bool:
    """Read whole, in a quarter of a second: a file cut short between two brackets would pass for another."""
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return True

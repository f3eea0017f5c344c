"""Whether the shards of a transformer, or of a module beside it, are complete, whole and of the right model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from standin_batch.weights.conversions import BFLOAT16, converted
from standin_batch.weights.fault import Broken, Fault, Look, difference, shapes_in
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.registry import VACE, Module
from standin_batch.weights.shapes import Shapes, dit_shapes, vace_shapes

INDEX = "diffusion_pytorch_model.safetensors.index.json"
_NUMBERED = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.safetensors")

ByShard = Mapping[Path, Shapes]


def check_transformers(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """The shards of each expert."""
    expected = dit_shapes(look.row.sizes)
    prefixes = tuple(module.prefix for module in look.row.modules.values())
    for expert in files.experts:
        faults, found = _look_at(look, expert.shards)
        yield from faults
        if not faults:
            yield from _compared(look, found, expected, prefixes)


def check_conversions(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """Converted shards, which are loaded in place of these."""
    for shard in (*(path for expert in files.experts for path in expert.shards), *chain(*files.modules.values())):
        entry = converted(shard.parent).get(shard.name)
        if entry is None or entry.path == shard or not shard.is_file():
            continue
        if entry.source_size != shard.stat().st_size:
            yield look.fault(entry.path, f"was converted from another file than {shard} is now")
            continue
        try:
            shapes_in(entry.path)
        except Broken as broken:
            yield look.fault(entry.path, str(broken))


def check_modules(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """The shards of each module, which hold a base as well."""
    for name, shards in files.modules.items():
        faults, found = _look_at(look, shards)
        yield from faults
        if not faults:
            yield from _module(look, name, look.row.modules[name], found)


def _module(look: Look, name: str, module: Module, found: ByShard) -> Iterator[Fault]:
    own = {path: _beginning(shapes, module.prefix) for path, shapes in found.items()}
    if not any(own.values()):
        yield look.fault(next(iter(found)).parent, f"holds no tensors of {name}: it is a base alone", *found)
    elif name == VACE:
        yield from _compared(look, own, vace_shapes(look.row.sizes), ())


def _beginning(shapes: Shapes, prefix: str) -> Shapes:
    return {name: shape for name, shape in shapes.items() if name.startswith(prefix)}


def _look_at(look: Look, shards: Sequence[Path]) -> tuple[list[Fault], ByShard]:
    """What is wrong with the files as such, and what is in them."""
    faults, found = [*_absent(look, shards)], {}
    for path in shards:
        try:
            found[path] = shapes_in(path)
        except Broken as broken:
            faults.append(look.fault(path, str(broken)))
    return faults, found


def _absent(look: Look, shards: Sequence[Path]) -> Iterator[Fault]:
    """Shards that the names of the others speak of, or the index beside them does."""
    here = {path.name for path in shards}
    numbered = {path: match for path in shards if (match := _NUMBERED.fullmatch(path.name))}
    counts = sorted({match[3] for match in numbered.values()})
    folder = _folder(shards)
    if len(counts) > 1:
        sets = " and ".join(f"-of-{count}" for count in counts)
        yield look.fault(folder, f"holds shards of several sets: {sets}", *shards)
        return
    stems = {match[1] for match in numbered.values()}
    named = {f"{stem}-{n:05d}-of-{counts[0]}.safetensors" for stem in stems for n in range(1, int(counts[0]) + 1)}
    for name in sorted((named | _indexed(folder)) - here):
        yield look.missing(folder / name, f"is missing; {len(here)} other shards are here")


def _indexed(folder: Path) -> set[str]:
    """The shards that the index names; the hub's own models have one, and nobody needs it."""
    try:
        return set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _folder(shards: Sequence[Path]) -> Path:
    """Of the originals, also where these are converted ones."""
    folder = shards[0].parent
    return folder.parent if folder.name == BFLOAT16 else folder


def _compared(look: Look, found: ByShard, expected: Shapes, passed_over: tuple[str, ...]) -> Iterator[Fault]:
    together = {name: shape for shapes in found.values() for name, shape in shapes.items()}
    if wrong := difference(together, expected, passed_over):
        name, message = wrong
        path = next((path for path, shapes in found.items() if name in shapes), _folder(list(found)))
        yield look.fault(path, f"{message}: it is not of {look.row.name}", *found)

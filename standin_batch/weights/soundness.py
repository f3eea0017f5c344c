"""Why files that are here cannot be used: of a whole row where it is complete, else file by file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from standin_batch.errors import NotReadyError
from standin_batch.weights.cure import get_again
from standin_batch.weights.fault import Fault
from standin_batch.weights.folders import folder_of
from standin_batch.weights.header import read_header
from standin_batch.weights.ledger import Ledger
from standin_batch.weights.locate import ModelFiles, WeightsMissing, locate, root_of
from standin_batch.weights.mistaken import mistaken
from standin_batch.weights.needs import Use
from standin_batch.weights.pickles import read_pickle
from standin_batch.weights.registry import ModelRow
from standin_batch.weights.verify import verify_model

PICKLES = (".pth", ".ckpt")


def located(use: Use, checkpoints: Path | None) -> ModelFiles:
    """The files of a row and of the modules beside it.

    Which base a module was made for is not looked at: that takes reading both whole.

    Raises:
        WeightsMissing: naming what is missing and where it was looked for.
    """
    try:
        files = locate(use.row, checkpoints)
    except WeightsMissing:
        if not use.modules or _has_base(use.row, checkpoints):
            raise
        # A module's checkpoint is a model by itself, where it came with a text encoder and a VAE.
        return locate(use.row, checkpoints, use.modules)
    return replace(files, modules={name: _module(use.row, name, files.root) for name in use.modules})


def faults_of(use: Use, checkpoints: Path | None, present: Iterable[Path] = ()) -> tuple[Fault, ...]:
    """What can be told from headers.

    Args:
        use: of a row.
        checkpoints: the folder in place of the row's own.
        present: files that are here; each is looked at by itself where the row is not complete.
    """
    try:
        return verify_model(located(use, checkpoints), use.row)
    except WeightsMissing:
        root = root_of(use.row, checkpoints)
        return tuple(fault for path in present for fault in _header_fault(path, use.row, root))


def of_other_size(files: Iterable[Path], row: ModelRow, root: Path) -> tuple[Fault, ...]:
    """Faults for files below `root` that have not the size that the ledger says they were downloaded with."""
    entries = Ledger(root).entries()
    faults = []
    for path in files:
        entry = entries.get(path.relative_to(root).as_posix()) if path.is_relative_to(root) else None
        if entry is not None and entry.size != (size := path.stat().st_size):
            message = f"has {size:,} bytes, and had {entry.size:,} when it was downloaded"
            faults.append(Fault(path, message, get_again(row, root, [path])))
    return tuple(faults)


def _header_fault(path: Path, row: ModelRow, root: Path) -> tuple[Fault, ...]:
    if message := mistaken(path):
        return (Fault(path, message, get_again(row, root, [path])),)
    try:
        if path.suffix == ".safetensors":
            read_header(path)
        elif path.suffix in PICKLES:
            read_pickle(path)
    except NotReadyError as error:
        return (Fault(path, error.message.removeprefix(f"{path} "), get_again(row, root, [path])),)
    return ()


def _has_base(row: ModelRow, checkpoints: Path | None) -> bool:
    base = folder_of(root_of(row, checkpoints), row.base, row.sources[0] if row.sources else None)
    return any(any(base.glob(expert.shards)) for expert in row.experts)


def _module(row: ModelRow, name: str, root: Path) -> tuple[Path, ...]:
    module = row.modules[name]
    folder = folder_of(root, module.source.folder, module.source if row.sources else None)
    if shards := tuple(sorted(folder.glob(module.shards))):
        return shards
    raise WeightsMissing(
        f"{row.name}: there is no {folder / module.shards}", get_again(row, root, missing=folder / module.shards)
    )

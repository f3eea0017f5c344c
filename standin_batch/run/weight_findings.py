"""The weights that a manifest uses: every set that is missing, and every file that is broken.

They are looked at by their headers. Nothing is made and no data are read.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from standin_batch.environment import Finding, Level
from standin_batch.errors import StandinError
from standin_batch.weights.fault import Fault
from standin_batch.weights.inventory import Holding, State, take_stock
from standin_batch.weights.locate import ModelFiles, is_made_here, root_of
from standin_batch.weights.needs import Use
from standin_batch.weights.soundness import faults_of, located

GB = 10**9
SHOWN_NAMES = 3


@dataclass(frozen=True)
class Weights:
    """What was found of one row's weights.

    Attributes:
        use: what is used of the row.
        root: the folder in which it was looked for.
        files: where its files are; None unless its base is complete and its transformers are sound.
        missing_bytes: what is still to be downloaded, as known without asking.
        findings: what is missing or broken, or that all is well.
    """

    use: Use
    root: Path
    files: ModelFiles | None
    missing_bytes: int
    findings: tuple[Finding, ...]


def weight_findings(use: Use, checkpoints: Path | None, manifest: Path) -> Weights:
    """Look at what is used of a row.

    Args:
        use: of a row.
        checkpoints: the folder in place of the row's own.
        manifest: that uses it; just what it needs is to be downloaded.
    """
    name, root = use.row.name, root_of(use.row, checkpoints)
    if is_made_here(use.row, checkpoints) and not _is_made(root):
        made = Finding("weights", Level.OK, f"{name} is made in {root} by the first run")
        return Weights(use, root, None, 0, (made,))
    holdings = take_stock([use], checkpoints)
    files, trouble = _located(use, checkpoints)
    faults = _faults(use, checkpoints, holdings, files)
    missing = [held for held in holdings if held.state is State.MISSING and (files is None or not _is_base(held, use))]
    told = [
        *(_broken(fault) for fault in faults if not any(_tells_missing(fault, held) for held in missing)),
        *_absent(use, missing, holdings if files is None else (), _download(manifest, checkpoints)),
        *(_parts(use, files) if files is not None and not use.row.is_downloaded else ()),
    ]
    if not told and trouble is not None:
        told = [Finding("weights", Level.ERROR, trouble.message, trouble.hint)]
    well = Finding("weights", Level.OK, f"{name}: all that is used of it is in {root}")
    return Weights(
        use=use,
        root=root,
        files=files if files is not None and _has_sound_experts(files, faults) else None,
        missing_bytes=sum(held.needed for held in missing),
        findings=tuple(told) or (well,),
    )


def _has_sound_experts(files: ModelFiles, faults: Iterable[Fault]) -> bool:
    folders = {shard.parent for expert in files.experts for shard in expert.shards}
    return not any(fault.path in folders or fault.path.suffix == ".safetensors" for fault in faults)


def _is_made(root: Path) -> bool:
    from standin_batch.weights.tiny import is_current

    return is_current(root)


def _located(use: Use, checkpoints: Path | None) -> tuple[ModelFiles | None, StandinError | None]:
    try:
        return located(use, checkpoints), None
    except StandinError as error:
        return None, error


def _faults(
    use: Use, checkpoints: Path | None, holdings: Sequence[Holding], files: ModelFiles | None
) -> Sequence[Fault]:
    present = [path for held in holdings for path in held.files]
    told = (fault for held in holdings for fault in held.faults)
    every = dict.fromkeys((*told, *faults_of(use, checkpoints, present)))
    return [fault for fault in every if files is None or _is_used(fault.path, use, files)]


def _is_used(path: Path, use: Use, files: ModelFiles) -> bool:
    """Whether a file is among those that the jobs need: a broken face model does not stop jobs without faces."""
    if not use.adapters and path in {expert.adapter for expert in files.experts}:
        return False
    of_faces = path.is_relative_to(files.detector) or path.is_relative_to(files.parser)
    return use.faces or not of_faces


def _is_base(held: Holding, use: Use) -> bool:
    """Whether a set is part of the base or a module, which together may lie elsewhere than the set's own folder."""
    sources = (*use.row.sources, *(module.source for module in use.row.modules.values()))
    return held.source in {source.name for source in sources}


def _tells_missing(fault: Fault, held: Holding) -> bool:
    """Whether a fault says no more than that this set is not here."""
    return not fault.path.exists() and fault.path.is_relative_to((held.folder / held.pattern).parent)


def _download(manifest: Path, checkpoints: Path | None) -> str:
    option = "" if checkpoints is None else f" --checkpoints {shlex.quote(str(checkpoints))}"
    return f"standin weights download {shlex.quote(str(manifest))}{option}"


def _broken(fault: Fault) -> Finding:
    return Finding("weights", Level.ERROR, f"{fault.path} {fault.message}", fault.cure)


def _absent(use: Use, missing: Iterable[Holding], holdings: Iterable[Holding], cure: str) -> Iterator[Finding]:
    """Sets that are missing as a whole, and shards that others of their set speak of."""
    for held in missing:
        if held.needed:
            place = f"{held.folder / held.pattern}, {held.needed / GB:.3g} GB"
            yield Finding("weights", Level.ERROR, f"{use.row.name}: the {held.what} is missing: {place}", cure)
    for held in holdings:
        if held.absent:
            names = ", ".join(held.absent[:SHOWN_NAMES])
            more = f" and {len(held.absent) - SHOWN_NAMES} more" if len(held.absent) > SHOWN_NAMES else ""
            message = f"{use.row.name}: of the {held.what} in {held.folder} there is no {names}{more}"
            yield Finding("weights", Level.ERROR, message, cure)


def _parts(use: Use, files: ModelFiles) -> Iterator[Finding]:
    """Adapters and face models of a row that has no sources to take stock of."""
    from standin_batch.face.detect import require_models
    from standin_batch.face.parse import require_parser

    checks: list[Callable[[], object]] = [files.adapters] if use.adapters else []
    if use.faces:
        checks += [lambda: require_models(files.detector), lambda: require_parser(files.parser)]
    for check in checks:
        try:
            check()
        except StandinError as error:
            yield Finding("weights", Level.ERROR, error.message, error.hint)

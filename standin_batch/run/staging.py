"""Weights on a disk of this node: copied by one of its workers while the others wait, and loaded by all from there.

It is a service to the loader, never a duty: what cannot be copied is read where it is, and that is said.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import NotReadyError, StandinError
from standin_batch.locks.held import who
from standin_batch.locks.holder import Holder
from standin_batch.plan.plan import Plan
from standin_batch.run.events import Listener, Warned
from standin_batch.run.memory_told import size_told
from standin_batch.run.preparing import preparing
from standin_batch.run.ready import Base
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.stage import Bundle, Stage
from standin_batch.weights.staged import bundles_of, copies_in, with_copies

FOLDER = "weights"
"""Below `stage_to`."""

DTYPES = ("bfloat16", "float32")

NOT_HERE = "weights are read where they are, as they cannot be copied to this node"


def staged_files(
    files: Mapping[Base, ModelFiles], stage_to: Path | None, emit: Listener, plan: Plan | None = None
) -> Mapping[Base, ModelFiles]:
    """`files`, with copies on this node in their place; it is quick where they are copied already.

    Args:
        files: of each base, as `find_weights` gives them.
        stage_to: the machine file's folder, with variables in it, which are this node's; None to copy nothing.
        emit: is told of copying and waiting, and warned where files stay where they are.
        plan: what runs: only its bases are copied, in its dtypes; all of `files` in every dtype where it is None.
    """
    if stage_to is None:
        return files
    dtypes = dict.fromkeys(files, DTYPES) if plan is None else _dtypes(plan)
    copies: Mapping[Path, Path] = {}
    with _or_warned(emit):
        stage = Stage(folder_here(stage_to) / FOLDER, DigestCache.default())
        stage.keep_ours()
        bundles = _bundles(files, dtypes)
        with _or_warned(emit):
            _copy(stage, bundles, emit)
        copies = copies_in(stage, bundles)
    return {base: with_copies(found, copies) for base, found in files.items()}


def _dtypes(plan: Plan) -> Mapping[Base, Collection[str]]:
    found: dict[Base, set[str]] = {}
    for group in plan.groups:
        found.setdefault((group.model, group.base), set()).add(group.dtype)
    return found


def folder_here(stage_to: Path) -> Path:
    """The folder that is meant on this node.

    Raises:
        NotReadyError: if a variable of its name is not set here.
    """
    expanded = os.path.expandvars(stage_to)
    if "$" in expanded:
        raise NotReadyError(f"`stage_to` is {stage_to}, which this node has no value for", "set the variable there")
    return Path(expanded).expanduser()


def _bundles(files: Mapping[Base, ModelFiles], dtypes: Mapping[Base, Collection[str]]) -> Mapping[Path, Bundle]:
    found: dict[Path, Bundle] = {}
    for base, used in dtypes.items():
        found.update(bundles_of(files[base], used))
    return found


def _copy(stage: Stage, bundles: Mapping[Path, Bundle], emit: Listener) -> None:
    """Copy what is not here yet; by now another process may have done it."""
    if all(map(stage.has, bundles.values())):
        return
    with ExitStack() as waiting, ExitStack() as holding:

        def wait(other: Holder | None) -> None:
            waiting.enter_context(preparing(emit, f"waiting for {who(other)}, which copies weights to {stage.folder}"))

        holding.enter_context(stage.held(wait))
        waiting.close()
        missing = {bundle.key: bundle for bundle in bundles.values() if not stage.has(bundle)}
        size = sum(bundle.size for bundle in missing.values())
        if missing:
            stage.make_room(size)
            with preparing(emit, f"copying {size_told(size)} of weights to {stage.folder}"):
                for bundle in missing.values():
                    stage.copy(bundle)


@contextmanager
def _or_warned(emit: Listener) -> Iterator[None]:
    """The block is left where it fails, with a warning."""
    try:
        yield
    except OSError as error:
        emit(Warned(f"{NOT_HERE}: {error.filename}: {error.strerror}", "look at `stage_to` in the machine file"))
    except StandinError as error:
        emit(Warned(f"{NOT_HERE}: {error.message}", error.hint))

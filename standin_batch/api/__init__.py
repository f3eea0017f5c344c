"""The package from Python: manifest to plan to videos to a table, as a notebook would have it.

Everything here is imported with the package itself, so all that is heavy is imported inside of the functions. What the
functions do beyond calling the layers below is said in the modules beside this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Sequence
    from typing import TypeAlias

    import pyarrow as pa

    from standin_batch.api.planned import PlannedRun
    from standin_batch.manifest import Manifest
    from standin_batch.run.events import Listener, RunFinished

    StrPath: TypeAlias = str | os.PathLike[str]

__all__ = ["load_manifest", "plan", "read_index", "run"]


def load_manifest(path: StrPath, *, overrides: Sequence[str] = (), input_root: StrPath | None = None) -> Manifest:
    """Read and check a manifest.

    Args:
        path: the file (YAML).
        overrides: values as `--set` takes them, such as `"defaults.num_frames=17"`.
        input_root: the only folder that inputs may be read from; anywhere unless given.

    Raises:
        ManifestError: with every mistake at once, each with its line and what is allowed.
    """
    from pathlib import Path

    from standin_batch.api.cures import shown
    from standin_batch.manifest import load_manifest

    with shown():
        root = None if input_root is None else Path(input_root)
        return load_manifest(Path(path), overrides=overrides, input_root=root)


def plan(
    manifest: Manifest | StrPath,
    *,
    only: Collection[str] = (),
    limit: int | None = None,
    force: bool = False,
    retry_failed: bool = False,
    preview: bool = False,
    checkpoints: StrPath | None = None,
) -> PlannedRun:
    """Plan what of a manifest is to do. It creates nothing, and needs neither torch nor weights.

    Args:
        manifest: as `load_manifest` gives it, or its file.
        only: names of jobs; all unless given.
        limit: how many videos to make at most.
        force: make also what is made.
        retry_failed: try also what failed by its own content, such as a picture without a face.
        preview: one small, short clip for each model, mode, LoRA set and identity, in a folder of its own.
        checkpoints: folder of the weights, in place of `checkpoints/`.

    Returns:
        What `run` takes; shown by a notebook as `standin plan` shows it.

    Raises:
        ManifestError: if the manifest has mistakes.
        UsageError: if `only` names no job, or `limit` is less than 1.
    """
    from standin_batch.api.cures import shown
    from standin_batch.api.planned import planned

    with shown():
        return planned(manifest, only, limit, force, retry_failed, preview, checkpoints)


def run(
    what: PlannedRun | Manifest | StrPath,
    *,
    device: str = "auto",
    memory: str = "auto",
    max_failures: int | None = None,
    max_time: float | str | None = None,
    wait: bool = False,
    backend: str | None = None,
    config: StrPath | None = None,
    workers: int | None = None,
    on_event: Listener | None = None,
    progress: bool = True,
) -> RunFinished:
    """Make every planned video that is not made yet, in this process unless a backend says otherwise.

    Interrupting it (Ctrl-C, a notebook's stop button) saves the clip at work, ends the run in an orderly way and then
    raises KeyboardInterrupt; the same call goes on inside of the clip. A second interrupt stops at once.

    Args:
        what: as `plan` gives it; or a manifest or its file, all of which is to be made.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        memory: `auto` for the first that fits, `resident`, `offload` or `lowest`.
        max_failures: failed jobs that end the run; what the manifest says unless given.
        max_time: seconds, or a length such as `"6h"`, after which it stops as if interrupted, but returns.
        wait: for another run that is at work in the same output folder, instead of raising.
        backend: `local`, in this process, `ray` or `slurm`; what the machine file says unless given.
        config: the machine file; found as `standin run` finds it unless given.
        workers: of Ray or Slurm; as many as the machine file says unless given.
        on_event: is called with each event (`standin_batch.run.events`), never twice at once, maybe from another
            thread. What it raises stops the run, and is raised when that has ended.
        progress: whether progress is shown on standard error, as `standin run` does.

    Returns:
        How many were made, failed and are left, and why it ended if that was early. Failed jobs raise nothing.

    Raises:
        StandinError: if it cannot begin, or the machine fails.
        KeyboardInterrupt: if it was interrupted.
    """
    from standin_batch.api.cures import shown
    from standin_batch.api.running import place_of, run_here

    with shown():
        where = place_of(backend, config, workers)
        return run_here(what, where, device, memory, max_failures, max_time, wait, on_event, progress)


def read_index(where: StrPath | PlannedRun) -> pa.Table:
    """The index of an output folder: one row for each finished video, with the columns of `docs/index.md`.

    An index that is missing or older than the records is made anew from them.

    Args:
        where: an output folder, a manifest, or what `plan` gave.

    Returns:
        A table with `.to_pandas()`.

    Raises:
        UsageError: if there is no output folder.
    """
    from standin_batch.api.cures import shown
    from standin_batch.api.table import read_table

    with shown():
        return read_table(where)

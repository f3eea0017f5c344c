"""The local backend: the whole plan, in this process, on one device."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Iterator
from pathlib import Path

from standin_batch.errors import NotReadyError, UsageError
from standin_batch.output.store import Store
from standin_batch.plan.plan import Plan
from standin_batch.run.events import Listener, RunFinished
from standin_batch.run.executor import RunSettings, execute
from standin_batch.run.lock import held
from standin_batch.run.ready import check_built, find_weights

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class OutputError(NotReadyError):
    """The output folder cannot be written."""


class DeviceError(NotReadyError):
    """The device that was asked for is not there."""


def run_local(
    plan: Plan, store: Store, manifest: str, device: str, checkpoints: Path | None, emit: Listener
) -> RunFinished:
    """Run `plan` here.

    Args:
        plan: what to run.
        store: where its results go.
        manifest: name of the manifest.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.

    Raises:
        StandinError: if the plan cannot be started on this machine.
    """
    check_built(plan)
    found = resolve_device(device)
    files = find_weights(plan, checkpoints, emit)
    with _writable(store.layout.folder), held(store.layout.lock):
        _log_to(store.layout.log)
        return execute(plan, store, RunSettings(manifest, found, files), emit)


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """What an output folder that cannot be written raises, in a user's words."""
    try:
        yield
    except (PermissionError, NotADirectoryError, FileNotFoundError, FileExistsError) as error:
        where = error.filename or folder
        raise OutputError(f"{where} cannot be written: {error.strerror}", "choose another output.folder") from error
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            raise
        raise OutputError(
            f"{folder} cannot be written: {error.strerror}", "make room, or choose another output.folder"
        ) from error


def resolve_device(wanted: str) -> str:
    """The device that `wanted` means on this machine.

    Raises:
        UsageError: if it is no device.
        DeviceError: if torch does not see it.
    """
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise UsageError(f"--device: {wanted!r} is no device", "use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        seen = torch.cuda.device_count()
        raise DeviceError(f"torch sees {seen} CUDA devices, not {wanted}", "run `standin doctor`, or use --device cpu")
    return wanted


def _log_to(path: Path) -> None:
    """Send this process's log to `path`; libraries' warnings too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.captureWarnings(True)
    logging.basicConfig(filename=path, level=logging.INFO, format=LOG_FORMAT, force=True, encoding="utf-8")

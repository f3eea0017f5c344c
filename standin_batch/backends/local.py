"""The local backend: the whole plan, in this process, on one device."""

from __future__ import annotations

import contextlib
import errno
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from standin_batch.errors import NotReadyError, UsageError
from standin_batch.output.index import write_index
from standin_batch.output.store import OutputError, Store, has_video, read_record, recorded_ids
from standin_batch.plan.cost import CostModel
from standin_batch.plan.estimate import Device, estimate
from standin_batch.plan.plan import Plan
from standin_batch.plan.reason import Reason
from standin_batch.run.events import Listener, RunFinished
from standin_batch.run.executor import RunSettings, execute
from standin_batch.run.lock import LockedError, held
from standin_batch.run.measured import device_of
from standin_batch.run.ready import check_built, find_weights

Memory = Literal["auto", "resident", "offload"]

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@dataclass(frozen=True)
class Machine:
    """What of this machine a run uses.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        memory: `resident` keeps all weights on the device, `offload` only the expert at work, `auto` what fits.
    """

    device: str = "auto"
    memory: Memory = "auto"


class DeviceError(NotReadyError):
    """The device that was asked for is not there."""


def run_local(
    plan: Plan, store: Store, manifest: str, machine: Machine, checkpoints: Path | None, emit: Listener
) -> RunFinished:
    """Run `plan` here.

    Args:
        plan: what to run.
        store: where its results go.
        manifest: name of the manifest.
        machine: what of this machine is used, and how.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.

    Raises:
        StandinError: if the plan cannot be started on this machine.
    """
    check_built(plan)
    device = resolve_device(machine.device)
    files = find_weights(plan, checkpoints, emit)
    with opened(store):
        _log_to(store.layout.log)
        left = _still_to_do(plan, store)
        settings = RunSettings(manifest, device, files, takes_turns(left, machine.memory, device_of(device)))
        return execute(left, store, settings, emit)


def takes_turns(plan: Plan, memory: Memory, device: Device) -> bool:
    """Whether the experts of a model that has two take turns on the device.

    Args:
        plan: what runs.
        memory: `auto` looks whether all weights fit, with some room for the work.
        device: that it runs on.
    """
    return memory == "offload" if memory != "auto" else estimate(plan, CostModel(), device).takes_turns


def settle(store: Store) -> None:
    """What a run with nothing to do leaves behind: no half-written files, its manifest, and an index that is there.

    Another run at work sees to all that itself.
    """
    layout = store.layout
    if not layout.records.is_dir():
        return
    with contextlib.suppress(LockedError), opened(store):
        if not layout.index.is_file() or layout.index.stat().st_mtime < layout.records.stat().st_mtime:
            write_index(layout)


@contextlib.contextmanager
def opened(store: Store) -> Iterator[None]:
    """Within the block, the output folder is this process's alone, clean, and knows its manifest.

    Raises:
        LockedError: if another run is at work there.
        OutputError: if it cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with _writable(store.layout.folder):
            stack.enter_context(held(store.layout.lock))
            store.open()
        yield


def _still_to_do(plan: Plan, store: Store) -> Plan:
    """`plan` without what another run finished between planning and holding the lock."""
    new = {item.job.job_id for item in plan.to_run if item.reason != Reason.FORCED}
    done = frozenset(job_id for job_id in new & recorded_ids(store.layout) if _is_done(store, job_id))
    return plan.without(done) if done else plan


def _is_done(store: Store, job_id: str) -> bool:
    record = read_record(store.layout, job_id)
    return record is not None and has_video(store.layout, record)


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
    if not re.fullmatch(r"cpu|cuda(:\d+)?", wanted):
        raise UsageError(f"--device: {wanted!r} is no device", "use auto, cpu, cuda or cuda:N")
    device = torch.device(wanted)
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        seen = torch.cuda.device_count()
        raise DeviceError(f"torch sees {seen} CUDA devices, not {wanted}", "run `standin doctor`, or use --device cpu")
    return wanted


def _log_to(path: Path) -> None:
    """Send this process's log to `path`; libraries' warnings too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.captureWarnings(True)
    logging.basicConfig(filename=path, level=logging.INFO, format=LOG_FORMAT, force=True, encoding="utf-8")

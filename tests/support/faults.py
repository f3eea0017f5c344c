"""Faults at the border of a process: it is killed, the system refuses to write, there is no memory, weights are broken.

Installed in a fork before it becomes `standin`. Nothing of the program is changed: only what the system, ffmpeg or
the disk would do to it.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from pathlib import Path


class Killer:
    """Kills the process group at one of the moments that it counts: before and after each call over the border.

    Args:
        at: number of the moment, from 1; 0 for none.
        moments: file that the name of each moment is appended to.
    """

    def __init__(self, at: int, moments: str) -> None:
        self._at, self._count = at, 0
        self._moments = os.open(moments, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)

    def install(self) -> None:
        from diffsynth.diffusion.flow_match import FlowMatchScheduler

        from standin_batch.run.journal import Journal

        self._around(os, "fsync", "flush")
        self._around(os, "replace", "rename")
        self._around(Journal, "_append", "journal")
        self._around(FlowMatchScheduler, "step", "step")
        self._around(subprocess, "Popen", "ffmpeg")

    def _around(self, owner: object, name: str, what: str) -> None:
        call = getattr(owner, name)

        if isinstance(call, type):
            killer = self

            class Called(call):
                def __init__(self, *arguments, **options):
                    killer.moment(f"before {what}")
                    super().__init__(*arguments, **options)
                    killer.moment(f"after {what}")

            setattr(owner, name, Called)
            return

        def called(*arguments, **options):
            self.moment(f"before {what}")
            result = call(*arguments, **options)
            self.moment(f"after {what}")
            return result

        setattr(owner, name, called)

    def moment(self, name: str) -> None:
        self._count += 1
        os.write(self._moments, f"{name}\n".encode())
        if self._count == self._at:
            os.killpg(0, signal.SIGKILL)


class Refuser:
    """Lets the system refuse some of the writes below a folder.

    Args:
        calls: by the number of the write, from 1, what happens to it: `error`, `short` or `full`.
        below: the folder.
        done: file that the number and path of each write is appended to.
    """

    def __init__(self, calls: dict[str, str], below: str, done: str) -> None:
        self._calls, self._below, self._count = {int(key): value for key, value in calls.items()}, below, 0
        self._done = os.open(done, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)

    def install(self) -> None:
        flush = os.fsync

        def fsync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path.is_file() and path.is_relative_to(self._below):
                self._written(path)
            flush(descriptor)

        os.fsync = fsync

    def _written(self, path: Path) -> None:
        self._count += 1
        fault = self._calls.get(self._count, "")
        os.write(self._done, f"{self._count} {fault} {path}\n".encode())
        if fault == "error":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if fault:
            os.truncate(path, path.stat().st_size // 2)
            raise OSError(errno.ENOSPC if fault == "full" else errno.EIO, "half of it was written")


class Allocator:
    """Has no memory for some of the attentions, as a GPU's allocator would say it.

    Args:
        calls: numbers of the attentions, from 1.
        asked: what was asked for, in its words.
    """

    def __init__(self, calls: list[int], asked: str = "2.00 GiB") -> None:
        self._calls, self._asked, self._count = set(calls), asked, 0

    def install(self) -> None:
        import torch

        attention = torch.nn.functional.scaled_dot_product_attention

        def allocating(*arguments, **options):
            self._count += 1
            if self._count in self._calls:
                raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {self._asked}.")
            return attention(*arguments, **options)

        torch.nn.functional.scaled_dot_product_attention = allocating


class SmallGpu:
    """Leaves this process only so much of the GPU's memory: running out of it is real.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def install(self) -> None:
        import torch

        torch.cuda.set_per_process_memory_fraction(self._size / torch.cuda.get_device_properties(0).total_memory)


class Weights:
    """Spoils what the model computes from a step on: no numbers, or a picture of one colour.

    Args:
        what: `nan` or `constant`.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def install(self) -> None:
        from diffsynth.diffusion.flow_match import FlowMatchScheduler
        from diffsynth.models.wan_video_vae import WanVideoVAE

        step, decode = FlowMatchScheduler.step, WanVideoVAE.decode

        def spoilt_step(scheduler, *arguments, **options):
            result = step(scheduler, *arguments, **options)
            return result * float("nan") if self._what == "nan" else result

        def spoilt_decode(vae, *arguments, **options):
            result = decode(vae, *arguments, **options)
            return result * 0 - 1 if self._what == "constant" else result

        FlowMatchScheduler.step, WanVideoVAE.decode = spoilt_step, spoilt_decode


KINDS = {"kill": Killer, "refuse": Refuser, "memory": Allocator, "small_gpu": SmallGpu, "spoil": Weights}


def install(kind: str, **options: object) -> None:
    """Install a fault in this process, which becomes the leader of a group of its own."""
    os.setsid()
    KINDS[kind](**options).install()

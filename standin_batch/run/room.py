"""Room on the disk of an output folder: what a clip takes at most, and whether that is there."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from standin_batch.files import DiskFullError
from standin_batch.job import Job
from standin_batch.output.store import OutputOptions

MARGIN = 1 << 20
"""Bytes beside the clips: journal, log, index."""

ASSUMED_BYTES_PER_PIXEL = 0.5
"""Of video for each pixel of each frame, where this folder has none to go by: twice that of noise at the quality 9."""

RAW_BYTES_PER_PIXEL = 3.0

LATENT_BYTES = 4 * 16 / (4 * 8 * 8)
"""Of latents in float32 for each pixel of each frame."""


@dataclass(frozen=True)
class Room:
    """The room in an output folder.

    Attributes:
        folder: of the output.
        options: how videos are written.
        bytes_per_pixel: of video for each pixel of each frame, measured; None where there is none yet.
    """

    folder: Path
    options: OutputOptions
    bytes_per_pixel: float | None = None

    def clip_bytes(self, job: Job) -> float:
        """What the video of a job takes, with its latents where they are kept."""
        pixels = job.width * job.height * job.num_frames
        assumed = RAW_BYTES_PER_PIXEL if self.options.lossless else ASSUMED_BYTES_PER_PIXEL
        return pixels * ((self.bytes_per_pixel or assumed) + (LATENT_BYTES if self.options.keep_latents else 0))

    def work_bytes(self, job: Job) -> float:
        """What is written on the way to it: latents that are saved, the new ones beside the old."""
        return 2 * LATENT_BYTES * job.width * job.height * job.num_frames

    def check(self, job: Job) -> None:
        """Whether there is room for one more clip.

        Raises:
            DiskFullError: if there is not.
        """
        needed = self.clip_bytes(job) + self.work_bytes(job) + MARGIN
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            told = f"{self.folder} has {_size(free)} left, and a clip of this size takes {_size(needed)}"
            raise DiskFullError(told, "make room, and run the same command again: nothing is lost")

    def shortage(self, jobs: Sequence[Job]) -> str:
        """What to say of a disk that will not do for all of `jobs`; empty where it will."""
        needed, free = sum(map(self.clip_bytes, jobs)), shutil.disk_usage(self.folder).free
        if needed <= free:
            return ""
        about = "about" if self.bytes_per_pixel is not None else "by assumption"
        return f"{self.folder} has {_size(free)} left, and these videos take {about} {_size(needed)}"


def _size(number: float) -> str:
    for unit in ("kB", "MB"):
        number /= 1000
        if number < 1000:
            return f"{number:,.1f} {unit}"
    return f"{number / 1000:,.1f} GB"

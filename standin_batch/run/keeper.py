"""The keeper: saves jobs on their way, and takes them up again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standin_batch.durations import seconds_of
from standin_batch.errors import StandinError
from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.run.events import JobSaved, Listener
from standin_batch.run.failure import NotANumberError
from standin_batch.run.profile import SAVE
from standin_batch.run.saved import Saved, forget_saved, read_saved, write_saved
from standin_batch.stopwatch import part

if TYPE_CHECKING:
    import torch

    from standin_batch.engine.engine import Clip, Denoised, Work


ATTENTION = "attention"
"""What the kernel is called among that which made a clip."""


@dataclass(frozen=True)
class Every:
    """How often the job at work is saved.

    Attributes:
        steps: denoising steps between; None where time counts.
        seconds: between, where time counts.
    """

    steps: int | None
    seconds: float = 0.0

    @classmethod
    def of(cls, written: int | str) -> Every:
        """As a manifest writes it: a number of steps, or a length of time."""
        return cls(written) if isinstance(written, int) else cls(None, seconds_of(written) or 0.0)

    def is_due(self, steps: int, seconds: float) -> bool:
        """Whether it is time, so many steps and seconds after the last."""
        return steps >= self.steps if self.steps is not None else seconds >= self.seconds


@dataclass
class Keeper:
    """Saves the jobs of one output folder.

    Attributes:
        layout: of the folder.
        every: how often.
        made_by: software and kind of device.
        emit: is told what was saved.
    """

    layout: OutputLayout
    every: Every
    made_by: Mapping[str, str]
    emit: Listener
    _last: dict[str, tuple[int, float]] = field(default_factory=dict)

    def known(self, job: Job, attention: str) -> Saved | None:
        """What is saved of a job that can be gone on with by an attention kernel: another rounds in another way."""
        return read_saved(self.layout, job.job_id, self._made_by(attention))

    def _made_by(self, attention: str) -> dict[str, str]:
        return {**self.made_by, ATTENTION: attention}

    def begins(self, job: Job, step: int) -> None:
        """A job goes on from this step: the next save is counted from here."""
        self._last[job.job_id] = (step, time.monotonic())

    def is_due(self, job: Job, step: int) -> bool:
        """Whether a job has to be saved now."""
        last, at = self._last.get(job.job_id, (0, 0.0))
        return self.every.is_due(step - last, time.monotonic() - at)

    def save_work(self, work: Work, memory: str) -> None:
        """Save a job between two steps, with the memory profile that it is made with.

        Raises:
            NotANumberError: if its latents are none any more; they are not saved.
        """
        with part(SAVE):
            self._save(work, *work.denoising.resumable, memory)

    def save_denoised(self, denoised: Denoised, memory: str) -> None:
        """Save a job whose latents are done.

        Raises:
            NotANumberError: if its latents are none; they are not saved.
        """
        with part(SAVE):
            self._save(denoised, denoised.job.num_inference_steps, denoised.latents, memory)

    def save_frames(self, job: Job, clip: Clip, memory: str) -> None:
        """Save what could not be written, so that nothing of it is computed again; if that fails too, it is not."""
        steps = job.num_inference_steps
        try:
            write_saved(
                self.layout,
                Saved(
                    job_id=job.job_id,
                    made_by=self._made_by(clip.attention),
                    step=steps,
                    steps=steps,
                    latents=clip.latents,
                    frames=clip.frames,
                    seconds=clip.seconds,
                    peak_memory=clip.peak_memory,
                    memory=memory,
                    report=clip.report,
                    warnings=clip.warnings,
                ),
            )
        except (OSError, StandinError):  # the latents are saved, and smaller
            return

    def forget(self, job: Job) -> None:
        """A job is done, or will never be: nothing of it is needed any more."""
        self._last.pop(job.job_id, None)
        forget_saved(self.layout, job.job_id)

    def _save(self, work: Work | Denoised, step: int, latents: torch.Tensor, memory: str) -> None:
        steps = work.job.num_inference_steps
        if not bool(latents.isfinite().all()):
            raise NotANumberError(
                f"its latents are infinite or no numbers after step {step} of {steps}",
                "try another seed, dtype: float32, or a LoRA with a lower scale",
            )
        write_saved(
            self.layout,
            Saved(
                job_id=work.job.job_id,
                made_by=self._made_by(work.attention),
                step=step,
                steps=steps,
                latents=latents,
                frames=None,
                seconds=work.clock.spent(),
                peak_memory=work.clock.peak_memory(),
                memory=memory,
                report=work.report,
                warnings=work.warnings,
            ),
        )
        self.begins(work.job, step)
        self.emit(JobSaved(work.job.job_id, step, steps))

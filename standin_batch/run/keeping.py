"""Keeping a finished clip: its video and record, in the writer's thread. What fails here computes nothing again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.job import Job
from standin_batch.output.poster import write_poster
from standin_batch.output.record import Record
from standin_batch.output.store import Provenance, Store
from standin_batch.run.failure import ENDING, Again, EndRun, decide, is_lasting, kind_of
from standin_batch.run.job_queue import JobQueue, Turn
from standin_batch.run.judging import Judged, drop, judge, say, write_down
from standin_batch.run.keeper import ATTENTION, Keeper
from standin_batch.run.log import about
from standin_batch.run.measured import Measured
from standin_batch.run.outcomes import Outcomes, RunEnded
from standin_batch.run.profile import SCORE
from standin_batch.run.stopping import Stop, Stopped
from standin_batch.run.writer import Writer
from standin_batch.scores.table import Scores
from standin_batch.stopwatch import part

if TYPE_CHECKING:
    from standin_batch.engine.engine import Clip


logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Writes what a run has made.

    Attributes:
        store: where to.
        outcomes: is told what became of jobs.
        keeper: of what is on its way; keeps frames that could not be written.
        stop: ends pauses.
        measured: is told how long jobs took.
        score: looks at the video of a job.
        refresh: shows what was made so far.
        manifest: name of the manifest.
        device: that computed, as torch names it.
        device_name: in its driver's words.
        versions: of the software.
    """

    store: Store
    outcomes: Outcomes
    keeper: Keeper
    stop: Stop
    measured: Measured
    score: Callable[[Job, Path], Scores]
    refresh: Callable[[], None]
    manifest: str
    device: str
    device_name: str
    versions: Mapping[str, str]

    def taker(self, writer: Writer, queue: JobQueue) -> Callable[[Turn, Clip, str], None]:
        """Takes a finished clip, with the memory profile that it was made with, to be written soon.

        Args:
            writer: in whose thread that is done.
            queue: of further attempts, where the clip is not accepted.
        """
        return lambda turn, clip, memory: writer.submit(lambda: self._keep(turn, clip, memory, writer.may_go_on, queue))

    def _keep(self, turn: Turn, clip: Clip, memory: str, may_go_on: Callable[[], None], queue: JobQueue) -> None:
        start, job, provenance = time.monotonic(), turn.job, self._provenance(clip, memory)
        attempt: Turn | None = turn
        while attempt is not None:
            try:
                with about(job):
                    record = self.store.save(job, clip.frames, clip.latents, provenance, may_go_on)
                break
            except Exception as error:
                attempt = self._failed(attempt, clip, memory, error)
        else:
            return
        self.keeper.forget(job)
        self._poster(job, clip)
        scores: Scores = {}
        with self._no_video_is_lost(job):
            scores = self._scored(record, job, may_go_on)
        kept = time.monotonic() - start
        seconds = sum(clip.seconds.values()) + kept
        self.measured.add_job(self.device_name, job, clip.seconds, kept, bool(scores), memory)
        judged = None
        with self._no_video_is_lost(job):
            judged = self._judged(job, may_go_on)
        self.outcomes.is_done(job, record.video, seconds, scores, judged)
        self._follow(judged, queue)
        self.refresh()

    def _scored(self, record: Record, job: Job, may_go_on: Callable[[], None]) -> Scores:
        """Look at a video, and have its record say what was seen: it is done before that, whatever comes now."""
        with part(SCORE):
            scores = self.score(job, self.store.layout.folder / record.video)
        may_go_on()
        if scores:
            say(asdict(record), self.store.layout, scores=scores)
        return scores

    def _judged(self, job: Job, may_go_on: Callable[[], None]) -> Judged | None:
        """What the job makes of its clips, this one included; None where it asks for nothing."""
        if job.accept is None:
            return None
        layout = self.store.layout
        judged = judge(job, layout, self.outcomes.empty)
        may_go_on()
        write_down(judged, layout)
        drop(judged, layout, {*self.outcomes.tally.made, job.job_id})
        return judged

    def gave_up(self, job: Job, queue: JobQueue) -> None:
        """A clip could not be made: whether another attempt of its job follows."""
        if job.accept is not None:
            judged = judge(job, self.store.layout, self.outcomes.empty)
            self.outcomes.is_judged(judged)
            self._follow(judged, queue)

    def _follow(self, judged: Judged | None, queue: JobQueue) -> None:
        for each in () if judged is None else judged.wanted:
            if self.outcomes.adds(each):
                queue.add(each)

    @contextmanager
    def _no_video_is_lost(self, job: Job) -> Iterator[None]:
        """What fails within is told, and the run goes on, unless no other clip would fare better."""
        try:
            yield
        except (Stopped, RunEnded):
            raise
        except Exception as error:
            kind = kind_of(error)
            if kind in ENDING:
                raise RunEnded(kind.value) from error
            with about(job):
                logger.warning("%s is made, but could not be judged", job.label, exc_info=True)

    def _poster(self, job: Job, clip: Clip) -> None:
        """A small picture of the middle frame. A video without one is as good; `dataset gallery` makes it."""
        try:
            write_poster(self.store.layout.poster(job.job_id), clip.frames[len(clip.frames) // 2])
        except Exception:
            logger.warning("the poster of %s could not be written", job.label, exc_info=True)

    def _failed(self, turn: Turn, clip: Clip, memory: str, error: Exception) -> Turn | None:
        """What becomes of a clip that could not be written: another attempt, after its pause, or none."""
        kind = kind_of(error)
        decision = decide(kind, turn.attempt, turn.job.retries)
        if isinstance(decision, Again):
            self.outcomes.is_requeued(turn, error, kind, decision.after)
            try:
                self.stop.wait(decision.after)
            except Stopped:
                self.keeper.save_frames(turn.job, clip, memory)
                raise
            return turn.again(0.0)
        if is_lasting(kind.value):
            self.keeper.forget(turn.job)
        else:
            self.keeper.save_frames(turn.job, clip, memory)
        self.outcomes.has_failed(turn, error, kind)
        if isinstance(decision, EndRun):
            raise RunEnded(kind.value) from error
        return None

    def _provenance(self, clip: Clip, memory: str) -> Provenance:
        return Provenance(
            manifest=self.manifest,
            seconds=clip.seconds,
            peak_memory=clip.peak_memory,
            memory=memory,
            device=self.device,
            finished_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            versions={**self.versions, ATTENTION: clip.attention},
            report=clip.report,
        )

"""The engine of a group: there already or loaded, placed, its prompts encoded; with less there when memory runs out."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from traceback import clear_frames
from typing import TYPE_CHECKING, TypeVar

from standin_batch.errors import NotReadyError, StandinError
from standin_batch.job import Job
from standin_batch.plan.memory import Profile, lowest
from standin_batch.plan.plan import Group
from standin_batch.plan.state import ModelKey
from standin_batch.run.common_texts import CommonTexts
from standin_batch.run.events import Listener, Warned
from standin_batch.run.failure import ENDING, FailureKind, kind_of
from standin_batch.run.ladder import Ladder
from standin_batch.run.measured import Measured
from standin_batch.run.preparing import preparing
from standin_batch.run.profile import DIFFSYNTH, FINISH, LOAD
from standin_batch.run.stopping import Stop
from standin_batch.stopwatch import part
from standin_batch.weights.locate import ModelFiles

if TYPE_CHECKING:
    from standin_batch.engine.engine import Engine

T = TypeVar("T")

logger = logging.getLogger(__name__)


TOGETHER = 256
"""Texts that are encoded for several processes before the text encoder leaves: at 14B 1 GB in memory."""


class DeviceLostError(NotReadyError):
    """The device computes nothing any more."""


@dataclass
class Engines:
    """Brings engines to where their next jobs need them.

    Attributes:
        device: as torch names it.
        device_name: in its driver's words.
        ladder: knows memory profiles, and learns that one needs too much.
        measured: is told how long loading took.
        stop: ends what is under way.
        emit: is told what is prepared.
        common: what other processes encode, too; None for a run that is alone.
        encoded: texts that were not known, as they were encoded.
    """

    device: str
    device_name: str
    ladder: Ladder
    measured: Measured
    stop: Stop
    emit: Listener
    common: CommonTexts | None = None
    encoded: list[str] = field(default_factory=list)
    _shared: set[ModelKey] = field(default_factory=set, init=False)
    _held: tuple[tuple[str, str, ModelFiles], Engine] | None = field(default=None, init=False)

    def load(self, group: Group, files: ModelFiles) -> Engine:
        """The model of a group: the one that is there, or loaded in its place.

        Raises:
            NotReadyError: if it cannot be loaded, or fits in no profile.
        """
        key = (group.model, group.dtype, files)
        if self._held is None or self._held[0] != key:
            self.release()
            self._held = (key, self._loaded(group, files))
        return self._held[1]

    def release(self) -> None:
        """Give back the memory of the model that is there."""
        held, self._held = self._held, None
        if held is not None:
            with suppress(RuntimeError), part(FINISH):  # a device that is lost
                held[1].release()

    def _loaded(self, group: Group, files: ModelFiles) -> Engine:
        self._start_diffsynth()
        with preparing(self.emit, f"loading {group.model} ({group.dtype})"), self.stop.at_once():
            from standin_batch.engine.engine import Engine
            from standin_batch.engine.prompt_cache import PromptCache

            start, profile = time.monotonic(), self.ladder.usual
            cache = PromptCache.default() if self.common is None else PromptCache(self.common.folder)
            with part(LOAD):
                engine = self._with_less(
                    lambda: Engine.load(group.model, group.dtype, files, self.device, self.ladder.usual, cache),
                    group.model,
                )
            if profile is self.ladder.usual:
                self.measured.add_load(self.device_name, (group.model, group.dtype), time.monotonic() - start)
            return engine

    def _start_diffsynth(self) -> None:
        """Import DiffSynth, which takes seconds, unless it is there."""
        if "diffsynth" in sys.modules:
            return
        with preparing(self.emit, "starting DiffSynth"), part(DIFFSYNTH), self.stop.at_once():
            from standin_batch.engine.lean import import_diffsynth

            import_diffsynth()
            import standin_batch.engine.engine  # noqa: F401

    def use(self, engine: Engine, profile: Profile) -> None:
        """Have the weights where a profile has them, or a lower one.

        Raises:
            NotReadyError: if they fit in no profile.
        """
        with self.stop.at_once():
            self._with_less(lambda: engine.use(lowest(profile, self.ladder.usual)), "the weights")

    def encode_prompts(self, engine: Engine, jobs: Sequence[Job], ahead: Sequence[str] = ()) -> None:
        """Encode what `jobs` are told, as far as it is not known.

        Args:
            engine: loaded.
            jobs: that are made next.
            ahead: what later jobs are told: encoded with them if the text encoder has to come anyway.

        Raises:
            NotReadyError: if the text encoder cannot be loaded, or fits in no profile.
        """
        self._encode_common(engine)
        texts = list(dict.fromkeys(text for job in jobs for text in job.texts))
        if ahead and engine.prompts_to_encode(texts):
            texts = list(dict.fromkeys((*texts, *ahead)))
        self._encode(engine, texts)

    def _encode_common(self, engine: Engine) -> None:
        """Have what several processes need encoded by one of them: this one, or one that is waited for."""
        model = (engine.model, engine.dtype)
        if self.common is None or model in self._shared:
            return
        self._shared.add(model)
        texts = self.common.of(model)
        for begin in range(0, len(texts), TOGETHER):
            some = texts[begin : begin + TOGETHER]
            if engine.prompts_to_encode(some):
                with self.common.alone(model, self.stop.wait):
                    self._encode(engine, some)
            engine.encode_prompts(())  # they are on the disk, and would fill the memory

    def _encode(self, engine: Engine, texts: Sequence[str]) -> None:
        def encode() -> None:
            engine.use(lowest(engine.placement.profile, self.ladder.usual))
            engine.encode_prompts(texts)

        with part("prompt"):
            self.encoded.extend(new := engine.prompts_to_encode(texts))
        if self.common is not None and not new:  # for every parcel of jobs that would be said
            engine.encode_prompts(texts)
            return
        known = len(texts) - len(new)
        told = "1 prompt" if len(texts) == 1 else f"{len(texts)} prompts"
        what = f"encoding {told}" + (f", {known} of them known" if known else "")
        with preparing(self.emit, what), part("prompt"), self.stop.at_once():
            try:
                self._with_less(encode, "the text encoder")
            except StandinError:
                raise
            except Exception:  # one of them is at fault: its own job encodes it again, and fails by it
                logger.warning("the prompts could not be encoded together", exc_info=True)

    def _with_less(self, do: Callable[[], T], what: str) -> T:
        """Do what all jobs need; when memory runs out, again with less of the weights on the device, for all of them.

        Raises:
            NotReadyError: if even the lowest profile needs too much, or the device is lost.
        """
        while True:
            try:
                return do()
            except Exception as error:
                kind = kind_of(error)
                if kind in ENDING and not isinstance(error, StandinError):
                    raise DeviceLostError(f"{what}: {error}", "look at it with nvidia-smi, and run again") from error
                if kind is not FailureKind.OUT_OF_MEMORY:
                    raise
                if not (below := self.ladder.usual.below):
                    told = f"{what} does not fit into the memory of {self.device_name}"
                    raise NotReadyError(told, "use a device with more memory") from error
                clear_frames(error.__traceback__)
                self.ladder.usual = below[0]
                self.emit(Warned(f"out of memory with {what}: going on with --memory {below[0].value}"))

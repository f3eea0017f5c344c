"""The frame of every training: it goes on from where it was stopped, says how far it is, and logs what it measures."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from standin_batch.files import replace_atomic, write_atomic
from training.averages import Averages, put
from training.optimizer import Optimizers

SAVE_EVERY = 60.0
"""Seconds between two saves; what was learnt since is learnt again after a stop, from the same numbers."""
FALLING = 0.4
"""Share of the steps in which the learning rate falls."""

Measures = Mapping[str, float]
Step = Callable[[int, torch.Generator], tuple[torch.Tensor, Measures]]
"""From the step's number and a source of chance to its loss and what else there is to say of it."""
Look = Callable[[int], Measures]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: how many there are.
        rate: of learning, at its highest.
        warm_up: steps in which the rate rises.
        averaged: what remains of the weights' mean in one step.
        look_every: steps between two looks.
        log_every: steps of which the log has the means in one line.
        seed: of all chance.
    """

    steps: int
    rate: float
    warm_up: int = 100
    averaged: float = 0.999
    look_every: int = 500
    log_every: int = 50
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Up in a line, level, and down in a line (Hu et al., arXiv 2404.06395)."""
        return self.rate * min(1.0, (step + 1) / self.warm_up, (self.steps - step) / (FALLING * self.steps))

    def chance(self, step: int) -> torch.Generator:
        """All chance of a step: the same whether the training was stopped before it or not."""
        return torch.Generator().manual_seed(self.seed * 1_000_003 + step)


@dataclass
class Training:
    """One training, resumable.

    Args:
        folder: holds `state.pt` and `log.jsonl`, and is what the training is called.
        schedule: how long and how fast.
        tensors: by name: what is learnt, and buffers of floating point that go with it.
        optimizers: of what is learnt.
    """

    folder: Path
    schedule: Schedule
    tensors: Mapping[str, torch.Tensor]
    optimizers: Optimizers
    averages: Averages = field(init=False)
    _step: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)
    _since: float = field(default=0.0, init=False)
    _recent: list[Measures] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.averages = Averages(self.tensors, self.schedule.averaged)

    def run(self, losses: Step, look: Look | None = None) -> None:
        """Take all steps that are left; then the tensors are the mean over the last ones.

        Args:
            losses: the loss of one step; all chance comes from its generator.
            look: measures what is worth measuring, and may write sheets.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        schedule, saved = self.schedule, time.monotonic()
        while self._step < schedule.steps:
            self._recent.append(self._learn(losses))
            if self._step % schedule.log_every == 0:
                self._say({**_means(self._recent), "rate": schedule.rate_at(self._step - 1)})
                self._recent.clear()
            last = self._step == schedule.steps
            if look is not None and (self._step % schedule.look_every == 0 or last):
                with self.averages.in_place():
                    self._say(look(self._step))
            if last or time.monotonic() - saved > SAVE_EVERY:
                self._save()
                saved = time.monotonic()
        self.averages.keep()

    def _learn(self, losses: Step) -> Measures:
        loss, measures = losses(self._step, self.schedule.chance(self._step))
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizers.step(self.schedule.rate_at(self._step))
        self.averages.follow(self._step)
        self._step += 1
        return {"loss": float(loss.detach()), **measures}

    def _resume(self) -> None:
        self._since, path = time.monotonic(), self.folder / "state.pt"
        if path.exists():
            state = torch.load(path, weights_only=True)
            put(state["tensors"], self.tensors)
            put(state["averages"], self.averages.mean)
            self.optimizers.restore(state["optimizers"])
            self._step, self._seconds, self._recent = state["step"], state["seconds"], state["recent"]
        _forget_after(self._log, self._step)

    def _save(self) -> None:
        state = {
            "step": self._step,
            "seconds": self._time(),
            "recent": self._recent,
            "tensors": {name: each.detach() for name, each in self.tensors.items()},
            "averages": self.averages.mean,
            "optimizers": self.optimizers.state(),
        }
        with replace_atomic(self.folder / "state.pt") as path:
            torch.save(state, path)

    def _say(self, measures: Measures) -> None:
        line = {"step": self._step, "seconds": round(self._time())}
        with self._log.open("a") as log:
            log.write(json.dumps(line | {name: float(f"{value:.5g}") for name, value in measures.items()}) + "\n")
        said = "  ".join(f"{name} {value:.4g}" for name, value in measures.items())
        print(
            f"{self.folder.name}  {self._step}/{self.schedule.steps}  {self._time() / 60:.1f} min  {said}", flush=True
        )

    @property
    def _log(self) -> Path:
        return self.folder / "log.jsonl"

    def _time(self) -> float:
        return self._seconds + time.monotonic() - self._since


def psnr(error: float, span: float = 2.0) -> float:
    """Decibels of a mean squared error between values that lie within `span` of each other."""
    return 10 * math.log10(span**2 / error)


def _means(measures: Sequence[Measures]) -> Measures:
    return {name: sum(each[name] for each in measures) / len(measures) for name in measures[0]}


def _forget_after(log: Path, step: int) -> None:
    """Take lines off that come again: what was learnt after the last save is learnt anew."""
    lines = log.read_text().splitlines() if log.exists() else []
    write_atomic(log, "".join(f"{line}\n" for line in lines if json.loads(line)["step"] <= step))

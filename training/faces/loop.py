"""A training that can be stopped and gone on with: its steps, its state on disk, its log. What is learned is elsewhere.

Every batch is drawn from the seed and its step alone, so a training that was stopped sees what it would have seen.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from standin_batch.files import replace_atomic, write_atomic

if TYPE_CHECKING:
    import torch

LOG_EVERY = 20
"""Steps of which the log gives the mean loss in one line."""
SAVE_SECONDS = 60.0
WARM_UP = 0.05
"""Share of the steps in which the learning rate rises."""
EASE_OUT = 0.02
"""What remains of the learning rate in the end, as a share."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: of the optimiser.
        rate: AdamW's learning rate at its highest.
        decay: its weight decay.
        mean_over: steps over which the weights that count are averaged, exponentially.
        look_every: steps after which the model is measured and a sheet is drawn.
        seed: of weights and batches.
    """

    steps: int
    rate: float
    decay: float
    mean_over: int
    look_every: int
    seed: int


class Lesson(Protocol):
    """What is learned."""

    name: str

    def network(self) -> torch.nn.Module:
        """A new network, its weights from torch's generator."""
        ...

    def loss(self, network: torch.nn.Module, rng: np.random.Generator) -> torch.Tensor:
        """Of one batch that `rng` draws."""
        ...

    def look(self, network: torch.nn.Module, folder: Path) -> Mapping[str, float]:
        """Draw a sheet into `folder` and measure: numbers by name."""
        ...


def train(lesson: Lesson, schedule: Schedule, folder: Path) -> torch.nn.Module:
    """Train to the end, from where the state in `folder` stands, and give the mean network, ready to be exported.

    Args:
        lesson: what is learned.
        schedule: how long and how fast.
        folder: of state, log and sheets; made if it is missing.
    """
    import torch

    torch.manual_seed(schedule.seed)
    network = lesson.network().to(memory_format=torch.channels_last)
    run = _Run(lesson.name, schedule, folder, network)
    while run.step < schedule.steps:
        rng = np.random.default_rng((schedule.seed, run.step))
        network.train()
        with torch.autocast("cpu", torch.bfloat16):
            loss = lesson.loss(network, rng)
        run.learn(loss)
        if run.step % schedule.look_every == 0 or run.step == schedule.steps:
            run.say(dict(lesson.look(run.mean_network(), folder)))
        if run.step == schedule.steps or time.monotonic() - run.saved > SAVE_SECONDS:
            run.save()
    return run.mean_network()


class _Run:
    """A training on its way."""

    def __init__(self, name: str, schedule: Schedule, folder: Path, network: torch.nn.Module) -> None:
        import torch

        self._name, self._schedule, self._folder, self._network = name, schedule, folder, network
        self._optimiser = torch.optim.AdamW(network.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
        self._mean = {key: value.clone() for key, value in network.state_dict().items()}
        self._losses: list[float] = []
        self.step, self._seconds = 0, 0.0
        self.saved = self._began = time.monotonic()
        if self._state.is_file():
            self._go_on()

    @property
    def _state(self) -> Path:
        return self._folder / f"{self._name}.state"

    @property
    def _log(self) -> Path:
        return self._folder / f"{self._name}.log.jsonl"

    def learn(self, loss: torch.Tensor) -> None:
        """One step of the optimiser."""
        import torch

        for group in self._optimiser.param_groups:
            group["lr"] = self._schedule.rate * _share(self.step / self._schedule.steps)
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
        self._optimiser.step()
        self.step += 1
        self._average()
        self._losses.append(float(loss.detach()))
        if self.step % LOG_EVERY == 0:
            self.say({"loss": float(np.mean(self._losses))})
            self._losses.clear()

    def say(self, numbers: Mapping[str, float]) -> None:
        """A line in the log, and on the terminal."""
        line = {"step": self.step, "seconds": round(self._time(), 1)}
        line |= {name: round(value, 5) for name, value in numbers.items()}
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as log:
            log.write(json.dumps(line) + "\n")
        told = "  ".join(f"{name} {value:g}" for name, value in line.items() if name != "step")
        print(f"{self._name} {self.step}/{self._schedule.steps}  {told}", flush=True)

    def save(self) -> None:
        """Write all that it takes to go on from here."""
        import torch

        state = {
            "step": self.step,
            "seconds": self._time(),
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "mean": self._mean,
        }
        with replace_atomic(self._state) as path:
            torch.save(state, path)
        self.saved = time.monotonic()

    def mean_network(self) -> torch.nn.Module:
        """A copy with the averaged weights, for use."""
        import copy

        copied = copy.deepcopy(self._network)
        copied.load_state_dict(self._mean)
        return copied.eval()

    def _go_on(self) -> None:
        import torch

        state: dict[str, Any] = torch.load(self._state, weights_only=True)
        self.step, self._seconds = state["step"], state["seconds"]
        self._network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._mean = state["mean"]
        # What came after the state was saved comes again.
        lines = self._log.read_text().splitlines() if self._log.is_file() else []
        kept = [line for line in lines if json.loads(line)["step"] <= self.step]
        write_atomic(self._log, "".join(f"{line}\n" for line in kept))

    def _average(self) -> None:
        import torch

        share = 1 / min(self.step, self._schedule.mean_over)
        with torch.no_grad():
            for key, value in self._network.state_dict().items():
                if value.is_floating_point():
                    self._mean[key].lerp_(value, share)
                else:
                    self._mean[key].copy_(value)

    def _time(self) -> float:
        return self._seconds + time.monotonic() - self._began


def _share(done: float) -> float:
    """Of the learning rate, when `done`, 0..1, of the steps are: a rise, then half a cosine."""
    if done < WARM_UP:
        return (done + 1e-3) / (WARM_UP + 1e-3)
    return EASE_OUT + (1 - EASE_OUT) * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2

"""The frame of every training: it goes on from where it was stopped, says how far it is, and logs what it measures."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from standin_batch.files import replace_atomic
from training.optimizer import Muon

SAVE_EVERY = 60.0
"""Seconds between two saves; what was learnt since is learnt again after a stop, from the same numbers."""
LOG_EVERY = 50
"""Steps."""
AVERAGED = 0.999
"""Of the weights' running mean, which is what is kept in the end."""

Measures = Mapping[str, float]
Step = Callable[[int, torch.Generator], tuple[torch.Tensor, Measures]]
"""From the step's number and a source of chance to its loss and what else there is to say of it."""
Look = Callable[[int], Measures]


def learning_rate(step: int, steps: int, highest: float, warm_up: int = 100) -> float:
    """Up in a line, level, and down in a line over the last 40 % of the steps (Hu et al., arXiv 2404.06395)."""
    falling = 0.4 * steps
    return highest * min(1.0, (step + 1) / warm_up, max(steps - step, 1) / falling)


@dataclass
class Optimizers:
    """Muon for the matrices inside, Adam for what comes first and last and for vectors.

    Args:
        matrices: trained by Muon.
        others: trained by Adam.
    """

    matrices: list[torch.nn.Parameter]
    others: list[torch.nn.Parameter]
    both: tuple[torch.optim.Optimizer, ...] = field(init=False)

    def __post_init__(self) -> None:
        adam = [torch.optim.AdamW(self.others, betas=(0.9, 0.98), weight_decay=0.0)] if self.others else []
        self.both = (Muon(self.matrices), *adam)

    def step(self, learning_rate: float, clip: float = 1.0) -> float:
        """One update; returns the length that the gradient had."""
        length = torch.nn.utils.clip_grad_norm_([*self.matrices, *self.others], clip)
        for optimizer in self.both:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return float(length)


class Averages:
    """The running mean of parameters over about the last 1 / (1 - `AVERAGED`) steps."""

    def __init__(self, parameters: Mapping[str, torch.Tensor]) -> None:
        self._parameters = parameters
        self.mean = {name: each.detach().clone() for name, each in parameters.items()}

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Take one more step's weights in; the first ones count for little."""
        share = 1 - min(AVERAGED, (step + 1) / (step + 10))
        mine = list(self.mean.values())
        torch._foreach_lerp_(mine, [self._parameters[name].detach() for name in self.mean], share)


@dataclass
class Training:
    """One training, resumable.

    Args:
        folder: holds `state.pt` and `log.jsonl`.
        steps: how many there are.
        parameters: by name: what is learnt.
        optimizers: of the parameters.
        highest: learning rate.
        seed: of all that is drawn by chance.
    """

    folder: Path
    steps: int
    parameters: Mapping[str, torch.nn.Parameter]
    optimizers: Optimizers
    highest: float = 1e-3
    seed: int = 0
    averages: Averages = field(init=False)

    def __post_init__(self) -> None:
        self.averages = Averages(self.parameters)

    def run(self, losses: Step, every: int = 0, look: Look | None = None) -> None:
        """Take all steps that are left.

        Args:
            losses: the loss of one step; all chance comes from its generator.
            every: steps between two looks; 0 for none.
            look: measures what is worth measuring, and may write sheets.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        begun, seconds = self._resume()
        clock = saved = time.monotonic()
        recent: list[Measures] = []
        for step in range(begun, self.steps):
            loss, measures = losses(step, _chance(self.seed, step))
            loss.backward()  # type: ignore[no-untyped-call]
            rate = learning_rate(step, self.steps, self.highest)
            self.optimizers.step(rate)
            self.averages.follow(step)
            recent.append({"loss": float(loss.detach()), **measures})
            now, done = time.monotonic(), step + 1
            if done % LOG_EVERY == 0:
                self._say(done, seconds + now - clock, _means(recent), rate)
                recent = []
            if look is not None and every and (done % every == 0 or done == self.steps):
                self._say(done, seconds + now - clock, look(done), rate)
            if now - saved > SAVE_EVERY or done == self.steps:
                self._save(done, seconds + now - clock)
                saved = now

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The mean of the weights in place of the last ones, to look at what it does."""
        learnt = {name: each.detach().clone() for name, each in self.parameters.items()}
        self._put(self.averages.mean)
        yield
        self._put(learnt)

    def keep_averages(self) -> None:
        """The mean of the weights for good."""
        self._put(self.averages.mean)

    @torch.no_grad()
    def _put(self, values: Mapping[str, torch.Tensor]) -> None:
        for name, value in values.items():
            self.parameters[name].copy_(value)

    def _resume(self) -> tuple[int, float]:
        path = self.folder / "state.pt"
        if not path.exists():
            return 0, 0.0
        state = torch.load(path, weights_only=True)
        self._put(state["parameters"])
        for name, value in state["averages"].items():
            self.averages.mean[name].copy_(value)
        for optimizer, saved in zip(self.optimizers.both, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        return int(state["step"]), float(state["seconds"])

    def _save(self, step: int, seconds: float) -> None:
        state = {
            "step": step,
            "seconds": seconds,
            "parameters": {name: each.detach() for name, each in self.parameters.items()},
            "averages": self.averages.mean,
            "optimizers": [each.state_dict() for each in self.optimizers.both],
        }
        with replace_atomic(self.folder / "state.pt") as path:
            torch.save(state, path)

    def _say(self, step: int, seconds: float, measures: Measures, rate: float) -> None:
        rounded = {name: round(value, 5) for name, value in measures.items()}
        line = {"step": step, "of": self.steps, "seconds": round(seconds), "lr": round(rate, 7), **rounded}
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        said = "  ".join(f"{name} {value:.4g}" for name, value in measures.items())
        print(f"{self.folder.name}  {step}/{self.steps}  {seconds / 60:.1f} min  {said}", flush=True)


def psnr(error: float, span: float = 2.0) -> float:
    """Decibels of a mean squared error between values that lie within `span` of each other."""
    return 10 * math.log10(span**2 / error)


def matrices_of(named: Iterable[tuple[str, torch.nn.Parameter]], not_in: tuple[str, ...]) -> list[torch.nn.Parameter]:
    """What Muon trains: all of two and more dimensions but those whose names begin with one of `not_in`."""
    return [each for name, each in named if each.dim() > 1 and not name.startswith(not_in)]


def _means(measures: Sequence[Measures]) -> Measures:
    return {name: sum(each[name] for each in measures) / len(measures) for name in measures[0]}


def _chance(seed: int, step: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + step)

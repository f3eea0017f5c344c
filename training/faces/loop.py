"""What the three face models have in common in their training: a network, lessons about it, and Adam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from training.loop import Measures, Schedule, Training
from training.optimizer import Optimizers


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


@dataclass(frozen=True)
class Course:
    """How a face model is trained.

    Attributes:
        schedule: how long and how fast.
        weight_decay: Adam's.
    """

    schedule: Schedule
    weight_decay: float


def train(lesson: Lesson, course: Course, folder: Path) -> torch.nn.Module:
    """Train to the end, from where the state in `folder` stands, and give the mean network, ready to be exported.

    Args:
        lesson: what is learned.
        course: how.
        folder: of sheets; state and log lie in one below it, of the lesson's name.
    """
    torch.manual_seed(course.schedule.seed)
    network = lesson.network().to(memory_format=torch.channels_last)
    tensors = {name: each for name, each in network.state_dict(keep_vars=True).items() if each.is_floating_point()}
    optimizers = Optimizers(dict(network.named_parameters()), by_adam=("",), weight_decay=course.weight_decay)

    def losses(step: int, _: torch.Generator) -> tuple[torch.Tensor, Measures]:
        network.train()
        with torch.autocast("cpu", torch.bfloat16):
            return lesson.loss(network, np.random.default_rng((course.schedule.seed, step))), {}

    def look(_: int) -> Measures:
        return lesson.look(network.eval(), folder)

    Training(folder / lesson.name, course.schedule, tensors, optimizers).run(losses, look)
    return network.eval()

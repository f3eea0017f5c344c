"""What the three commands have in common: their options, one thread, and the model written in the end."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from training.faces.loop import Course, Lesson, train

if TYPE_CHECKING:
    import torch


class WrittenLesson(Lesson, Protocol):
    """What is learned, and the file that it becomes."""

    def write(self, network: torch.nn.Module, folder: Path) -> None:
        """The model's file, at its place below `folder`."""
        ...


@dataclass(frozen=True)
class Command:
    """`python -m training.faces.NAME --out DIR`."""

    lesson: WrittenLesson
    course: Course

    def run(self) -> None:
        """Train as the command line says."""
        import cv2
        import torch

        made = argparse.ArgumentParser(prog=f"python -m training.faces.{self.lesson.name}")
        made.add_argument("--out", type=Path, required=True, help="folder of model, log, sheets and state")
        made.add_argument("--steps", type=int, default=self.course.schedule.steps, help="of the optimiser")
        made.add_argument("--seed", type=int, default=self.course.schedule.seed, help="of weights and batches")
        given = made.parse_args()
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        schedule = replace(self.course.schedule, steps=given.steps, seed=given.seed)
        network = train(self.lesson, replace(self.course, schedule=schedule), given.out)
        self.lesson.write(network, given.out)

"""Which LoRAs are on which expert: changed only when a job needs others, and always from the pristine weights."""

from __future__ import annotations

from typing import Any

from standin_batch.engine.lora import Fused, LoraFile, fuse
from standin_batch.job import Job


class LoraSet:
    """The LoRAs that are on the experts of one model.

    Args:
        device: that they are added on, wherever the weights are.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._on: dict[int, tuple[tuple[tuple[str, float], ...], Fused]] = {}

    def key(self, expert: int) -> tuple[tuple[str, float], ...]:
        """What is on an expert: content and scale of each LoRA, in order."""
        return self._on[expert][0] if expert in self._on else ()

    def put_on(self, job: Job, expert: int, name: str, dit: Any) -> None:  # noqa: ANN401
        """Have on an expert the LoRAs that `job` wants there, and no others.

        Args:
            job: what is made.
            expert: index, from high noise to low.
            name: of the expert.
            dit: its transformer.
        """
        found = [(lora.file_for(name), lora.scale) for lora in job.loras]
        wanted = [(file, scale) for file, scale in found if file is not None]
        key = tuple((file.digest, scale) for file, scale in wanted)
        if key == self.key(expert):
            return
        self.take_off(expert)
        if wanted:
            self._on[expert] = (key, fuse(dit, [LoraFile(file.path, scale) for file, scale in wanted], self._device))

    def take_off(self, expert: int) -> None:
        """Bring the weights of an expert back to the very bits."""
        if expert in self._on:
            self._on[expert][1].restore()
            del self._on[expert]

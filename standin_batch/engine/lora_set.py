"""Which LoRAs are on which expert: changed only when a job needs others, and always from the pristine weights."""

from __future__ import annotations

from typing import Any

from standin_batch.engine.lora import Fusion, LoraFile
from standin_batch.job import Job

Key = tuple[tuple[str, float], ...]
"""Content and scale of each LoRA, in order."""


class LoraSet:
    """The LoRAs that are on the experts of one model.

    Args:
        device: that they are added on, wherever the weights are.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._fusions: dict[int, Fusion] = {}
        self._on: dict[int, Key] = {}

    def key(self, expert: int) -> Key:
        """What is on an expert."""
        return self._on.get(expert, ())

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
        if expert not in self._fusions:
            self._fusions[expert] = Fusion(dit, self._device)
        self._on.pop(expert, None)  # an error leaves none on it
        self._fusions[expert].put_on([LoraFile(file.path, scale) for file, scale in wanted])
        self._on[expert] = key

    def let_go(self) -> None:
        """Give up copies of weights that nothing is added to now."""
        for fusion in self._fusions.values():
            fusion.let_go()

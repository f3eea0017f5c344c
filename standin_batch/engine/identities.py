"""The identities of an engine: the latents of its subjects, and keys and values of the one at work, for each expert.

Latents are small, and a plan comes back to a subject with each set of LoRAs. Keys and values are 0.84 GB for each
expert of 14B: they are kept of one identity and one grid at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import torch
from PIL import Image

from standin_batch.engine.adapter import BlockAdapter, load_adapter
from standin_batch.engine.identity import IdentityKV, encode_subject, identity_kv
from standin_batch.job import Job
from standin_batch.stopwatch import part
from standin_batch.weights.content import FACE
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.registry import ROWS

Key = tuple[str, tuple[int, int]]
"""Subject and grid."""

MOST_LATENTS = 1024
"""Latents that are kept: 256 kB each in float32 at 14B."""


class Identities:
    """What is known of subjects.

    Args:
        files: of the model, for its adapters.
        device: as torch names it.
    """

    def __init__(self, files: ModelFiles, device: str) -> None:
        self._files, self._device = files, device
        self._adapters: dict[int, tuple[BlockAdapter, ...]] = {}
        self._latents: dict[str, torch.Tensor] = {}
        self._known: dict[int, tuple[Key, Hashable, IdentityKV]] = {}

    def latent(self, pipe: Any, job: Job, image: Callable[[Job], Image.Image]) -> torch.Tensor | None:  # noqa: ANN401
        """The latent of the subject of `job`; None without one. Its picture is asked for only when it is not known."""
        if job.subject is None:
            return None
        key = subject_key(job)
        if key in self._latents:
            latent = self._latents.pop(key).to(self._device)
        else:
            latent = encode_subject(pipe, image(job), ROWS[job.model].sizes.subject_side)
        self._latents[key] = latent.cpu()
        if len(self._latents) > MOST_LATENTS:
            del self._latents[next(iter(self._latents))]  # the one that was asked for longest ago
        return latent

    def forget(self) -> None:
        """Forget what may fill the device: adapters, keys and values. Latents wait on the CPU."""
        self._adapters.clear()
        self._known.clear()

    def keys_values(
        self,
        dit: Any,  # noqa: ANN401
        expert: int,
        job: Job,
        latent: torch.Tensor | None,
        weights: Hashable,
        *,
        alone: bool,
    ) -> IdentityKV | None:
        """What an expert sees of the identity of `job`; None without one.

        Args:
            dit: the expert's transformer.
            expert: its index.
            job: what is made.
            latent: of its subject.
            weights: what is on the transformer's weights, which decide keys and values too.
            alone: whether only this expert's keys and values are kept.
        """
        if latent is None:
            return None
        key = (subject_key(job), job.grid)
        self._known = {
            index: held for index, held in self._known.items() if held[0] == key and (index == expert or not alone)
        }
        if expert not in self._known or self._known[expert][1] != weights:
            with part("identity"):
                found = identity_kv(dit, self._adapter(dit, expert), latent, job.grid)
            self._known[expert] = (key, weights, found)
        return self._known[expert][2]

    def _adapter(self, dit: Any, expert: int) -> tuple[BlockAdapter, ...]:  # noqa: ANN401
        if expert not in self._adapters:
            path = self._files.adapters()[expert]
            self._adapters[expert] = load_adapter(path, len(dit.blocks), dit.dim, self._device)
        return self._adapters[expert]


def subject_key(job: Job) -> str:
    """What decides the prepared picture of a job's subject; empty without one."""
    if job.subject is None:
        return ""
    return repr((sorted(job.subject.fingerprint().items()), job.weights.get(FACE)))

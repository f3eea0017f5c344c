"""The jobs of a batch, and the place in which they run: together, or each by itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from benchmarks.calls import Call, standin_run
from benchmarks.common import ROOT

IDENTITIES: dict[str, Any] = {
    "astronaut": str(ROOT / "manifests/faces/astronaut.png"),
    "cat": {"image": str(ROOT / "manifests/faces/chelsea.png"), "kind": "subject"},
}
PROMPTS = {
    "desk": "A person sits comfortably at a desk, facing the camera as if talking to a friend.",
    "wave": "一个人举起双手，对着镜头微笑。",
    "hills": "A person walks through green hills.",
}
LORAS = {"style": str(ROOT / "manifests/loras/style.safetensors")}
LORA_SETS: tuple[list[str], ...] = ([], ["style"])
SEEDS = (0, 1)


@dataclass(frozen=True)
class Place:
    """Where everything of one call lies, and what all its runs share."""

    folder: Path
    options: tuple[str, ...]
    base: dict[str, Any]

    @classmethod
    def of(cls, arguments: argparse.Namespace, folder: Path) -> Place:
        """Below `folder`, with the sizes of a command line."""
        width, height = arguments.size.split("x")
        sizes = {"width": int(width), "height": int(height), "num_frames": arguments.frames}
        base = {
            "version": 1,
            "model": arguments.model,
            "defaults": {**sizes, "num_inference_steps": arguments.steps, "fps": 8},
            "identities": IDENTITIES,
            "loras": LORAS,
            "prompts": PROMPTS,
            "scores": {"enabled": not arguments.no_scores},
        }
        options = ["--device", arguments.device]
        if arguments.checkpoints is not None:
            options += ["--checkpoints", str(arguments.checkpoints.resolve())]
        return cls(folder, tuple(options), base)

    def manifest(self, name: str, jobs: Sequence[dict[str, Any]]) -> Path:
        """Write a manifest of these jobs."""
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**self.base, "name": name, "jobs": list(jobs)}, allow_unicode=True))
        return path

    def run(self, name: str, jobs: Sequence[dict[str, Any]]) -> Call:
        """Run these jobs in a process of its own, with an empty cache of its own."""
        cache, output = self.folder / "caches" / name, self.folder / "outputs" / name
        manifest = self.manifest(name, jobs)
        return standin_run(manifest, *self.options, folder=output, cache=cache, workplace=self.folder)


def combinations() -> Iterator[dict[str, Any]]:
    """The 24 jobs, each by itself: 2 identities x 3 prompts x 2 sets of LoRAs x 2 seeds."""
    for identity, prompt, loras, seed in product(IDENTITIES, PROMPTS, LORA_SETS, SEEDS):
        yield {"identity": identity, "prompt": prompt, "loras": loras, "seed": seed, "mode": "t2v"}

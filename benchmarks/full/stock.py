"""Stock DiffSynth on the same files: seconds of a CFG step by its own pipeline, without an identity.

Run in a process of its own, before anything of the engine is imported: nothing of it is installed into the model.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks.common import commit, machine, versions
from benchmarks.full.parts import parts
from benchmarks.timing import default_device, matmul_rate, seconds
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ModelRow

RESULT = "stock.json"
STEPS, WARM_UP = 3, 1


def measure(folder: Path, row: ModelRow, arguments: argparse.Namespace) -> Path:
    """Load the pipeline as its documentation says, and time its two forwards of a step.

    Returns:
        The file that has what came out.
    """
    import torch

    device = default_device() if arguments.device == "auto" else arguments.device
    dtype = getattr(torch, row.defaults["dtype"])
    rate = matmul_rate(device, dtype)
    pipe = _pipeline(folder, row, device)
    sizes = {key: getattr(arguments, key) or row.defaults[key] for key in ("width", "height")}
    frames = arguments.frames or row.defaults["num_frames"]
    step = _step(pipe, row, (1, 16, (frames - 1) // 4 + 1, sizes["height"] // 8, sizes["width"] // 8))
    found = {
        "step_seconds": seconds(step, device, repeats=STEPS, warm_up=WARM_UP),
        "matmul_flop_per_second": rate,
        **{**sizes, "num_frames": frames},
        **{"machine": machine(), "versions": versions(), "commit": commit()},
    }
    path = folder / RESULT
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return path


def _pipeline(folder: Path, row: ModelRow, device: str) -> Any:  # noqa: ANN401
    os.environ.setdefault("DIFFSYNTH_SKIP_DOWNLOAD", "True")
    from diffsynth.configs import MODEL_CONFIGS
    from diffsynth.core import ModelConfig
    from diffsynth.pipelines.wan_video import WanVideoPipeline

    MODEL_CONFIGS.extend(dict(entry) for entry in row.diffsynth)
    files = locate(row, folder / "checkpoints")
    shards = [str(folder / name) for name in parts(row)[0].files]
    import torch

    return WanVideoPipeline.from_pretrained(
        torch_dtype=getattr(torch, row.defaults["dtype"]),
        device=device,
        model_configs=[ModelConfig(path=shards), ModelConfig(path=str(files.vae))],
        tokenizer_config=None,
        redirect_common_files=False,
    )


def _step(pipe: Any, row: ModelRow, shape: tuple[int, ...]) -> Any:  # noqa: ANN401
    """What a step of `WanVideoPipeline.__call__` computes with guidance, the scheduler's sum left out."""
    import torch

    where = {"device": pipe.device, "dtype": pipe.torch_dtype}
    latents = torch.randn(shape, **where)
    positive, negative = (torch.randn(1, 512, row.sizes.text_dim, **where) for _ in range(2))
    timestep = torch.full((1,), 500.0, **where)

    @torch.no_grad()
    def step() -> object:
        both = [
            pipe.model_fn(dit=pipe.dit, latents=latents, timestep=timestep, context=context)
            for context in (positive, negative)
        ]
        return both[1] + 5.0 * (both[0] - both[1])

    return step

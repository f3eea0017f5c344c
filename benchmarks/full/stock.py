"""Stock DiffSynth on the same files: seconds of a CFG step by its own pipeline, without an identity.

Twice: as it comes, with the attention that it takes by what can be imported; and with the kernel that the engine's
runs in the same folder took. Run in a process of its own, and nothing of the engine is installed into the model but
that kernel.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks.common import commit, machine, versions
from benchmarks.full.clips import CACHE
from benchmarks.full.parts import parts
from benchmarks.stock import attention_by, stock_attention
from benchmarks.timing import default_device, matmul_rate, seconds
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ModelRow

RESULT = "stock.json"
STEPS, WARM_UP = 3, 1


def measure(folder: Path, row: ModelRow, arguments: argparse.Namespace) -> Path:
    """Load the pipeline as its documentation says, and time its two forwards of a step with either attention.

    Returns:
        The file that has what came out.
    """
    import torch

    from standin_batch.engine.dit.attention import EXACT

    device = default_device() if arguments.device == "auto" else arguments.device
    dtype = getattr(torch, row.defaults["dtype"])
    rate = matmul_rate(device, dtype)
    pipe = _pipeline(folder, row, device)
    sizes = {key: getattr(arguments, key) or row.defaults[key] for key in ("width", "height")}
    frames = arguments.frames or row.defaults["num_frames"]
    shape = (1, 16, (frames - 1) // 4 + 1, sizes["height"] // 8, sizes["width"] // 8)
    step, kernel = _step(pipe, row, shape), engine_kernel(folder, row, shape, device)
    own = seconds(step, device, repeats=STEPS, warm_up=WARM_UP)
    with attention_by(EXACT[kernel]):
        same = seconds(step, device, repeats=STEPS, warm_up=WARM_UP)
    found = {
        **{"step_seconds": own, "attention": stock_attention()},
        **{"same_attention_step_seconds": same, "engine_attention": kernel},
        "matmul_flop_per_second": rate,
        **{**sizes, "num_frames": frames},
        **{"machine": machine(), "versions": versions(), "commit": commit()},
    }
    path = folder / RESULT
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return path


def engine_kernel(folder: Path, row: ModelRow, shape: tuple[int, ...], device: str) -> str:
    """The name of the kernel that the engine takes for a subject's clip of these latents, as its runs remember it."""
    import torch

    from standin_batch.engine.dit.attention import Shape
    from standin_batch.engine.dit.chosen import Kernels

    _, _, frames, rows, columns = shape
    tokens, heads = frames * (rows // 2) * (columns // 2), row.sizes.num_heads
    attended = Shape(tokens, tokens + row.sizes.identity_tokens, heads, row.sizes.dim // heads)
    kernels = Kernels(device, folder / CACHE / "attention.json")
    return kernels.name_for(attended, getattr(torch, row.defaults["dtype"]))


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

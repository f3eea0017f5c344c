"""The DiffSynth pipeline: loaded once for a model and a dtype, by DiffSynth's own loaders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffsynth.configs import MODEL_CONFIGS
from diffsynth.core import ModelConfig
from diffsynth.pipelines.wan_video import WanVideoPipeline

from standin_batch.engine.identity import install
from standin_batch.errors import NotReadyError
from standin_batch.weights.locate import ModelFiles

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class LoadError(NotReadyError):
    """Weights that are there but cannot be loaded."""


def register_sizes(entries: Iterable[Mapping[str, Any]]) -> None:
    """Let DiffSynth recognise models of other sizes by their headers; entries it has already are left alone."""
    known = {(entry["model_hash"], entry["model_name"]) for entry in MODEL_CONFIGS}
    for entry in entries:
        if (entry["model_hash"], entry["model_name"]) not in known:
            MODEL_CONFIGS.append(dict(entry))


def load_pipeline(files: ModelFiles, dtype: str, device: str) -> WanVideoPipeline:
    """Load DiT, text encoder, VAE and tokenizer, and give each DiT the place for an identity.

    Args:
        files: of one model.
        dtype: `float32` or `bfloat16`.
        device: as torch names it.

    Raises:
        LoadError: if a file is broken or not what its name says.
    """
    groups = [expert.shards for expert in files.experts] + [(files.text_encoder,), (files.vae,)]
    try:
        pipe = WanVideoPipeline.from_pretrained(
            torch_dtype=DTYPES[dtype],
            device=device,
            model_configs=[ModelConfig(path=_paths(group)) for group in groups],
            tokenizer_config=ModelConfig(path=str(files.tokenizer)),
            redirect_common_files=False,
        )
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        raise LoadError(f"the weights in {files.root} cannot be loaded: {error}", "download them again") from error
    for dit in experts_of(pipe):
        install(dit)
    return pipe


def experts_of(pipe: WanVideoPipeline) -> tuple[Any, ...]:
    """The diffusion transformers of `pipe`, from high noise to low."""
    return tuple(dit for dit in (pipe.dit, pipe.dit2) if dit is not None)


def _paths(group: tuple[Path, ...]) -> str | list[str]:
    names = [str(path) for path in group]
    return names[0] if len(names) == 1 else names

"""The DiffSynth pipeline: loaded once for a model and a dtype, by DiffSynth's own loaders."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from diffsynth.configs import MODEL_CONFIGS
from diffsynth.core import ModelConfig
from diffsynth.core.loader import hash_model_file
from diffsynth.core.loader.file import hash_state_dict_keys
from diffsynth.models.model_loader import ModelPool
from diffsynth.models.wan_video_text_encoder import HuggingfaceTokenizer
from diffsynth.pipelines.wan_video import WanVideoPipeline

from standin_batch.errors import NotReadyError
from standin_batch.weights.locate import ModelFiles

TEXT_TOKENS = 512
"""Tokens of every prompt: the value of `WanVideoPipeline.from_pretrained`."""

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
    """Load DiT and VAE; the text encoder comes when it is needed.

    Args:
        files: of one model.
        dtype: `float32` or `bfloat16`.
        device: as torch names it.

    Raises:
        LoadError: if a file is broken or not what its name says.
    """
    groups = [expert.shards for expert in files.experts] + [(files.vae,)]
    with _told(files.root):
        return WanVideoPipeline.from_pretrained(
            torch_dtype=DTYPES[dtype],
            device=device,
            model_configs=[ModelConfig(path=_paths(group)) for group in groups],
            tokenizer_config=None,
            redirect_common_files=False,
        )


def load_text_encoder(pipe: WanVideoPipeline, files: ModelFiles, device: str) -> None:
    """Load text encoder and tokenizer, unless they are there: where all prompts are known, nobody needs them.

    Args:
        pipe: a loaded pipeline.
        files: of its model.
        device: that the encoder is loaded to.

    Raises:
        LoadError: if a file is broken or not what its name says.
    """
    load_module(pipe, "text_encoder", (files.text_encoder,), device)
    if pipe.tokenizer is None:
        with _told(files.tokenizer):
            pipe.tokenizer = HuggingfaceTokenizer(name=str(files.tokenizer), seq_len=TEXT_TOKENS, clean="whitespace")


def load_module(pipe: WanVideoPipeline, name: str, shards: tuple[Path, ...], device: str) -> None:
    """Put a module beside the base of `pipe`, unless it is there; of its checkpoint only its own tensors are read.

    Args:
        pipe: a loaded pipeline.
        name: of the pipeline's attribute (`vace`).
        shards: of the module's checkpoint.
        device: that it is loaded to.

    Raises:
        LoadError: if the file is broken or not what its name says.
    """
    if getattr(pipe, name) is not None:
        return
    where = shards[0] if len(shards) == 1 else shards[0].parent
    with _told(where):
        setattr(pipe, name, _module(pipe, name, shards, device, where))


def _module(pipe: WanVideoPipeline, name: str, shards: tuple[Path, ...], device: str, where: Path) -> Any:  # noqa: ANN401
    pool, paths, model_hash = ModelPool(), _paths(shards), model_hash_of(shards)
    config = next((entry for entry in MODEL_CONFIGS if _is_module(entry, model_hash, name)), None)
    if config is None:
        raise LoadError(f"{where} holds no {name} that DiffSynth knows ({model_hash})", "download it again")
    placement = {"computation_dtype": pipe.torch_dtype, "computation_device": device}
    return pool.load_model_file(config, paths, {**pool.default_vram_config(), **placement})


def model_hash_of(shards: tuple[Path, ...]) -> str:
    """What DiffSynth recognises a checkpoint by: its `hash_model_file`, which would read every tensor of a pickle.

    Args:
        shards: of the checkpoint.
    """
    if len(shards) == 1 and shards[0].suffix != ".safetensors":
        with contextlib.suppress(RuntimeError):  # pickles of before torch 1.6 cannot be mapped
            state = torch.load(shards[0], map_location="meta", mmap=True, weights_only=True)
            if len(state) > 1:  # else DiffSynth looks inside for the state
                found: str = hash_state_dict_keys(state)
                return found
    whole: str = hash_model_file(_paths(shards))
    return whole


def _is_module(entry: Mapping[str, Any], model_hash: str, name: str) -> bool:
    return entry["model_hash"] == model_hash and entry["model_name"] == f"wan_video_{name}"


@contextlib.contextmanager
def _told(where: Path) -> Iterator[None]:
    """What loading broken weights raises, in a user's words."""
    try:
        yield
    except (torch.OutOfMemoryError, LoadError):
        raise
    except Exception as error:
        raise LoadError(f"the weights in {where} cannot be loaded: {error}", "download them again") from error


def experts_of(pipe: WanVideoPipeline) -> tuple[Any, ...]:
    """The diffusion transformers of `pipe`, from high noise to low."""
    return tuple(dit for dit in (pipe.dit, pipe.dit2) if dit is not None)


def _paths(group: tuple[Path, ...]) -> str | list[str]:
    names = [str(path) for path in group]
    return names[0] if len(names) == 1 else names

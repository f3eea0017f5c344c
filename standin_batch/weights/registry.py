"""The table of base models: a new base model is a new row, not new code.

A row says which files a model is made of, how DiffSynth recognises them, and what its makers recommend. It is data:
nothing here looks at a disk or imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from standin_batch.errors import UsageError
from standin_batch.weights import sources
from standin_batch.weights.sources import Source

NEGATIVE_PROMPT = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，"
    "丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，"
    "杂乱的背景，三条腿，背景人很多，倒着走"
)
"""Wan's own negative prompt, which Stand-In was tuned with."""


@dataclass(frozen=True)
class Expert:
    """One diffusion transformer of a model: Wan2.1 has one, Wan2.2 one for high noise and one for low.

    Attributes:
        name: `base`, `high_noise` or `low_noise`.
        shards: glob of the weight files, below the base folder.
        adapters: names of the Stand-In checkpoint below `Stand-In/`, newest first.
    """

    name: str
    shards: str
    adapters: tuple[str, ...]


@dataclass(frozen=True)
class Module:
    """Weights that work beside a base model, in a checkpoint that holds a whole base as well.

    Attributes:
        name: for people and the command line.
        source: where the checkpoint comes from, and its folder below the root.
        shards: glob of its weight files.
        prefix: what the names of the module's own tensors begin with; all others are the base's.
    """

    name: str
    source: Source
    shards: str
    prefix: str


@dataclass(frozen=True)
class Sizes:
    """How large the parts of a model are: what its work, its memory and its loading are estimated from.

    Attributes:
        dim: width of a token in the diffusion transformer (DiT).
        ffn_dim: width inside its feed-forward layers.
        num_layers: blocks.
        num_heads: heads of each attention.
        text_dim: width of an encoded prompt.
        freq_dim: width of the sinusoidal embedding of the timestep.
        vace_layers: blocks of the VACE module.
        adapter_rank: rank of the Stand-In adapter.
        text_encoder_parameters: numbers in the umT5 encoder.
        vae_parameters: numbers in the VAE.
        vae_decode_flop: to decode one pixel of one frame, counted with `torch.utils.flop_counter`.
        vae_decode_live: numbers alive at once for each pixel while frames are decoded, besides these, counted.
        dit_disk_bytes: of one number of the DiT on disk; the official shards are float32.
    """

    dim: int
    ffn_dim: int
    num_layers: int
    num_heads: int
    text_dim: int
    freq_dim: int
    vace_layers: int
    adapter_rank: int
    text_encoder_parameters: int
    vae_parameters: int
    vae_decode_flop: float
    vae_decode_live: float
    dit_disk_bytes: int

    @property
    def dit_parameters(self) -> int:
        """Numbers in one expert: blocks, embeddings of patches, text and time, and the head."""
        dim = self.dim
        patches = 65 * dim
        text = (self.text_dim + dim + 2) * dim
        time = (self.freq_dim + dim + 2) * dim + 6 * (dim + 1) * dim
        head = 64 * (dim + 1) + 2 * dim
        return self.num_layers * self._block_parameters + patches + text + time + head

    @property
    def vace_parameters(self) -> int:
        """Numbers in the VACE module: blocks with a projection behind each and one before, and its own patches."""
        projections = (self.vace_layers + 1) * (self.dim + 1) * self.dim
        return self.vace_layers * self._block_parameters + projections + 385 * self.dim

    @property
    def adapter_parameters(self) -> int:
        """Numbers in one Stand-In adapter: down and up for query, key and value of each block."""
        return self.num_layers * 3 * 2 * self.dim * self.adapter_rank

    @property
    def _block_parameters(self) -> int:
        attention = 4 * (self.dim + 1) * self.dim + 2 * self.dim
        feed_forward = 2 * self.dim * self.ffn_dim + self.ffn_dim + self.dim
        return 2 * attention + feed_forward + 2 * self.dim + 6 * self.dim


@dataclass(frozen=True)
class ModelRow:
    """A base model that Stand-In works on.

    Attributes:
        name: the value of `model` in a manifest.
        summary: one line for help texts.
        base: folder of the base model below the root of the checkpoints.
        root: folder below `checkpoints/` that holds this row's folders.
        experts: from high noise to low.
        boundary: below this share of 1,000 timesteps the next expert takes over (Wan2.2).
        defaults: recommended values of a job's keys.
        licence: of the weights.
        sizes: of its parts.
        sources: of the base; none for rows made on this machine.
        adapters: sources of the Stand-In adapters.
        modules: weights beside the base, by name; a mode that needs another one does not run on this model.
        generator: name and version of what makes the files on this machine; None for downloaded rows.
        teacache: coefficients that tell how much the blocks' output changes from how much their modulation does, the
            highest power first (TeaCache, arXiv 2411.19108).
        diffsynth: entries to add to DiffSynth's `MODEL_CONFIGS`, for sizes that it does not know.
    """

    name: str
    summary: str
    base: str
    experts: tuple[Expert, ...]
    defaults: Mapping[str, Any]
    licence: str
    sizes: Sizes
    teacache: tuple[float, ...]
    root: str = ""
    boundary: float = 0.875
    sources: tuple[Source, ...] = ()
    adapters: tuple[Source, ...] = ()
    modules: Mapping[str, Module] = field(default_factory=dict)
    generator: str | None = None
    diffsynth: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


SHARDS = "diffusion_pytorch_model*.safetensors"
WAN21_ADAPTERS = ("Stand-In_wan2.1_T2V_14B.ckpt", "Stand-In_wan2.1_T2V_14B_ver1.0.ckpt")

_WAN21_EXPERTS = (Expert("base", SHARDS, WAN21_ADAPTERS),)
_WAN22_EXPERTS = (
    Expert("high_noise", f"high_noise_model/{SHARDS}", ("Stand-In_wan2.2_T2V_A14B_high.ckpt",)),
    Expert("low_noise", f"low_noise_model/{SHARDS}", ("Stand-In_wan2.2_T2V_A14B_low.ckpt",)),
)

VACE = "vace"
"""Name of the module that the mode of the same name needs."""

_WAN21_MODULES = {VACE: Module("wan2.1-vace-14b", sources.WAN21_VACE, SHARDS, "vace_")}

_SIZES_14B = Sizes(
    dim=5120,
    ffn_dim=13824,
    num_layers=40,
    num_heads=40,
    text_dim=4096,
    freq_dim=256,
    vace_layers=8,
    adapter_rank=128,
    text_encoder_parameters=5_680_910_336,
    vae_parameters=126_892_531,
    vae_decode_flop=8.51e6,
    vae_decode_live=4861.0,
    dit_disk_bytes=4,
)

TEACACHE_14B = (-3.03318725e05, 4.90537029e04, -2.65530556e03, 5.87365115e01, -3.15583525e-01)
"""Fitted by TeaCache's authors to Wan2.1-T2V-14B, as DiffSynth's `TeaCache` has them. For Wan2.2 there is no fit."""

TEACACHE_TINY = (0.1, 0.0)
"""Random weights have nothing to fit: their modulation changes about wholly in each step, which counts as a tenth."""

_SHARED_DEFAULTS: dict[str, Any] = {
    "negative_prompt": NEGATIVE_PROMPT,
    "seed": 0,
    "width": 832,
    "height": 480,
    "num_frames": 81,
    "fps": 25.0,
    "max_frames": 81,
    "max_pixels": 1280 * 720,
    "num_inference_steps": 20,
    "cfg_scale": 5.0,
    "sigma_shift": 5.0,
    "dtype": "bfloat16",
    "vae_tiled": False,
}

TINY_DIT: dict[str, Any] = {
    "dim": 96,
    "in_dim": 16,
    "ffn_dim": 192,
    "out_dim": 16,
    "text_dim": 64,
    "freq_dim": 64,
    "eps": 1e-6,
    "patch_size": [1, 2, 2],
    "num_heads": 4,
    "num_layers": 4,
    "has_image_input": False,
}
TINY_VACE: dict[str, Any] = {
    "vace_layers": [0, 2],
    "vace_in_dim": 96,
    "patch_size": [1, 2, 2],
    "has_image_input": False,
    "dim": 96,
    "num_heads": 4,
    "ffn_dim": 192,
    "eps": 1e-6,
}
TINY_T5: dict[str, Any] = {
    "vocab": 512,
    "dim": 64,
    "dim_attn": 64,
    "dim_ffn": 128,
    "num_heads": 4,
    "num_layers": 2,
    "num_buckets": 32,
    "shared_pos": False,
    "dropout": 0.0,
}
TINY_VAE: dict[str, Any] = {"dim": 8, "z_dim": 16}

_TINY_SIZES = Sizes(
    dim=TINY_DIT["dim"],
    ffn_dim=TINY_DIT["ffn_dim"],
    num_layers=TINY_DIT["num_layers"],
    num_heads=TINY_DIT["num_heads"],
    text_dim=TINY_DIT["text_dim"],
    freq_dim=TINY_DIT["freq_dim"],
    vace_layers=len(TINY_VACE["vace_layers"]),
    adapter_rank=128,
    text_encoder_parameters=115_264,
    vae_parameters=924_491,
    vae_decode_flop=6.19e4,
    vae_decode_live=441.0,
    dit_disk_bytes=2,
)

_CONVERTERS = "diffsynth.utils.state_dict_converters"

TINY_DIFFSYNTH: tuple[dict[str, Any], ...] = (
    {
        "model_hash": "84925c2bd02b89c06dc85cb1a1be4d25",
        "model_name": "wan_video_dit",
        "model_class": "diffsynth.models.wan_video_dit.WanModel",
        "extra_kwargs": TINY_DIT,
    },
    {
        "model_hash": "88918302346c87bf8596803ca2661340",
        "model_name": "wan_video_dit",
        "model_class": "diffsynth.models.wan_video_dit.WanModel",
        "state_dict_converter": f"{_CONVERTERS}.wan_video_dit.WanVideoDiTStateDictConverter",
        "extra_kwargs": TINY_DIT,
    },
    {
        "model_hash": "88918302346c87bf8596803ca2661340",
        "model_name": "wan_video_vace",
        "model_class": "diffsynth.models.wan_video_vace.VaceWanModel",
        "state_dict_converter": f"{_CONVERTERS}.wan_video_vace.VaceWanModelDictConverter",
        "extra_kwargs": TINY_VACE,
    },
    {
        "model_hash": "bcbf522a0f89ab8f1ce926261a4e4c3c",
        "model_name": "wan_video_text_encoder",
        "model_class": "diffsynth.models.wan_video_text_encoder.WanTextEncoder",
        "extra_kwargs": TINY_T5,
    },
    {
        "model_hash": "cb16b9a02ae4539361b6cc6302ce413b",
        "model_name": "wan_video_vae",
        "model_class": "standin_batch.engine.vae.SizedWanVideoVAE",
        "state_dict_converter": f"{_CONVERTERS}.wan_video_vae.WanVideoVAEStateDictConverter",
        "extra_kwargs": TINY_VAE,
    },
)
"""What DiffSynth needs to know to load the tiny sizes: its own classes at other widths, recognised by their headers."""

_TINY_DEFAULTS = {
    **_SHARED_DEFAULTS,
    "width": 160,
    "height": 96,
    "num_frames": 9,
    "num_inference_steps": 4,
    "dtype": "float32",
}

ROWS: Mapping[str, ModelRow] = MappingProxyType(
    {
        row.name: row
        for row in (
            ModelRow(
                name="tiny",
                summary="Wan2.1 with random weights at a size that a CPU runs in seconds; made on first use",
                base="Wan2.1-T2V",
                root="tiny",
                experts=_WAN21_EXPERTS,
                defaults=_TINY_DEFAULTS,
                licence="Apache-2.0",
                sizes=_TINY_SIZES,
                teacache=TEACACHE_TINY,
                modules=_WAN21_MODULES,
                generator="tiny-1",
                diffsynth=TINY_DIFFSYNTH,
            ),
            ModelRow(
                name="tiny-2.2",
                summary="Wan2.2 (two experts) with random weights, tiny; made on first use",
                base="Wan2.2-T2V",
                root="tiny",
                experts=_WAN22_EXPERTS,
                defaults={**_TINY_DEFAULTS, "num_inference_steps": 6, "cfg_scale": (4.0, 3.0), "sigma_shift": 12.0},
                licence="Apache-2.0",
                sizes=_TINY_SIZES,
                teacache=TEACACHE_TINY,
                generator="tiny-1",
                diffsynth=TINY_DIFFSYNTH,
            ),
            ModelRow(
                name="wan2.1-t2v-14b",
                summary="Wan2.1 text to video, 14B parameters",
                base="Wan2.1-T2V",
                experts=_WAN21_EXPERTS,
                defaults=_SHARED_DEFAULTS,
                licence="Apache-2.0",
                sizes=_SIZES_14B,
                teacache=TEACACHE_14B,
                sources=(sources.WAN21_T2V,),
                adapters=(sources.STAND_IN_21,),
                modules=_WAN21_MODULES,
            ),
            ModelRow(
                name="wan2.2-t2v-a14b",
                summary="Wan2.2 text to video, two experts of 14B parameters",
                base="Wan2.2-T2V",
                experts=_WAN22_EXPERTS,
                defaults={
                    **_SHARED_DEFAULTS,
                    "num_inference_steps": 40,
                    "cfg_scale": (4.0, 3.0),
                    "sigma_shift": 12.0,
                },
                licence="Apache-2.0",
                sizes=_SIZES_14B,
                teacache=TEACACHE_14B,
                sources=(sources.WAN22_T2V,),
                adapters=(sources.STAND_IN_22,),
            ),
        )
    }
)


def row(name: str) -> ModelRow:
    """The row called `name`.

    Raises:
        UsageError: if there is none.
    """
    if name in ROWS:
        return ROWS[name]
    near = get_close_matches(name, ROWS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known models: {', '.join(ROWS)}"
    raise UsageError(f"there is no model {name!r}", hint)

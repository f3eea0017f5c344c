"""How much a job computes, and how much memory it takes: counted from the sizes of the model, in FLOP and bytes.

A multiplication and an addition are two operations. Norms, activations and embeddings are left out: at 14B they are
less than one part in a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from standin_batch.job import Job
from standin_batch.weights.registry import ROWS, Sizes

TEXT_TOKENS = 512
"""Every prompt is padded to this many tokens."""

TILED_VAE = 2.25
"""How much more a VAE in tiles works: they overlap by half, in both directions."""

BYTES = {"float32": 4, "bfloat16": 2}
ADAPTER_BYTES = 4
"""The Stand-In adapter computes in float32 whatever the dtype is."""


@dataclass(frozen=True)
class Forward:
    """FLOP of one pass of the diffusion transformer (DiT) over a video.

    Attributes:
        linear: query, key, value and output of the self-attention, query and output of the cross-attention, and the
            feed-forward: 12 d^2 + 4 d f for each token and block, for width d and inner width f.
        self_attention: scores and their sum of values: 4 n^2 d for each block, for n tokens.
        cross_attention: the same against 512 tokens of text, 4 n 512 d, and the text's keys and values, 4 512 d^2.
        identity: the self-attention's further keys and values, i of them (1,024 at 14B): 4 n i d for each block.
        vace: the VACE module: blocks like the DiT's but without the identity, each with a projection behind it, and one
            before the first: 2 n d^2 each.
    """

    linear: float
    self_attention: float
    cross_attention: float
    identity: float = 0.0
    vace: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.linear + self.self_attention + self.cross_attention + self.identity + self.vace


def forward(sizes: Sizes, tokens: int, *, identity: bool = False, vace: bool = False) -> Forward:
    """FLOP of one pass over a video of `tokens` tokens (latent frames x height/16 x width/16)."""
    d, blocks = sizes.dim, sizes.num_layers
    linear = tokens * (12 * d**2 + 4 * d * sizes.ffn_dim)
    self_attention = 4 * tokens**2 * d
    cross_attention = 4 * tokens * TEXT_TOKENS * d + 4 * TEXT_TOKENS * d**2
    projections = (sizes.vace_layers + 1) * 2 * tokens * d**2
    return Forward(
        linear=blocks * linear,
        self_attention=blocks * self_attention,
        cross_attention=blocks * cross_attention,
        identity=blocks * 4 * tokens * sizes.identity_tokens * d if identity else 0,
        vace=sizes.vace_layers * (linear + self_attention + cross_attention) + projections if vace else 0,
    )


def identity_flop(sizes: Sizes) -> float:
    """FLOP to compute an identity's keys and values for one expert: its tokens see themselves, not the text."""
    d, n = sizes.dim, sizes.identity_tokens
    return sizes.num_layers * (n * (8 * d**2 + 4 * d * sizes.ffn_dim) + 4 * n**2 * d)


def prompt_flop(sizes: Sizes) -> float:
    """FLOP to encode one text: each number of the encoder is used once for each token."""
    return 2.0 * sizes.text_encoder_parameters * TEXT_TOKENS


def job_flop(job: Job) -> float:
    """FLOP of a job: every pass of the DiT, and decoding. What is shared between jobs is a switch, and not in it."""
    return _flop(
        job.model,
        tokens=tokens(job),
        identity=job.subject is not None,
        vace=job.mode == "vace",
        passes=passes(job.num_inference_steps, job.cfg_scale, job.sigma_shift, job.boundary),
    ) + _decode_flop(job)


@lru_cache(maxsize=1024)
def _flop(model: str, *, tokens: int, identity: bool, vace: bool, passes: int) -> float:
    return passes * forward(ROWS[model].sizes, tokens, identity=identity, vace=vace).total


def tokens(job: Job) -> int:
    """Tokens of a job's video: one for each 16 x 16 pixels of each latent frame."""
    rows, columns = job.grid
    # VACE puts a reference image in front as one more latent frame.
    return (job.latent_frames + ("reference_image" in job.files)) * rows * columns


def _decode_flop(job: Job) -> float:
    pixels = job.width * job.height * job.num_frames
    return ROWS[job.model].sizes.vae_decode_flop * pixels * (TILED_VAE if job.vae_tiled else 1.0)


@lru_cache(maxsize=1024)
def passes(steps: int, cfg_scale: tuple[float, ...], sigma_shift: float, boundary: float) -> int:
    """Passes of the DiT in a job: one a step, two where guidance is on for the expert at work."""
    low = len(cfg_scale) - 1
    scales = (cfg_scale[low if sigma < boundary else 0] for sigma in sigmas(steps, sigma_shift))
    return sum(2 if scale != 1.0 else 1 for scale in scales)


def sigmas(steps: int, shift: float) -> list[float]:
    """Wan's flow-match schedule: from 1 down in equal steps, then shifted (`FlowMatchScheduler.set_timesteps_wan`)."""
    even = (1 - step / steps for step in range(steps))
    return [shift * sigma / (1 + (shift - 1) * sigma) for sigma in even]


def memory_bytes(job: Job, in_turn: bool = False) -> int:
    """The least GPU memory that holds the weights of `job` and its identity's keys and values.

    Activations come on top, and so does the text encoder, which is there only while prompts are encoded.

    Args:
        job: that runs.
        in_turn: whether only one expert is there at a time.
    """
    row = ROWS[job.model]
    sizes, experts, number = row.sizes, 1 if in_turn else len(row.experts), BYTES[job.dtype]
    weights = experts * sizes.dit_parameters + sizes.vae_parameters
    if job.mode == "vace":
        weights += sizes.vace_parameters
    needed = number * weights
    if job.subject is not None:
        identity = 2 * sizes.num_layers * sizes.identity_tokens * sizes.dim
        needed += experts * (number * identity + ADAPTER_BYTES * sizes.adapter_parameters)
    return needed

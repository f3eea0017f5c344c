"""The expected peak of GPU memory under each memory profile, counted from sizes; and the first profile that fits.

Counted are the weights that lie on the device, what is kept of an identity, and the largest set of tensors that are
alive at once. Kernels' own places, fragments of the allocator and CUDA's context are not: `SHARE` leaves room for them.
None of it was measured on a GPU; a test counts the tensors of the real modules at their true sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.plan.memory import Profile
from standin_batch.plan.work import ADAPTER_BYTES, BYTES, TEXT_TOKENS
from standin_batch.weights.registry import ROWS, VACE, ModelRow

SHARE = 0.9
"""Of a device's memory, what the expected peak may take."""

TEXT_ENCODER_LIVE = 61
"""Numbers alive at once for each token and each number of its width while the text encoder works, counted."""

TILE_PIXELS = (240, 416)
"""Of one tile of a tiled VAE: 30 x 52 latent pixels."""

ROPE_BYTES = 4
"""Positions are rotated in float32."""

GPUS = tuple(size << 30 for size in (24, 32, 48, 80, 141))
"""Sizes of GPUs that people have, in bytes."""

PHASES = ("denoising", "decoding", "encoding prompts")


@dataclass(frozen=True)
class Extent:
    """What of a clip decides its memory.

    Attributes:
        model: row of the registry.
        dtype: of the computation.
        width: pixels.
        height: pixels.
        num_frames: of the video.
        identity: whether there is one.
        vace: whether VACE is beside the transformer.
        reference: whether one more latent frame is in front.
        vae_tiled: whether it is decoded in tiles.
        cached_passes: how many passes of a step TeaCache keeps something of: 0 without it, 2 with guidance.
    """

    model: str
    dtype: str
    width: int
    height: int
    num_frames: int
    identity: bool = True
    vace: bool = False
    reference: bool = False
    vae_tiled: bool = False
    cached_passes: int = 0

    @classmethod
    def of(cls, job: Job) -> Extent:
        """That of `job`."""
        return cls(
            model=job.model,
            dtype=job.dtype,
            width=job.width,
            height=job.height,
            num_frames=job.num_frames,
            identity=job.subject is not None,
            vace=VACE in MODES[job.mode].modules,
            reference="reference_image" in job.files,
            vae_tiled=job.vae_tiled,
            cached_passes=(2 if any(scale != 1.0 for scale in job.cfg_scale) else 1) if job.speed.cache else 0,
        )

    @classmethod
    def usual(cls, row: ModelRow) -> Extent:
        """That of a clip with an identity as the row's makers recommend it."""
        keys = ("dtype", "width", "height", "num_frames", "vae_tiled")
        return cls(row.name, **{key: row.defaults[key] for key in keys})

    @property
    def tokens(self) -> int:
        """Of the transformer: latent frames x height / 16 x width / 16."""
        return ((self.num_frames - 1) // 4 + 1 + self.reference) * (self.height // 16) * (self.width // 16)


@dataclass(frozen=True)
class Peak:
    """Bytes at the highest, by phase.

    Attributes:
        denoising: in a step.
        decoding: while the VAE makes frames.
        encoding: while the text encoder is there.
    """

    denoising: int
    decoding: int
    encoding: int

    @property
    def most(self) -> int:
        """Of all phases."""
        return max(self.denoising, self.decoding, self.encoding)

    @property
    def phase(self) -> str:
        """The one that takes most, in words."""
        found = (self.denoising, self.decoding, self.encoding)
        return PHASES[found.index(self.most)]


def peaks(extents: Iterable[Extent]) -> dict[Profile, Peak]:
    """The expected peak of a run of such clips under each profile; of none nothing."""
    known = set(extents)
    return {profile: _largest([peak(extent, profile) for extent in known]) for profile in Profile}


def fitting(found: Mapping[Profile, Peak], memory_bytes: int | None) -> Profile:
    """The first profile under which a run's peak is expected to fit; the lowest where none does. All fit without a GPU.

    Args:
        found: as `peaks` gives it.
        memory_bytes: of the device; None for a CPU.
    """
    rungs = (profile for profile in Profile if fits(found[profile], memory_bytes))
    return next(rungs, Profile.LOWEST)


def gpu_for(peak: Peak) -> int | None:
    """The smallest of `GPUS` that a peak is expected to fit into; None where it takes a larger one."""
    return next((size for size in GPUS if fits(peak, size)), None)


def fits(peak: Peak, memory_bytes: int | None) -> bool:
    """Whether a peak is expected to fit into a device with so many bytes; None for a CPU."""
    return memory_bytes is None or peak.most <= SHARE * memory_bytes


@lru_cache(maxsize=1024)
def peak(extent: Extent, profile: Profile) -> Peak:
    """The expected peak of a clip under a profile.

    Weights: under `resident` all experts, and VACE; under `offload` the expert at work, and VACE while it denoises;
    under `lowest` the largest layer. The VAE always. The text encoder comes whole, beside what stays.
    """
    number = BYTES[extent.dtype]
    sizes = ROWS[extent.model].sizes
    kept = number * sizes.vae_parameters + _identity(extent, profile) + _room(extent)
    staying = _weights(extent) if profile is Profile.RESIDENT else 0
    text = number * (sizes.text_encoder_parameters + TEXT_ENCODER_LIVE * TEXT_TOKENS * sizes.text_dim)
    return Peak(
        denoising=kept + _at_work(extent, profile) + _denoising(extent) + _cached(extent),
        decoding=kept + staying + _decoding(extent),
        encoding=kept + staying + text,
    )


def _largest(found: list[Peak]) -> Peak:
    names = ("denoising", "decoding", "encoding")
    return Peak(*(max((getattr(each, name) for each in found), default=0) for name in names))


def _weights(extent: Extent, experts: int | None = None) -> int:
    """Of so many experts, all unless said, and of VACE."""
    row = ROWS[extent.model]
    count = len(row.experts) if experts is None else experts
    numbers = count * row.sizes.dit_parameters + extent.vace * row.sizes.vace_parameters
    return BYTES[extent.dtype] * numbers


def _at_work(extent: Extent, profile: Profile) -> int:
    sizes = ROWS[extent.model].sizes
    if profile is Profile.LOWEST:
        return BYTES[extent.dtype] * sizes.dim * max(sizes.ffn_dim, 6 * sizes.dim)
    return _weights(extent, 1 if profile is Profile.OFFLOAD else None)


def _identity(extent: Extent, profile: Profile) -> int:
    """The adapters of all experts, and keys and values: of one expert where they take turns."""
    if not extent.identity:
        return 0
    row = ROWS[extent.model]
    experts = len(row.experts)
    pairs = 1 if profile is Profile.OFFLOAD else experts
    kv = 2 * row.sizes.num_layers * row.sizes.identity_tokens * row.sizes.dim
    return pairs * BYTES[extent.dtype] * kv + experts * ADAPTER_BYTES * row.sizes.adapter_parameters


def _room(extent: Extent) -> int:
    """What a forward keeps for the next: places for keys and values, and the table of positions (`engine.dit`)."""
    sizes, tokens = ROWS[extent.model].sizes, extent.tokens
    places = 2 * (tokens + extent.identity * sizes.identity_tokens) * sizes.dim
    return BYTES[extent.dtype] * places + ROPE_BYTES * tokens * sizes.dim // sizes.num_heads


def _cached(extent: Extent) -> int:
    """What TeaCache holds (`engine.step_cache`): what the blocks added in each pass, and their input at work."""
    if not extent.cached_passes:
        return 0
    return BYTES[extent.dtype] * extent.tokens * ROWS[extent.model].sizes.dim * (extent.cached_passes + 1)


def _denoising(extent: Extent) -> int:
    """The most tensors alive at once in a block: in its feed-forward (the tokens, what attention gave, the modulated
    tokens, and the inner ones before and after their activation), or where queries and keys are normed in float32."""
    sizes, number = ROWS[extent.model].sizes, BYTES[extent.dtype]
    feed_forward = number * (3 * sizes.dim + 2 * sizes.ffn_dim)
    norms = number * 4 * sizes.dim + 4 * 2 * sizes.dim
    # VACE has tokens of its own, and what it is shown: 96 channels of 2 x 2 latent pixels a token.
    vace = extent.vace * number * (sizes.dim + 4 * 96)
    return extent.tokens * (max(feed_forward, norms) + vace)


def _decoding(extent: Extent) -> int:
    """What the VAE's layers hold for the pixels of one group of frames, and the frames so far with their latents."""
    rows, columns = extent.height, extent.width
    if extent.vae_tiled:
        rows, columns = min(rows, TILE_PIXELS[0]), min(columns, TILE_PIXELS[1])
    latents = 3 / 16  # of a pixel of a frame: 16 channels of a 256th, for latents, their copy and what is scaled
    numbers = ROWS[extent.model].sizes.vae_decode_live + (3 + latents) * extent.num_frames
    return int(BYTES[extent.dtype] * rows * columns * numbers)

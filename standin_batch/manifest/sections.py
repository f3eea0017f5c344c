"""What has a name in a manifest, and how videos are written: the entries of its tables, and `output`.

Models here declare keys; they are not instantiated. `checking` takes one key at a time from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from standin_batch.manifest.kinds import Condition, Duration, Guidance, Path, Strength


class Section(BaseModel):
    """A mapping with known keys: any other is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class IdentityEntry(Section):
    """A person, animal or thing to keep, from one image."""

    image: Path = Field(examples=["faces/lecun.jpg"])
    """The image: for a face, best a frontal photograph."""
    kind: Literal["face", "subject"] = Field(default="face", examples=["subject"])
    """A `face` is found, cropped and cut out of its background; a `subject` (an animal, a thing, a drawing) is taken as
    it is, without detection or parsing."""
    on_no_face: Literal["error", "whole_image"] = Field(default="error", examples=["whole_image"])
    """When no face is found: fail its jobs, or take the whole image."""


class LoraEntry(Section):
    """A LoRA: one file, or for Wan2.2 one file per expert, and how strongly it acts."""

    path: Path | None = Field(default=None, examples=["loras/ghibli.safetensors"])
    """The file, for every expert of the model."""
    high_noise: Path | None = Field(default=None, examples=["loras/turbo_high.safetensors"])
    """The file for the high-noise expert (Wan2.2)."""
    low_noise: Path | None = Field(default=None, examples=["loras/turbo_low.safetensors"])
    """The file for the low-noise expert (Wan2.2)."""
    scale: Strength = Field(default=1.0, examples=[0.8])
    """How strongly it acts, multiplied with the file's own alpha / rank. A job may say another: `{ghibli: 0.6}`."""


class VideoEntry(Section):
    """A video to take control, or frames, from."""

    path: Path = Field(examples=["clips/pose.mp4"])
    """The file."""


class PromptEntry(Section):
    """One prompt, or a file of many."""

    text: str | None = Field(default=None, min_length=1, examples=["A man sits at a desk."])
    """The prompt itself."""
    file: Path | None = Field(default=None, examples=["captions.jsonl"])
    """A file of prompts: one a line (text), one a row (CSV), or one an object (JSONL)."""
    field: str | None = Field(default=None, min_length=1, examples=["caption"])
    """The column of a CSV file or the key in a JSONL file that holds the prompt; `text` unless said."""


class CfgScale(Section):
    """Guidance for each of Wan2.2's two experts."""

    high_noise: Guidance | None = Field(default=None, examples=[4.0])
    """Guidance while the high-noise expert is at work."""
    low_noise: Guidance | None = Field(default=None, examples=[3.0])
    """Guidance while the low-noise expert is at work."""


class Accept(Section):
    """Conditions on a finished clip, and what to do when it misses them."""

    face_similarity: Condition | None = Field(default=None, examples=[">= 0.55"])
    """Mean cosine between the face in the clip and the identity's, from -1 to 1; a subject that is no face has none."""
    face_similarity_min: Condition | None = Field(default=None, examples=[">= 0.3"])
    """The least of these cosines over the sampled frames."""
    face_similarity_p10: Condition | None = Field(default=None, examples=[">= 0.4"])
    """Their 10th percentile."""
    face_frames: Condition | None = Field(default=None, examples=[">= 0.8"])
    """Share of the sampled frames in which a face is found, from 0 to 1."""
    sharpness: Condition | None = Field(default=None, examples=[">= 50"])
    """Mean variance of the Laplacian of the sampled frames; it depends on their size, so look at the index first."""
    motion: Condition | None = Field(default=None, examples=[">= 0.5"])
    """Mean optical flow, in hundredths of the picture's diagonal a second."""
    best_of: int = Field(default=1, ge=1, le=100, examples=[4])
    """Make this many clips, each with another seed, and take the one with the best score: of the first condition here,
    or `face_similarity`."""
    max_reseeds: int = Field(default=3, ge=0, le=100, examples=[3])
    """How often to try again with another seed, derived from the job's, when none of those is accepted."""
    rejected: Literal["keep", "drop"] = Field(default="keep", examples=["drop"])
    """What becomes of the videos of rejected clips; their records always stay."""


class OutputSection(Section):
    """Where the videos go and how they are written. Nothing of this changes what a job is."""

    folder: Path | None = Field(default=None, examples=["outputs/tech-minute"])
    """The output folder, relative to the current directory; `outputs/NAME` unless said."""
    template: str = Field(
        default="{name}/{identity}-{prompt}-{seed}-{job_id}", min_length=1, examples=["{name}/{seed}-{job_id}"]
    )
    """Path of a video below `videos/`, without `.mp4`; keys of the job in braces are replaced by their values."""
    quality: Annotated[int, Field(ge=1, le=10)] = Field(default=9, examples=[9])
    """Quality of the H.264 file, from 1 to 10."""
    lossless: bool = Field(default=False, examples=[True])
    """Write RGB without loss: large files, for comparisons and further work."""
    keep_latents: bool = Field(default=False, examples=[True])
    """Also keep the latents before decoding, as `latents/JOB_ID.safetensors`."""


class ScoresSection(Section):
    """What is looked at in finished videos. Nothing of this changes what a job is."""

    enabled: bool = Field(default=True, examples=[False])
    """Score each video after it is written. `false` leaves that to `standin dataset score`, but for jobs that ask for
    scores with `accept`."""
    frames: int = Field(default=16, ge=1, le=1000, examples=[32])
    """How many frames of each video are looked at, evenly spread."""


class RunSection(Section):
    """How a run of this manifest goes. Nothing of this changes what a job is."""

    checkpoint_every: Annotated[int, Field(ge=1, le=1000)] | Duration = Field(default="30s", examples=[5])
    """How often the latents of the clip at work are saved, so that a crash loses no more: a number of denoising steps,
    or a length of time. Before decoding, and when a run is stopped, they are saved anyway."""
    max_failures: Annotated[int, Field(ge=1)] | None = Field(default=None, examples=[10])
    """End the run when this many jobs have failed; it goes on to the end unless said."""
    on_finish: str | None = Field(default=None, min_length=1, examples=['notify-send "$STANDIN_OUTCOME"'])
    """A shell command for when a run ends; obeyed only with `standin run --allow-commands`, as a manifest may come from
    somebody else."""

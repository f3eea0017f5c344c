"""What has a name in a manifest, and how videos are written: the entries of its tables, and `output`.

Models here declare keys; they are not instantiated. `checking` takes one key at a time from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from standin_batch.face.checks import FaceChecks
from standin_batch.manifest.kinds import CauseName, Condition, Duration, Guidance, Path, Strength

CHECKS = FaceChecks()
Share = Annotated[float, Field(ge=0, le=1)]
Angle = Annotated[float, Field(ge=0, le=180)]
GreyLevel = Annotated[float, Field(ge=0, le=255)]


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


class FacesSection(Section):
    """What `standin validate --faces`, and every run before it begins, objects to in photographs and videos of people.
    Nothing of this changes what a job is."""

    min_side: Annotated[int, Field(ge=0, le=8192)] = Field(default=CHECKS.min_side, examples=[128])
    """A face with fewer pixels, along its shorter side, is `too_small`."""
    max_second_face: Share = Field(default=CHECKS.max_second_face, examples=[0.7])
    """`several_faces`: the second face has more than this share of the side of the largest, the one that is taken."""
    min_sharpness: Annotated[float, Field(ge=0)] = Field(default=CHECKS.min_sharpness, examples=[80])
    """A face less sharp is `blurred`: the variance of its Laplacian at 128 x 128 pixels and equal contrast."""
    max_yaw: Angle = Field(default=CHECKS.max_yaw, examples=[20])
    """A face turned to the left or right by more degrees is `turned_away`."""
    max_pitch: Angle = Field(default=CHECKS.max_pitch, examples=[20])
    """Likewise, looking up or down."""
    max_roll: Angle = Field(default=CHECKS.max_roll, examples=[20])
    """Likewise, tilted to a shoulder."""
    max_cut_off: Share = Field(default=CHECKS.max_cut_off, examples=[0.1])
    """`cut_off`: more than this share of the square around the face, 1.5 times its size, lies outside the picture; or
    more than a fifth of it of the face itself."""
    min_brightness: GreyLevel = Field(default=CHECKS.min_brightness, examples=[80])
    """`too_dark`: less than a twentieth of the face is brighter than this grey level, from 0 to 255."""
    max_blown_out: Share = Field(default=CHECKS.max_blown_out, examples=[0.1])
    """`too_bright`: more than this share of the face is white."""
    same_person: Annotated[float, Field(ge=-1, le=1)] = Field(default=CHECKS.same_person, examples=[0.6])
    """Two identities whose ArcFace embeddings have at least this cosine are the `same_person`."""
    min_coverage: Share = Field(default=CHECKS.min_coverage, examples=[0.9])
    """`faces_in_video`: less than this share of the frames of a face swap's video show a face."""
    refuse: list[CauseName] = Field(default=list(CHECKS.refuse), examples=[["no_face", "several_faces"]])
    """The causes that are errors: jobs of such an identity fail before anything is computed. All others are warnings;
    `[]` makes none an error."""

"""A manifest's outline: its top-level keys, with what `sections` and `job_keys` declare below them.

Where a JSON Schema and the handbook come from, and what the loader checks against.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from standin_batch.manifest.job_keys import Defaults, Job
from standin_batch.manifest.kinds import DEFAULT_MODEL, ModelName, Name, Path
from standin_batch.manifest.sections import (
    FacesSection,
    IdentityEntry,
    LoraEntry,
    OutputSection,
    PromptEntry,
    RunSection,
    ScoresSection,
    Section,
    VideoEntry,
)


class ManifestFile(Section):
    """A Stand-In manifest: what videos to make."""

    version: Literal[1] = Field(examples=[1])
    """Version of this format."""
    name: Name | None = Field(default=None, examples=["tech-minute"])
    """Name of the manifest, and of its output folder; the file's name without `.yaml` unless said."""
    model: ModelName = Field(default=DEFAULT_MODEL, examples=["wan2.1-t2v-14b"])
    """The base model of all jobs that name none."""
    include: str | list[Path] | None = Field(default=None, examples=[["common.yaml"]])
    """Further manifest files. Their jobs come first; everything else that this file also says is taken from this file.
    Paths are relative to the file that wrote them."""
    output: OutputSection | None = Field(default=None, examples=[{"quality": 9}])
    """Where the videos go and how they are written."""
    run: RunSection | None = Field(default=None, examples=[{"checkpoint_every": 5}])
    """How a run goes: what is saved how often, when it gives up."""
    scores: ScoresSection | None = Field(default=None, examples=[{"frames": 32}])
    """What is looked at in finished videos."""
    faces: FacesSection | None = Field(default=None, examples=[{"min_side": 128}])
    """What preflight objects to in the photographs of people."""
    defaults: Defaults | None = Field(default=None, examples=[{"width": 832, "height": 480}])
    """Keys for all jobs; a job's own keys win."""
    identities: dict[Name, str | IdentityEntry] | None = Field(default=None, examples=[{"lecun": "faces/lecun.jpg"}])
    """Who or what to keep, by name: an image, or a mapping with more to say."""
    loras: dict[Name, str | LoraEntry] | None = Field(
        default=None, examples=[{"ghibli": {"path": "loras/ghibli.safetensors"}}]
    )
    """LoRAs by name: a file, or a mapping with more to say."""
    videos: dict[Name, str | VideoEntry] | None = Field(default=None, examples=[{"raise_hands": "clips/pose.mp4"}])
    """Videos by name."""
    prompts: dict[Name, str | PromptEntry] | None = Field(
        default=None,
        examples=[{"desk": "A man sits at a desk.", "captions": {"file": "captions.jsonl", "field": "text"}}],
    )
    """Prompts by name: a text, or a file of many."""
    jobs: list[Job] | None = Field(default=None, examples=[[{"name": "portraits", "mode": "t2v", "prompt": "desk"}]])
    """The videos to make."""

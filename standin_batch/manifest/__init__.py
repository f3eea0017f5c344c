"""The manifest: YAML in, frozen and fully resolved jobs out, or every problem at once with its line and column.

source    places in texts, and values that know theirs
reader    YAML -> such values, within limits             (scalars, syntax: what scalars mean, what mistakes are called)
variables, include, overrides                            `${VAR}`, `include:` and `--set` on the tree
schema    every key: type, limits, description, example  (checking, words: one key against it, in plain words)
references, paths, prompt_files                          what names and files stand for
values, axes, jobs, rules                                layers and matrices of each job; what does not go together
manifest, matrix                                         the result, and its combinations
loader    all of it in order
"""

from __future__ import annotations

from standin_batch.manifest.loader import load_manifest
from standin_batch.manifest.manifest import (
    Acceptance,
    Condition,
    Identity,
    JobSpec,
    Lora,
    Manifest,
    Output,
    Prompt,
    Variant,
    Video,
)
from standin_batch.manifest.problems import ManifestError, Problem
from standin_batch.manifest.template import TEMPLATE_FIELDS

__all__ = [
    "TEMPLATE_FIELDS",
    "Acceptance",
    "Condition",
    "Identity",
    "JobSpec",
    "Lora",
    "Manifest",
    "ManifestError",
    "Output",
    "Problem",
    "Prompt",
    "Variant",
    "Video",
    "load_manifest",
]

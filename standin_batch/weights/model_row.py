"""What is said of a base model: which files it is made of, how it is recognised, what its makers recommend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from standin_batch.weights.sizes import Sizes
from standin_batch.weights.sources import Source


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
    """Weights that work beside a base model, in a checkpoint that mostly holds a whole base as well.

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
        sources: of the base; none for rows that are made on this machine or come with the repository.
        adapters: sources of the Stand-In adapters.
        modules: weights beside the base, by name; a mode that needs another one does not run on this model.
        generator: name and version of what makes the files on this machine; None where nothing does.
        teacache: coefficients that tell how much the blocks' output changes from how much their modulation does, the
            highest power first (TeaCache, arXiv 2411.19108).
        digests: of the parts that come with the repository, as `content.weight_digests` names and counts them: by these
            they are known wherever they lie.
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
    digests: Mapping[str, str] = field(default_factory=dict)
    diffsynth: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def is_downloaded(self) -> bool:
        """Whether the files come from the network."""
        return bool(self.sources)

    @property
    def is_in_repository(self) -> bool:
        """Whether the files come with the project's repository, as nothing else brings them."""
        return not self.sources and self.generator is None

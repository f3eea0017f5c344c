"""Which weights a manifest uses, told without reading any weights: they may not be here yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from standin_batch.manifest import load_manifest
from standin_batch.run.lock_manifest import expand_drawn
from standin_batch.run.plan_manifest import FileContents
from standin_batch.run.weight_needs import uses_of
from standin_batch.weights.content import ADAPTER, BASE, EMBEDDER, FACE, MISSING, face_digest
from standin_batch.weights.needs import Use, named, names
from standin_batch.weights.registry import ROWS


class UnreadWeights(FileContents):
    """Contents of everything but weights: 70 GB are not read to learn which ones are needed."""

    def weights(self, model: str, modules: tuple[str, ...] = ()) -> Mapping[str, str]:
        """The same for every part."""
        return {part: f"{MISSING}{model}/{part}" for part in (BASE, ADAPTER, FACE, EMBEDDER, *modules)}


class FaceWeights(UnreadWeights):
    """Likewise, but for the face models, which decide how identities are prepared."""

    def weights(self, model: str, modules: tuple[str, ...] = ()) -> Mapping[str, str]:
        """Digest of the face models, and something for every other part."""
        return {**super().weights(model, modules), FACE: face_digest(ROWS[model], self.checkpoints, self.cache)}


MANIFESTS = (".yaml", ".yml")


def uses_named(what: str) -> tuple[Use, ...]:
    """What is meant by a manifest's path, or by the name of a model or module.

    Raises:
        ManifestError: with every mistake of the manifest at once.
        UsageError: if there is no such model.
    """
    if what not in names() and what not in ROWS and (Path(what).suffix in MANIFESTS or Path(what).is_file()):
        return manifest_uses(Path(what))
    return (named(what),)


def manifest_uses(path: Path) -> tuple[Use, ...]:
    """What the jobs of the manifest at `path` use.

    Raises:
        ManifestError: with every mistake at once.
    """
    return uses_of(expand_drawn(load_manifest(path), UnreadWeights(None))[0].jobs)

"""The files of a model with copies in their place: what is loaded, and which of it lies on this node.

What is computed from contents stays the same: copies have the names of their originals, and a conversion counts as what
it was made from, which is written beside the original alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from standin_batch.weights.conversions import is_conversion
from standin_batch.weights.locate import ExpertFiles, ModelFiles
from standin_batch.weights.stage import Bundle, Stage
from standin_batch.weights.stand_ins import RoundedError


@dataclass(frozen=True)
class StagedFiles(ModelFiles):
    """The files of a model, some of them copies on this node.

    Attributes:
        originals: the files that were copied.
        copies: where the copy of a file or folder lies.
    """

    originals: ModelFiles = field(kw_only=True)
    copies: Mapping[Path, Path] = field(kw_only=True, repr=False)

    def text_encoding(self) -> tuple[Path, ...]:
        """As `ModelFiles` has it; of a converted encoder the original, beside which it is told what it stands for."""
        paths = self.originals.text_encoding()
        return tuple(path if is_conversion(path) else self.copies.get(path, path) for path in paths)

    def for_dtype(self, dtype: str) -> StagedFiles:
        """As `ModelFiles` has it: decided by the originals."""
        return with_copies(self.originals.for_dtype(dtype), self.copies)


def with_copies(files: ModelFiles, copies: Mapping[Path, Path]) -> StagedFiles:
    """`files`, with what is copied in the place of its originals.

    Args:
        files: as `locate` gives them.
        copies: where the copy of a file or folder lies.
    """

    def at(path: Path) -> Path:
        return copies.get(path, path)

    same = {each.name: getattr(files, each.name) for each in fields(ModelFiles)}
    placed = StagedFiles(**same, originals=files, copies=copies)
    return replace(
        placed,
        experts=tuple(_expert(expert, copies) for expert in files.experts),
        text_encoder=at(files.text_encoder),
        vae=at(files.vae),
        tokenizer=at(files.tokenizer),
        detector=at(files.detector),
        parser=at(files.parser),
        modules={name: tuple(map(at, shards)) for name, shards in files.modules.items()},
    )


def bundles_of(files: ModelFiles, dtypes: Collection[str]) -> Mapping[Path, Bundle]:
    """What is loaded of `files` in one of `dtypes`: files, and folders whose files are loaded together.

    Raises:
        OSError: if one cannot be looked at.
    """
    found = {path: Bundle.of([path]) for path in dict.fromkeys(_files(files, dtypes))}
    found[files.tokenizer] = Bundle.of(files.text_encoding()[1:])
    if onnx := sorted(files.detector.glob("*.onnx")):
        found[files.detector] = Bundle.of(onnx)
    if parser := sorted(files.parser.glob("*.pth")):
        found[files.parser] = Bundle.of(parser)
    return found


def copies_in(stage: Stage, bundles: Mapping[Path, Bundle]) -> Mapping[Path, Path]:
    """Where what is there of `bundles` lies, file by file, and folder by folder."""
    found: dict[Path, Path] = {}
    for path, bundle in bundles.items():
        if stage.has(bundle):
            place = stage.place(bundle)
            found[path] = place if path.is_dir() else place / path.name
            found.update((path / each.name, place / each.name) for each in bundle.originals if path.is_dir())
    return found


def _files(files: ModelFiles, dtypes: Collection[str]) -> Iterator[Path]:
    yield from (files.text_encoder, files.vae)
    for dtype in dtypes:
        with suppress(RoundedError):  # told when it is loaded
            loaded = files.for_dtype(dtype)
            for expert in loaded.experts:
                yield from (*expert.shards, *filter(None, [expert.adapter]))
            for shards in loaded.modules.values():
                yield from shards


def _expert(expert: ExpertFiles, copies: Mapping[Path, Path]) -> ExpertFiles:
    adapter = None if expert.adapter is None else copies.get(expert.adapter, expert.adapter)
    return replace(expert, shards=tuple(copies.get(path, path) for path in expert.shards), adapter=adapter)

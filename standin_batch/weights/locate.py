"""Where the files of a model lie: `--checkpoints`, `STANDIN_CHECKPOINTS`, or the row's folder in `checkpoints/`.

A module such as VACE works beside the base where its checkpoint was made from that very base, or holds none; else with
its own.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import NotReadyError
from standin_batch.face.detect import EMBEDDER
from standin_batch.weights.conversions import BFLOAT16
from standin_batch.weights.cure import get_again
from standin_batch.weights.folders import folder_of
from standin_batch.weights.registry import ROWS, Expert, ModelRow, Module
from standin_batch.weights.same_base import has_no_base, same_base
from standin_batch.weights.sources import ANTELOPE
from standin_batch.weights.stand_ins import stand_ins

TEXT_ENCODERS = ("models_t5_umt5-xxl-enc-bf16.safetensors", "models_t5_umt5-xxl-enc-bf16.pth")
VAES = ("Wan2.1_VAE.safetensors", "Wan2.1_VAE.pth")
TOKENIZER = "google/umt5-xxl"
ADAPTERS = "Stand-In"
DETECTOR = "antelopev2"
PARSER = "face-parsing"


class WeightsMissing(NotReadyError):
    """Files of a model are not where they are looked for."""


@dataclass(frozen=True)
class ExpertFiles:
    """The files of one diffusion transformer: its shards in order, and its Stand-In adapter if it is there."""

    name: str
    shards: tuple[Path, ...]
    adapter: Path | None


@dataclass(frozen=True)
class FaceFiles:
    """The files of the face models of a model; `ModelFiles` has them among others.

    Attributes:
        detector: folder of the antelopev2 ONNX files; may be absent.
        parser: folder of `parsing_bisenet.pth`; may be absent.
    """

    detector: Path
    parser: Path

    def looking(self) -> tuple[Path, ...]:
        """Those that decide what is found in a picture: detectors, then the embedder if it is there."""
        return (*sorted(self.detector.glob("scrfd*.onnx")), *self.embedders())

    def preparing(self) -> tuple[Path, ...]:
        """Those that decide how a subject is prepared; empty if there are none."""
        return (*sorted(self.detector.glob("scrfd*.onnx")), *sorted(self.parser.glob("parsing_bisenet.pth")))

    def embedders(self) -> tuple[Path, ...]:
        """Those that tell one person from another; empty if there are none."""
        return tuple(sorted(self.detector.glob(EMBEDDER)))


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model that are needed to run it.

    Attributes:
        model: row of the registry.
        root: the folder that holds them all.
        experts: from high noise to low.
        text_encoder: the umT5 encoder.
        vae: Wan's video VAE.
        tokenizer: a folder in transformers' layout.
        detector: folder of the antelopev2 ONNX files; may be absent.
        parser: folder of `parsing_bisenet.pth`; may be absent.
        modules: shards of each module that is needed beside the base, by its name.
    """

    model: str
    root: Path
    experts: tuple[ExpertFiles, ...]
    text_encoder: Path
    vae: Path
    tokenizer: Path
    detector: Path
    parser: Path
    modules: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def base(self) -> tuple[Path, ...]:
        """Every file that decides a video without identity."""
        shards = tuple(path for expert in self.experts for path in expert.shards)
        encoder, *tokenizer = self.text_encoding()
        return (*shards, encoder, self.vae, *tokenizer)

    def text_encoding(self) -> tuple[Path, ...]:
        """Every file that decides what a prompt becomes: the text encoder, then the tokenizer's."""
        return (self.text_encoder, *sorted(path for path in self.tokenizer.iterdir() if path.is_file()))

    def adapters(self) -> tuple[Path, ...]:
        """The Stand-In checkpoints, one for each expert.

        Raises:
            WeightsMissing: if one is not there.
        """
        found = []
        for expert in self.experts:
            if expert.adapter is None:
                raise WeightsMissing(
                    f"the Stand-In adapter for {expert.name} is not in {self.root / ADAPTERS}",
                    get_again(ROWS[self.model], self.root),
                )
            found.append(expert.adapter)
        return tuple(found)

    @property
    def faces(self) -> FaceFiles:
        """Those of the face models."""
        return FaceFiles(self.detector, self.parser)

    def face_models(self) -> tuple[Path, ...]:
        """The files of the face models that subject preparation reads; empty if there are none."""
        return self.faces.preparing()

    def embedders(self) -> tuple[Path, ...]:
        """The files that tell one person from another; empty if there are none."""
        return self.faces.embedders()

    def for_dtype(self, dtype: str) -> ModelFiles:
        """The same, with converted files in the place of their originals where that changes no bit of a computation.

        Raises:
            RoundedError: if originals are gone, and what was made of them is not good enough for `dtype`.
        """
        return replace(
            self,
            experts=tuple(replace(expert, shards=stand_ins(expert.shards, dtype)) for expert in self.experts),
            modules={name: stand_ins(shards, dtype) for name, shards in self.modules.items()},
        )


def root_of(row: ModelRow, checkpoints: Path | None) -> Path:
    """The folder in which the files of `row` are looked for.

    Args:
        row: a model.
        checkpoints: `--checkpoints`; `STANDIN_CHECKPOINTS` where it is None.
    """
    if checkpoints is not None:
        return checkpoints
    if chosen := os.environ.get("STANDIN_CHECKPOINTS"):
        return Path(chosen)
    return Path("checkpoints") / row.root


def is_made_here(row: ModelRow, checkpoints: Path | None) -> bool:
    """Whether the files of `row` are made on this machine: a generated row in its own folder."""
    return row.generator is not None and is_in_own_folder(checkpoints)


def is_in_own_folder(checkpoints: Path | None) -> bool:
    """Whether each row is looked for in its own folder, as nobody chose another."""
    return checkpoints is None and not os.environ.get("STANDIN_CHECKPOINTS")


def locate(
    row: ModelRow, checkpoints: Path | None, modules: Collection[str] = (), cache: DigestCache | None = None
) -> ModelFiles:
    """Find the files of `row`.

    Args:
        row: a model.
        checkpoints: the folder in place of the row's own.
        modules: names of those needed beside the base.
        cache: remembers which checkpoints hold the same base; this user's unless given.

    Raises:
        WeightsMissing: naming what is missing and where it was looked for.
        HeaderError: if a checkpoint that has to be compared is broken.
    """
    root = root_of(row, checkpoints)
    try:
        return _located(row, root, modules, cache or DigestCache.default())
    except _Absent as absent:
        where = get_again(row, root, missing=absent.path)
        raise WeightsMissing(f"{row.name}: there is no {absent.path}", where) from None


def locate_faces(row: ModelRow, checkpoints: Path | None) -> FaceFiles:
    """Where the face models of `row` are, or should be; nothing else of it needs to be there."""
    return _face_files(row, root_of(row, checkpoints))


def _face_files(row: ModelRow, root: Path) -> FaceFiles:
    return FaceFiles(folder_of(root, DETECTOR, ANTELOPE if row.sources else None), root / PARSER)


def _located(row: ModelRow, root: Path, modules: Collection[str], cache: DigestCache) -> ModelFiles:
    base = folder_of(root, row.base, row.sources[0] if row.sources else None)
    adapters = folder_of(root, ADAPTERS, row.adapters[0] if row.adapters else None)
    files = {}
    for name in modules:
        module = row.modules[name]
        folder = folder_of(root, module.source.folder, module.source if row.sources else None)
        files[name] = _shards(folder, module.shards)
        if not _is_beside(row, base, module, files[name], cache):
            # Such a checkpoint is a model by itself: its base, and the text encoder and VAE that came with it.
            base = folder
    faces = _face_files(row, root)
    return ModelFiles(
        model=row.name,
        root=root,
        experts=tuple(_expert(row, adapters, base, expert) for expert in row.experts),
        text_encoder=_first(base, TEXT_ENCODERS),
        vae=_first(base, VAES),
        tokenizer=_folder(base / TOKENIZER),
        detector=faces.detector,
        parser=faces.parser,
        modules=files,
    )


def _is_beside(row: ModelRow, base: Path, module: Module, shards: tuple[Path, ...], cache: DigestCache) -> bool:
    """Whether the base of `row` is here, and the one that the module was made for, or the module is all there is."""
    there = tuple(path for expert in row.experts for path in _there(base, expert.shards))
    folder = shards[0].parent.parent if shards[0].parent.name == BFLOAT16 else shards[0].parent
    alone = any((folder / name).is_file() for name in TEXT_ENCODERS)
    if not there and not alone:
        raise _Absent(base / row.experts[0].shards)
    return bool(there) and (has_no_base(shards, module.prefix) or same_base(there, shards, module.prefix, cache))


def _shards(folder: Path, pattern: str) -> tuple[Path, ...]:
    found = _there(folder, pattern)
    if not found:
        raise _Absent(folder / pattern)
    return found


def _there(folder: Path, pattern: str) -> tuple[Path, ...]:
    """The shards, or what they were converted to where they are gone."""
    place, name = (folder / pattern).parent, Path(pattern).name
    return tuple(sorted(place.glob(name))) or tuple(sorted((place / BFLOAT16).glob(name)))


def _expert(row: ModelRow, adapters: Path, base: Path, expert: Expert) -> ExpertFiles:
    shards = _shards(base, expert.shards)
    found = (adapters / name for name in expert.adapters)
    return ExpertFiles(expert.name, shards, next((path for path in found if path.is_file()), None))


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise _Absent(folder / names[-1])


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise _Absent(path)
    return path


class _Absent(Exception):
    """There is nothing at a path."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

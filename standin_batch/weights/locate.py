"""Where the files of a model lie: `--checkpoints`, `STANDIN_CHECKPOINTS`, or the row's folder in `checkpoints/`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from standin_batch.errors import NotReadyError
from standin_batch.weights.registry import Expert, ModelRow

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
class ModelFiles:
    """The files of a model that are needed to run it.

    Attributes:
        root: the folder that holds them all.
        experts: from high noise to low.
        text_encoder: the umT5 encoder.
        vae: Wan's video VAE.
        tokenizer: a folder in transformers' layout.
        detector: folder of the antelopev2 ONNX files; may be absent.
        parser: folder of `parsing_bisenet.pth`; may be absent.
    """

    root: Path
    experts: tuple[ExpertFiles, ...]
    text_encoder: Path
    vae: Path
    tokenizer: Path
    detector: Path
    parser: Path

    def base(self) -> tuple[Path, ...]:
        """Every file that decides a video without identity."""
        shards = tuple(path for expert in self.experts for path in expert.shards)
        tokenizer = tuple(sorted(path for path in self.tokenizer.iterdir() if path.is_file()))
        return (*shards, self.text_encoder, self.vae, *tokenizer)

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
                    f"put it there, or point --checkpoints at a folder that holds {ADAPTERS}/",
                )
            found.append(expert.adapter)
        return tuple(found)

    def face_models(self) -> tuple[Path, ...]:
        """The files of the face models that subject preparation reads; empty if there are none."""
        detectors = sorted(self.detector.glob("scrfd*.onnx"))
        parsers = sorted(self.parser.glob("parsing_bisenet.pth"))
        return (*detectors, *parsers)


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
    return row.generator is not None and checkpoints is None and not os.environ.get("STANDIN_CHECKPOINTS")


def locate(row: ModelRow, checkpoints: Path | None) -> ModelFiles:
    """Find the files of `row`.

    Raises:
        WeightsMissing: naming what is missing and where it was looked for.
    """
    root = root_of(row, checkpoints)
    base = root / row.base
    return ModelFiles(
        root=root,
        experts=tuple(_expert(row, root, base, expert) for expert in row.experts),
        text_encoder=_first(row, base, TEXT_ENCODERS),
        vae=_first(row, base, VAES),
        tokenizer=_folder(row, base / TOKENIZER),
        detector=root / DETECTOR,
        parser=root / PARSER,
    )


def _expert(row: ModelRow, root: Path, base: Path, expert: Expert) -> ExpertFiles:
    shards = tuple(sorted(base.glob(expert.shards)))
    if not shards:
        raise _missing(row, base / expert.shards)
    adapters = [root / ADAPTERS / name for name in expert.adapters]
    return ExpertFiles(expert.name, shards, next((path for path in adapters if path.is_file()), None))


def _first(row: ModelRow, folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise _missing(row, folder / names[-1])


def _folder(row: ModelRow, path: Path) -> Path:
    if not path.is_dir():
        raise _missing(row, path)
    return path


def _missing(row: ModelRow, path: Path) -> WeightsMissing:
    if row.generator is not None:
        cure = "leave out --checkpoints and unset STANDIN_CHECKPOINTS: this model is made in checkpoints/tiny"
    else:
        sources = " and ".join(row.repositories)
        cure = (
            f"download {sources} (the README says what goes where), or point --checkpoints at the folder of {row.base}/"
        )
    return WeightsMissing(f"{row.name}: there is no {path}", cure)

"""Train the embedder: `python -m training.faces.embedder --out DIR` writes `DIR/antelopev2/glintr100.onnx`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from standin_batch.face.detect import EMBEDDER
from standin_batch.face.subject import Pixels
from training.clips import HELD_OUT
from training.faces.aligned import aligned
from training.faces.command import Command
from training.faces.loop import Course
from training.faces.measure_embedder import compared, measured, retrieved
from training.faces.pictures import INK, Picture, dressed, in_scene, on_white
from training.faces.sheet import write_sheet
from training.faces.wear import worn
from training.loop import Schedule
from training.world.character import Character, character
from training.world.scene import STYLES

if TYPE_CHECKING:
    import torch

FILE = Path("antelopev2") / EMBEDDER
COURSE = Course(Schedule(800, 2e-3, averaged=0.99, look_every=200, seed=20), weight_decay=5e-2)
CHARACTERS = 1600
"""Those that it is shown; what it learns is what makes a character, not who they are."""
CLIPPED, PORTRAITS = 4, 2
"""Pictures of each: in scenes and on white."""
FACES, VIEWS = 48, 4
"""Characters of a batch, and pictures of each."""
PORTRAIT_SIZES = (96, 180)


@dataclass
class EmbedderLesson:
    """Who is who.

    Attributes:
        seed: of the pictures.
        characters: how many are shown.
    """

    seed: int = 20
    characters: int = CHARACTERS
    name = "embedder"

    def network(self) -> torch.nn.Module:
        """A new one."""
        from training.faces.embedder_net import EmbedderNet

        return EmbedderNet()

    def loss(self, network: torch.nn.Module, rng: np.random.Generator) -> torch.Tensor:
        """Of a few pictures each of some characters."""
        import torch

        from training.faces.embedder_net import EmbedderNet, loss

        if not isinstance(network, EmbedderNet):
            raise TypeError("this is no embedder")
        chosen = rng.choice(self.characters, FACES, replace=False)
        faces, shown = [], []
        for index in chosen:
            who, pictures = self._album[index]
            for place in rng.choice(len(pictures), VIEWS, replace=False):
                faces.append(_face(pictures[place], rng))
                shown.append(who)
        images = torch.from_numpy((np.stack(faces).astype(np.float32) - 127.5) / 127.5).permute(0, 3, 1, 2)
        return loss(network, images, shown)

    def look(self, network: torch.nn.Module, folder: Path) -> Mapping[str, float]:
        """Write the model, and find unseen characters' portraits by frames of their clips."""
        self.write(network, folder)
        found = compared(folder / FILE, characters=50)
        write_sheet(folder / "embedder.png", retrieved(found))
        return measured(found)

    def write(self, network: torch.nn.Module, folder: Path) -> None:
        """As the file that insightface loads."""
        import onnx

        from standin_batch.files import replace_atomic
        from training.faces.embedder_net import EmbedderNet
        from training.faces.embedder_onnx import embedder_model

        if not isinstance(network, EmbedderNet):
            raise TypeError("this is no embedder")
        with replace_atomic(folder / FILE) as path:
            onnx.save(embedder_model(network), str(path))

    @cached_property
    def _album(self) -> list[tuple[Character, Sequence[Picture]]]:
        """All pictures, drawn once."""
        rng = np.random.default_rng(self.seed)
        return [_pictures(character(int(seed)), rng) for seed in rng.integers(HELD_OUT, size=self.characters)]


def _pictures(who: Character, rng: np.random.Generator) -> tuple[Character, Sequence[Picture]]:
    """One character in some scenes and portraits, not always in its own clothes."""
    drawn = [STYLES[1] if rng.random() < INK / 2 else STYLES[0] for _ in range(CLIPPED)]
    clipped = [in_scene(rng, dressed(who, rng) if rng.random() < 0.5 else who, style) for style in drawn]
    portraits = [on_white(rng, dressed(who, rng), int(rng.integers(*PORTRAIT_SIZES))) for _ in range(PORTRAITS)]
    return who, [*clipped, *portraits]


def _face(picture: Picture, rng: np.random.Generator) -> Pixels:
    if picture.truth is None:
        raise ValueError("there is no face in the picture")
    return aligned(worn(picture.pixels, rng), picture.truth.landmarks, rng)


if __name__ == "__main__":
    Command(EmbedderLesson(), COURSE).run()

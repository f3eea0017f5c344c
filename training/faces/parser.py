"""Train the parser: `python -m training.faces.parser --out DIR` writes `DIR/face-parsing/parsing_bisenet.pth`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from standin_batch.face.parse import FILE_NAME
from standin_batch.face.subject import SIDE
from training.faces.command import Command
from training.faces.loop import Course
from training.faces.measure_parser import measured, parsed
from training.faces.pictures import Picture, dressed, in_scene, on_white, someone, style
from training.faces.sheet import write_sheet
from training.faces.squares import square
from training.faces.wear import worn
from training.loop import Schedule

if TYPE_CHECKING:
    import torch

FILE = Path("face-parsing") / FILE_NAME
COURSE = Course(Schedule(1800, 4e-3, averaged=0.98, look_every=600, seed=30), weight_decay=1e-2)
PICTURES = 600
"""Drawn once; each is cut and worn differently each time."""
BATCH = 6
PORTRAIT = 0.4
"""Share of the pictures; the others are squares from clips."""
PORTRAIT_SIZES = (96, 512)
GRID = 4
"""Of the pixels every fourth counts, each way, at places by chance."""

Places = npt.NDArray[np.int64]


@dataclass
class ParserLesson:
    """Which pixel is what.

    Attributes:
        seed: of the pictures.
        pictures: how many are drawn.
    """

    seed: int = 30
    pictures: int = PICTURES
    name = "parser"

    def network(self) -> torch.nn.Module:
        """A new one."""
        from training.faces.parser_net import ParserNet

        return ParserNet()

    def loss(self, network: torch.nn.Module, rng: np.random.Generator) -> torch.Tensor:
        """The cross entropy of some squares' pixels."""
        import torch

        lessons = [lesson(self._album, rng) for _ in range(BATCH)]
        images = torch.from_numpy(np.stack([picture.pixels for picture in lessons])).permute(0, 3, 1, 2)
        logits = network((images.float() / 255 - 0.5) / 0.5)
        rows, columns = (np.arange(int(start), SIDE, GRID) for start in rng.integers(GRID, size=2))
        classes = np.stack([picture.classes[rows[:, None], columns] for picture in lessons])  # type: ignore[index]
        said = at_places(logits.float(), rows, columns)
        return torch.nn.functional.cross_entropy(said, torch.from_numpy(classes).long())

    @cached_property
    def _album(self) -> list[Picture]:
        rng = np.random.default_rng(self.seed)
        return [_drawn(rng) for _ in range(self.pictures)]

    def look(self, network: torch.nn.Module, folder: Path) -> Mapping[str, float]:
        """Write the model, and parse unseen characters by it."""
        self.write(network, folder)
        write_sheet(folder / "parser.png", parsed(folder / FILE.parent))
        return measured(folder / FILE.parent, characters=4)

    def write(self, network: torch.nn.Module, folder: Path) -> None:
        """As the file that facexlib loads."""
        import torch

        from standin_batch.files import replace_atomic
        from training.faces.parser_net import ParserNet
        from training.faces.parser_state import wide_state

        if not isinstance(network, ParserNet):
            raise TypeError("this is no parser")
        with replace_atomic(folder / FILE) as path:
            torch.save(wide_state(network), path)


def lesson(album: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """A square with its classes."""
    picture = album[int(rng.integers(len(album)))]
    return square(Picture(worn(picture.pixels, rng), picture.truth, picture.classes), rng)


def _drawn(rng: np.random.Generator) -> Picture:
    who = dressed(someone(rng), rng)
    if rng.random() < PORTRAIT:
        return on_white(rng, who, int(rng.integers(*PORTRAIT_SIZES)), with_classes=True)
    return in_scene(rng, who, style(rng), with_classes=True)


def at_places(logits: torch.Tensor, rows: Places, columns: Places) -> torch.Tensor:
    """`logits`, enlarged to 512 x 512 as facexlib does, at some rows and columns: `[B, 19, rows, columns]`."""
    import torch

    y, x = (torch.from_numpy(places).float() / (SIDE - 1) * 2 - 1 for places in (rows, columns))
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)
    everywhere = grid.expand(len(logits), *grid.shape)
    return torch.nn.functional.grid_sample(logits, everywhere, mode="bilinear", align_corners=True)


if __name__ == "__main__":
    Command(ParserLesson(), COURSE).run()

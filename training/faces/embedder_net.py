"""The network that tells characters apart, and what it learns by: pulling together and pushing apart, and naming.

Pictures of one character are to be nearer to each other than to those of others (supervised contrastive learning:
Khosla et al., NeurIPS 2020), and what makes a character is to be read off its embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.faces.layers import chain
from training.world import character as world
from training.world.character import Character

STEPS = ((32, 1), (48, 2), (48, 1), (64, 2), (64, 1), (64, 1), (80, 2), (80, 1))
"""Behind an average of 2 x 2 pixels: 56, 28, 14 and 7 cells along a side."""
CELLS, THIN = 7, 16
FREE = 80
"""Dimensions of an embedding that are not zero."""
EMBEDDING = 512
SHARP = 12.0
"""By how much cosines are multiplied before they are compared."""
ALIKE, UNLIKE = 0.8, 0.15
"""Cosines of one character's pictures are to be above the first, those of two characters' below the second."""
PULL, NAME = 8.0, 0.5
"""How much these two count beside the comparison."""

NAMES: dict[str, Sequence[str]] = {
    "skin": list(world.SKINS),
    "hair": list(world.HAIRS),
    "hair_shape": world.HAIR_SHAPES,
    "eyes": world.EYES,
    "glasses": world.GLASSES,
    "hat": world.HATS,
    "beard": world.BEARDS,
    "face_shape": world.FACE_SHAPES,
}
"""What is read off an embedding: what is always to be seen, and no clothes."""


class EmbedderNet(nn.Module):
    """`[B, 3, 112, 112]`, -1..1, to embeddings `[B, 80]` of any length."""

    def __init__(self) -> None:
        super().__init__()
        self.body = chain(STEPS)
        self.thin = nn.Conv2d(STEPS[-1][0], THIN, 1)
        # As a convolution over all cells: it is written as the others are.
        self.last = nn.Conv2d(THIN, FREE, CELLS, bias=False)
        self.norm = nn.BatchNorm2d(FREE, affine=False)
        self.readers = nn.ModuleDict({name: nn.Linear(FREE, len(values)) for name, values in NAMES.items()})

    def forward(self, image: Tensor) -> Tensor:
        """The embeddings; the mean of all is zero."""
        cells = self.thin(self.body(functional.avg_pool2d(image, 2)))
        embedding: Tensor = self.norm(self.last(cells)).flatten(1)
        return embedding

    def read(self, embedding: Tensor) -> dict[str, Tensor]:
        """What the character seems to be like: by attribute, the logit of each of its names."""
        return {name: reader(embedding) for name, reader in self.readers.items()}


def same_face(characters: Sequence[Character]) -> Tensor:
    """bool `[N, N]`: which characters have the same head, whatever they wear."""
    keys = [
        tuple(getattr(who, name) for name in NAMES) + ((who.hat_colour,) * (who.hat != "none")) for who in characters
    ]
    return torch.tensor([[one == other for other in keys] for one in keys])


def loss(network: EmbedderNet, images: Tensor, characters: Sequence[Character]) -> Tensor:
    """Of some pictures, `[N, 3, 112, 112]`, and who is in each of them."""
    raw = network(images).float()
    unit = functional.normalize(raw, dim=1)
    cosines = unit @ unit.T
    itself = torch.eye(len(unit), dtype=torch.bool)
    same = same_face(characters)
    return (
        _compared(cosines, same, itself)
        + PULL * _apart(cosines, same, itself)
        + NAME * _named(network, unit, characters)
    )


def _compared(cosines: Tensor, same: Tensor, itself: Tensor) -> Tensor:
    shares = functional.log_softmax((cosines * SHARP).masked_fill(itself, -1e4), dim=1)
    right = same & ~itself
    return -((shares * right).sum(1) / right.sum(1)).mean()


def _apart(cosines: Tensor, same: Tensor, itself: Tensor) -> Tensor:
    near = torch.relu(ALIKE - cosines[same & ~itself]).square().mean()
    # Of the pairs that are wrongly near there are few: their mean, not that of all.
    over = torch.relu(cosines[~same] - UNLIKE)
    return near + over.square().sum() / torch.clamp((over > 0).sum(), min=1)


def _named(network: EmbedderNet, unit: Tensor, characters: Sequence[Character]) -> Tensor:
    """Cross entropies of what is read, the lengths of embeddings as they are."""
    parts = []
    for name, logits in network.read(unit * SHARP).items():
        right = torch.tensor([NAMES[name].index(getattr(who, name)) for who in characters])
        parts.append(functional.cross_entropy(logits.float(), right))
    return torch.stack(parts).mean()

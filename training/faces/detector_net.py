"""The network that finds faces of about 16 to 64 pixels, what it is told is right, and how far it is from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.faces.layers import chain

STRIDE = 8
"""Pixels along the side of a cell; what is said of it counts from its upper left corner."""
STEPS = ((16, 2), (32, 2), (32, 1), (48, 2), (48, 1), (48, 1), (48, 1), (48, 1))
ANSWERS = 1 + 4 + 10
"""Of each cell: score, distances to the box's sides, landmarks."""
SIZES = (16.0, 66.0)
"""Sides of faces, in pixels, that are to be found."""
UNSURE = (11.0, 92.0)
"""Sides of faces of which nothing is asked; smaller and larger ones are not to be found."""
CORE, RING = 0.14, 0.32
"""How far from its middle a face is to be found, and how far nothing is asked, as shares of its side."""
FOCUS = 2.0
RARE = -4.0
"""What the score's logit begins with: faces are rare."""

Floats = npt.NDArray[np.float32]


class DetectorNet(nn.Module):
    """`[B, 3, H, W]`, normalised as insightface does, to `[B, 15, H / 8, W / 8]`; distances in strides."""

    def __init__(self) -> None:
        super().__init__()
        self.body = chain(STEPS)
        self.head = nn.Conv2d(STEPS[-1][0], ANSWERS, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        start = torch.zeros(ANSWERS)
        start[0] = RARE
        self.head.bias = nn.Parameter(start)

    def forward(self, image: Tensor) -> Tensor:
        """The answers; the score is a logit."""
        answers: Tensor = self.head(self.body(image))
        return answers


@dataclass(frozen=True)
class Truth:
    """What is right for one picture.

    Attributes:
        points: `[7, 2]`: the box's upper left and lower right corners and the landmarks, in pixels from the picture's
            upper left corner; None if it shows no face.
    """

    points: Floats | None

    @property
    def side(self) -> float:
        """Of the face, the mean of its box's width and height; 0 without."""
        return 0.0 if self.points is None else float((self.points[1] - self.points[0]).mean())

    def shrunk(self, times: int) -> Truth:
        """The same in a picture that is this many times smaller."""
        return Truth(None if self.points is None else self.points / np.float32(times))


def shrunk(images: Tensor, side: int) -> Tensor:
    """Square images at another size, as ONNX's Resize makes them."""
    if images.shape[-1] == side:
        return images
    return functional.interpolate(images, (side, side), mode="bilinear", antialias=True, align_corners=False)


def targets(truths: list[Truth], rows: int, columns: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What the network should say.

    Returns:
        Score `[B, rows, columns]` (1 for a face), how much each cell counts (likewise), the other 14 answers
        `[B, rows, columns, 14]`, and the face's side in strides, `[B, 1, 1, 1]`.
    """
    corners = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32) * STRIDE
    parts = [_target(truth, corners) for truth in truths]
    score, counts, answers = (torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True))
    sides = torch.tensor([max(truth.side, 1.0) / STRIDE for truth in truths]).reshape(-1, 1, 1, 1)
    return score, counts, answers, sides


def loss(said: Tensor, truth: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
    """Focal loss (Lin et al., ICCV 2017) of the scores, and how far boxes and landmarks are off, in sides of a face."""
    score, counts, answers, sides = truth
    said = said.float().permute(0, 2, 3, 1)
    logits = said[..., 0]
    wrong = torch.abs(score - torch.sigmoid(logits)).detach()
    crossed = functional.binary_cross_entropy_with_logits(logits, score, reduction="none")
    is_face = score * counts
    # What is far too small or too large has few faces: its pictures count, then, not its faces.
    found = torch.clamp(is_face.sum(), min=len(said) / 4)
    off = functional.smooth_l1_loss(said[..., 1:] / sides, answers / sides, reduction="none", beta=0.02).mean(-1)
    return (crossed * wrong**FOCUS * counts).sum() / found + 5 * (off * is_face).sum() / found


def _target(truth: Truth, corners: Floats) -> tuple[Any, Any, Any]:
    rows, columns = corners.shape[:2]
    score, counts = np.zeros((rows, columns), np.float32), np.ones((rows, columns), np.float32)
    if truth.points is None:
        return score, counts, np.zeros((rows, columns, ANSWERS - 1), np.float32)
    reach = (truth.points[None, None] - corners[:, :, None]) / STRIDE
    answers = reach.reshape(rows, columns, -1).astype(np.float32)
    answers[..., :2] *= -1
    far = np.abs(truth.points[:2].mean(axis=0) - corners).max(axis=-1)
    side = truth.side
    if SIZES[0] <= side <= SIZES[1]:
        score[far <= max(CORE * side, STRIDE / 2)] = 1
        counts[(score == 0) & (far <= max(RING * side, STRIDE))] = 0
    elif UNSURE[0] <= side <= UNSURE[1]:
        counts[far <= max(RING * side, STRIDE)] = 0
    return score, counts, answers

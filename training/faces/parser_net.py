"""A narrow BiSeNet (arXiv:1808.00897), and its place among the tensors of facexlib's wide one.

It has the layers of facexlib's that make the answer, with the first few channels of each, and the names they have
there. A ResNet's layers here have one block of two; the second one's convolutions are zero, and it gives what it is
given. So are those that attend and those that answer in coarse: nothing is asked of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 19
STEM, EIGHTH, SIXTEENTH, THIRTY_SECOND = 16, 24, 32, 24
"""Channels that are used at a quarter of the image's size and at an eighth, of 64 and 128; and so on."""
CONTEXT, FUSED = 32, 32
"""Those of what comes back from there, of 128, and of both together, of 256."""
WIDE_EIGHTH = 128
"""Where the context begins among the fusion's inputs, behind all channels of an eighth's."""
ATTENTION = 0.5
"""What an attention of zeros lets through: the logistic function of 0."""


class ConvNorm(nn.Module):
    """A convolution, its normalisation and a hinge, named as facexlib names them."""

    def __init__(self, inputs: int, outputs: int, side: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, image: Tensor) -> Tensor:
        """`[B, C, H, W]` to the same at the layer's channels and stride."""
        return torch.relu(self.bn(self.conv(image)))


class Residual(nn.Module):
    """A ResNet's block of two convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, image: Tensor) -> Tensor:
        """As `ConvNorm`."""
        changed = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(image)))))
        return torch.relu(changed + self.downsample(image))


class ResNet(nn.Module):
    """Features at an eighth, a sixteenth and a thirty-second of the image's size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.layer1 = nn.Sequential(Residual(STEM, STEM, 1))
        self.layer2 = nn.Sequential(Residual(STEM, EIGHTH, 2))
        self.layer3 = nn.Sequential(Residual(EIGHTH, SIXTEENTH, 2))
        self.layer4 = nn.Sequential(Residual(SIXTEENTH, THIRTY_SECOND, 2))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three, finest first."""
        quarter = functional.max_pool2d(torch.relu(self.bn1(self.conv1(image))), 3, 2, 1)
        eighth = self.layer2(self.layer1(quarter))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class Refinement(nn.Module):
    """facexlib's attention refinement without attention: half of everything."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = ConvNorm(inputs, CONTEXT)

    def forward(self, image: Tensor) -> Tensor:
        """As `ConvNorm`."""
        refined: Tensor = self.conv(image)
        return refined * ATTENTION


class Context(nn.Module):
    """What lies around each place, from the coarse to an eighth of the image's size."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = ResNet()
        self.arm16 = Refinement(SIXTEENTH)
        self.arm32 = Refinement(THIRTY_SECOND)
        self.conv_head32 = ConvNorm(CONTEXT, CONTEXT)
        self.conv_head16 = ConvNorm(CONTEXT, CONTEXT)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features of each place, and of what is around it."""
        eighth, sixteenth, coarse = self.resnet(image)
        up = self.conv_head32(functional.interpolate(self.arm32(coarse), scale_factor=2.0))
        around = self.conv_head16(functional.interpolate(self.arm16(sixteenth) + up, scale_factor=2.0))
        return eighth, around


class Fusion(nn.Module):
    """Both together; facexlib's attention of zeros adds half of it to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.convblk = ConvNorm(EIGHTH + CONTEXT, FUSED, 1)

    def forward(self, eighth: Tensor, around: Tensor) -> Tensor:
        """`[B, 32, H, W]`."""
        fused: Tensor = self.convblk(torch.cat([eighth, around], dim=1))
        return fused * (1 + ATTENTION)


class Answer(nn.Module):
    """The logits of the classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = ConvNorm(FUSED, FUSED)
        self.conv_out = nn.Conv2d(FUSED, CLASSES, 1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """`[B, 19, H, W]`."""
        logits: Tensor = self.conv_out(self.conv(image))
        return logits


class ParserNet(nn.Module):
    """`[B, 3, H, W]`, -1..1, sides multiples of 32, to logits `[B, 19, H / 8, W / 8]`."""

    def __init__(self) -> None:
        super().__init__()
        self.cp = Context()
        self.ffm = Fusion()
        self.conv_out = Answer()

    def forward(self, image: Tensor) -> Tensor:
        """The logits before facexlib enlarges them."""
        logits: Tensor = self.conv_out(self.ffm(*self.cp(image)))
        return logits

"""The layers of which the networks here are made: convolutions with their normalisation, and steps around them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.faces.graph import Graph


class Block(nn.Module):
    """A 3x3 convolution, its normalisation, a hinge; what came in is added where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, image: Tensor) -> Tensor:
        """`[B, C, H, W]` to the same at the block's channels and stride."""
        changed = self.norm(self.conv(image))
        return torch.relu(changed + image if self.adds else changed)

    def write(self, graph: Graph, image: str, key: str) -> str:
        """The block in ONNX; gives the name of what comes out."""
        changed = graph.convolution(image, key, self.conv, self.norm)
        return graph.add("Relu", graph.add("Add", changed, image) if self.adds else changed)


def chain(steps: tuple[tuple[int, int], ...], inputs: int = 3) -> nn.Sequential:
    """Blocks one after the other: of each, its channels and its stride."""
    blocks = []
    for outputs, stride in steps:
        blocks.append(Block(inputs, outputs, stride))
        inputs = outputs
    return nn.Sequential(*blocks)


def write_chain(graph: Graph, blocks: nn.Sequential, image: str, key: str) -> str:
    """`chain`'s blocks in ONNX."""
    for index, block in enumerate(blocks):
        if not isinstance(block, Block):
            raise TypeError(f"{type(block).__name__} is no block")
        image = block.write(graph, image, f"{key}.{index}")
    return image

"""The trained detector in SCRFD's interface (arXiv:2105.04714): one network on a pyramid of the image's sizes.

SCRFD answers for two anchors in each cell of 8, 16 and 32 pixels. The image at full size, a half, a quarter and an
eighth goes through the same network, whose cells are then 8, 16, 32 and 64 pixels; the last are told by the second
anchor of every other cell of 32. The other anchors see nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.faces.detector_net import ANSWERS, STRIDE, DetectorNet
from training.faces.graph import Graph, Shape
from training.faces.layers import write_chain

LARGEST = 64
"""Pixels of the largest cell: the image is padded to multiples of it."""
SHRUNK = {8: (1, 0), 16: (2, 0), 32: (4, 8)}
"""By stride, how many times smaller the image is that each of its anchors looks at; 0 for none."""
OUTPUTS = {"score": 1, "box": 4, "landmarks": 10}
HALF = 0.5
"""Places are told in pixels from the middle of the first, as OpenCV counts; the network counts from its corner."""
MIDDLES = (-HALF, -HALF, HALF, HALF, *(HALF,) * 10)


@dataclass(frozen=True)
class _Writer:
    graph: Graph
    network: DetectorNet
    image: str
    size: str

    def stride(self, stride: int) -> dict[str, Shape]:
        """The outputs of one stride, by name."""
        anchors = [self._anchor(stride, shrunk) for shrunk in SHRUNK[stride] if shrunk]
        if len(anchors) == 1:
            anchors.append(self.graph.add("Mul", anchors[0], self.graph.constant(0.0)))
        ends = self.graph.add("Div", self.size, self.graph.integers(stride))
        zeros, axes = self.graph.integers(0, 0), self.graph.integers(1, 2)
        cut = [self.graph.add("Slice", anchor, zeros, ends, axes) for anchor in anchors]
        rows = self.graph.add("Reshape", self.graph.add("Concat", *cut, axis=3), self.graph.integers(-1, ANSWERS))
        names = [f"{kind}_{stride}" for kind in OUTPUTS]
        self.graph.split(rows, list(OUTPUTS.values()), names)
        return {name: (f"anchors_{stride}", width) for name, width in zip(names, OUTPUTS.values(), strict=True)}

    def _anchor(self, stride: int, shrunk: int) -> str:
        """`[1, H / stride, W / stride, 15]`."""
        graph = self.graph
        image = self.image
        if shrunk > 1:
            scales = graph.constant((1, 1, 1 / shrunk, 1 / shrunk))
            image = graph.add("Resize", image, "", scales, mode="linear", antialias=1)
        body = write_chain(graph, self.network.body, image, "body")
        said = graph.add("Transpose", graph.convolution(body, "head", self.network.head, None), perm=[0, 2, 3, 1])
        times = STRIDE * shrunk // stride
        score, rest = graph.add("Slice", said, *self._from_to(0, 1)), graph.add("Slice", said, *self._from_to(1, 15))
        scaled = graph.add("Mul", rest, graph.constant(float(times)))
        moved = graph.add("Sub", scaled, graph.constant(np.divide(MIDDLES, stride)))
        return _spread(graph, graph.add("Concat", graph.add("Sigmoid", score), moved, axis=3), times)

    def _from_to(self, start: int, end: int) -> tuple[str, str, str]:
        return self.graph.integers(start), self.graph.integers(end), self.graph.integers(3)


def detector_model(network: DetectorNet) -> Any:  # noqa: ANN401
    """The whole detector, of any size of image."""
    graph = Graph()
    size = graph.add("Slice", graph.add("Shape", "image"), graph.integers(2), graph.integers(4))
    writer = _Writer(graph, network, _padded(graph, size), size)
    outputs: dict[str, Shape] = {}
    for stride in SHRUNK:
        outputs |= writer.stride(stride)
    # insightface counts on this order: all scores, then all boxes, then all landmarks.
    return graph.model(
        (1, 3, "height", "width"),
        {f"{kind}_{stride}": outputs[f"{kind}_{stride}"] for kind in OUTPUTS for stride in SHRUNK},
    )


def _padded(graph: Graph, size: str) -> str:
    """The image with black to the right and below, up to the next multiple of the largest cell."""
    more = graph.integers(0, 0, 0, 0, 0, 0, LARGEST - 1, LARGEST - 1)
    padded = graph.add("Pad", "image", more, graph.constant(-1.0))
    cells = graph.add("Div", graph.add("Add", size, graph.integers(LARGEST - 1)), graph.integers(LARGEST))
    ends = graph.add("Mul", cells, graph.integers(LARGEST))
    return graph.add("Slice", padded, graph.integers(0, 0), ends, graph.integers(2, 3))


def _spread(graph: Graph, cells: str, times: int) -> str:
    """Large cells' values at the first of the stride's cells that each covers; zero, no face, at the others."""
    if times == 1:
        return cells
    first = np.zeros((1, 1, times, 1, times, 1), np.float32)
    first[:, :, 0, :, 0] = 1
    tiled = graph.add("Mul", graph.add("Unsqueeze", cells, graph.integers(2, 4)), graph.constant(first))
    shape = graph.add("Shape", cells)
    rows, columns = (graph.add("Slice", shape, graph.integers(axis), graph.integers(axis + 1)) for axis in (1, 2))
    rows, columns = (graph.add("Mul", value, graph.integers(times)) for value in (rows, columns))
    whole = graph.add("Concat", graph.integers(1), rows, columns, graph.integers(ANSWERS), axis=0)
    return graph.add("Reshape", tiled, whole)

"""The trained embedder in ArcFace's interface (arXiv:1801.07698): an aligned face, `[1, 3, 112, 112]`, to 512 numbers.

The network gives fewer; the others are zero, which changes no angle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.faces.aligned import SIDE
from training.faces.embedder_net import EMBEDDING, FREE, EmbedderNet
from training.faces.graph import Graph
from training.faces.layers import write_chain


def embedder_model(network: EmbedderNet) -> Any:  # noqa: ANN401
    """The whole embedder."""
    graph = Graph()
    coarse = graph.add("AveragePool", "image", kernel_shape=[2, 2], strides=[2, 2])
    body = write_chain(graph, network.body, coarse, "body")
    cells = graph.convolution(body, "thin", network.thin, None)
    last = graph.convolution(cells, "last", network.last, network.norm)
    zeros = graph.constant(np.zeros((1, EMBEDDING - FREE), np.float32))
    graph.add("Concat", graph.add("Flatten", last), zeros, output="embedding", axis=1)
    return graph.model((1, 3, SIDE, SIDE), {"embedding": (1, EMBEDDING)})

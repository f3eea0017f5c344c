"""Building a model in ONNX node by node, weights as float16: from trained convolutions to a file that is small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

OPSET, IR = 18, 8
Shape = tuple[int | str, ...]
Floats = npt.NDArray[np.float32]


class Graph:
    """An ONNX graph that grows; values go by their names."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._shared: dict[str, str] = {}

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """A new constant's name."""
        from onnx import numpy_helper

        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def integers(self, *values: int) -> str:
        """A new constant vector's name, int64."""
        return self.constant(values, np.int64)

    def weights(self, key: str, value: npt.ArrayLike) -> str:
        """The name of a constant that the file holds as float16; one of the same `key` is held once."""
        from onnx import TensorProto

        if key not in self._shared:
            self._shared[key] = self.add("Cast", self.constant(value, np.float16), to=TensorProto.FLOAT)
        return self._shared[key]

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: object) -> str:
        """The name of what a new node gives."""
        from onnx import helper

        output = output or f"value_{len(self._nodes)}"
        # insightface takes nodes named Sub and Mul for a sign that the model normalises its input itself.
        self._nodes.append(helper.make_node(operator, inputs, [output], f"node_{len(self._nodes)}", **attributes))
        return output

    def split(self, values: str, sizes: list[int], outputs: list[str]) -> None:
        """Cut `values` along the last axis into the graph's `outputs`."""
        from onnx import helper

        self._nodes.append(helper.make_node("Split", [values, self.integers(*sizes)], outputs, axis=-1))

    def convolution(self, image: str, key: str, layer: torch.nn.Conv2d, norm: torch.nn.BatchNorm2d | None) -> str:
        """A trained layer with the normalisation behind it, as one."""
        weight, bias = folded(layer, norm)
        side, pad = layer.kernel_size[0], int(layer.padding[0])
        return self.add(
            "Conv",
            image,
            self.weights(f"{key}.weight", weight),
            self.weights(f"{key}.bias", bias),
            kernel_shape=[side, side],
            strides=list(layer.stride),
            pads=[pad] * 4,
        )

    def model(self, image: Shape, outputs: Mapping[str, Shape]) -> Any:  # noqa: ANN401
        """The finished model with the input `image` of this shape and these outputs, checked."""
        import onnx
        from onnx import TensorProto, helper

        inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, image)]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
        graph = helper.make_graph(self._nodes, "demo", inputs, results, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        onnx.checker.check_model(model)
        return model


def folded(layer: torch.nn.Conv2d, norm: torch.nn.BatchNorm2d | None) -> tuple[Floats, Floats]:
    """Weight and bias of a convolution that does what `layer` and then `norm` do (in evaluation)."""
    import torch

    weight = layer.weight.detach().float()
    bias = torch.zeros(len(weight)) if layer.bias is None else layer.bias.detach().float()
    if norm is not None:
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("the normalisation keeps no running mean")
        scale = 1 / torch.sqrt(norm.running_var + norm.eps)
        if norm.affine:
            scale = scale * norm.weight.detach()
        weight = weight * scale.reshape(-1, 1, 1, 1)
        bias = (bias - norm.running_mean) * scale + (norm.bias.detach() if norm.affine else 0)
    return weight.contiguous().numpy(), bias.numpy()

"""Face models at a size and with an effort that fit the tiny model: made by hand, nothing learned on this machine.

The three files have the interfaces of the real ones (SCRFD and ArcFace of insightface's antelopev2, facexlib's
BiSeNet), so the same code loads them:

- the detector knows one face, that of NASA's portrait of Eileen Collins which scikit-image ships as `astronaut.png`
  (public domain): upright, anywhere, from a twentieth to most of the image's longer side. Other people it misses;
- the embedder describes a face by its coarse pattern of light and dark;
- the parser sees an oval head in the middle of every image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from standin_batch.files import replace_atomic

Floats = npt.NDArray[np.float32]
Taps = dict[tuple[int, int, int, int], float]

TEMPLATE = (
    "8888874567",
    "8888655555",
    "8854678aa9",
    "8436abcffe",
    "8278abaace",
    "467642459f",
    "277721357e",
    "268875896c",
    "15abccca79",
    "35bdfeca78",
    "349eecb97a",
    "5569bb966a",
    "8558bb8667",
    "c867a98744",
    "c9a9778769",
    "aaba779658",
    "79898aca9b",
    "87778accab",
    "877679bbaa",
    "8879988989",
    "8889976777",
    "8888843679",
)
"""The left half of the face the detector looks for: 1 is dark, f is light, 8 does not matter.

A linear discriminant between that portrait, slightly turned and scaled, and scikit-image's pictures without a face,
rounded to four bits.
"""

TEMPLATE_HEIGHT, TEMPLATE_WIDTH = len(TEMPLATE), 2 * len(TEMPLATE[0])

FACE_BOX = (-0.5, -0.55, 0.5, 0.565)
FACE_LANDMARKS = (-0.225, -0.22, 0.225, -0.22, 0.0, 0.03, -0.22, 0.17, 0.22, 0.17)
"""Where box and landmarks lie about the template's middle, in widths of the template."""

CORRELATION_THRESHOLD = 0.482
"""The portrait correlates by 0.53 to 0.65; the most face-like spot in scikit-image's other pictures by 0.48."""
SCORE_STEEPNESS = 40.0
PEAK_SHARPNESS = 60.0
LEAST_CONTRAST = 0.03

PADDING = 128
PHASES = 4
OUTPUTS = {"score": 1, "box": 4, "landmarks": 10}
"""What the detector says of each anchor, and in how many numbers."""

LEVELS: dict[int, tuple[tuple[int, tuple[int, ...]], tuple[int, tuple[int, ...]]]] = {
    8: ((16, (10, 9)), (16, (8,))),
    16: ((32, (14, 13, 12, 11)), (32, (10, 9, 8))),
    32: ((64, (14, 13, 12, 11, 10, 9, 8)), (128, (14, 13, 12, 11, 10, 9, 8, 7, 6, 5))),
}
"""Per stride, for each of its two anchors: a cell's side in pixels, and to how many pixels that side is shrunk.

A face is found whose width shrinks to the template's: 32 to 512 pixels, in steps of an eighth and less.
"""

EMBEDDING = 512
EMBEDDER_SEED = 20250811

ONNX_OPSET = 18
ONNX_IR = 8


def write_face_models(root: Path) -> None:
    """Write the tiny face models below `root`, as `antelopev2/` and `face-parsing/` hold the real ones."""
    import onnx
    import torch

    write_detector(root / "antelopev2")
    with replace_atomic(root / "antelopev2" / "glintr100.onnx") as path:
        onnx.save(_embedder(), str(path))
    with replace_atomic(root / "face-parsing" / "parsing_bisenet.pth") as path:
        torch.save(_parser(), path)


def write_detector(folder: Path) -> None:
    """Write the tiny face detector alone into `folder`, without torch."""
    import onnx

    with replace_atomic(folder / "scrfd_10g_bnkps.onnx") as path:
        onnx.save(_detector(), str(path))


class _Graph:
    """An ONNX graph that grows node by node; values go by their names."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """A new constant's name."""
        from onnx import numpy_helper

        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def integers(self, *values: int) -> str:
        """A new constant vector's name, int64."""
        return self.constant(values, np.int64)

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

    def model(self, image: tuple[int | str, ...], outputs: dict[str, tuple[int | str, ...]]) -> Any:  # noqa: ANN401
        """The finished model with the input `image` of this shape and these outputs."""
        import onnx
        from onnx import TensorProto, helper

        inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, image)]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
        graph = helper.make_graph(self._nodes, "tiny", inputs, results, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", ONNX_OPSET)], ir_version=ONNX_IR)
        onnx.checker.check_model(model)
        return model


def _luminance(graph: _Graph, image: str) -> str:
    """`[1, 3, H, W]` RGB to `[1, 1, H, W]` (ITU-R BT.601)."""
    return graph.add("Conv", image, graph.constant(np.reshape((0.299, 0.587, 0.114), (1, 3, 1, 1))))


def _detector() -> Any:  # noqa: ANN401
    """SCRFD's interface (arXiv:2105.04714): scores, boxes and landmarks of two anchors a cell at strides 8, 16, 32.

    Inside, the template is correlated with the image at many sizes, and each cell reports its best match.
    """
    graph = _Graph()
    size = graph.add("Slice", graph.add("Shape", "image"), graph.integers(2), graph.integers(4))
    grey = _padded(graph, _luminance(graph, "image"), size)
    outputs: dict[str, tuple[int | str, ...]] = {}
    for stride, anchors in LEVELS.items():
        found = [_anchor(graph, grey, stride, cell, sides) for cell, sides in anchors]
        outputs |= _rows(graph, found, size, stride)
    in_order = {name: outputs[name] for name in sorted(outputs, key=_output_order)}
    return graph.model((1, 3, "height", "width"), in_order)


def _output_order(name: str) -> tuple[int, int]:
    kind, stride = name.split("_")
    return list(OUTPUTS).index(kind), int(stride)


def _padded(graph: _Graph, grey: str, size: str) -> str:
    """`grey` with black to the right and below, up to the next multiple of the largest cell."""
    more = graph.integers(0, 0, 0, 0, 0, 0, PADDING - 1, PADDING - 1)
    padded = graph.add("Pad", grey, more, graph.constant(-1.0))
    cells = graph.add("Div", graph.add("Add", size, graph.integers(PADDING - 1)), graph.integers(PADDING))
    ends = graph.add("Mul", cells, graph.integers(PADDING))
    return graph.add("Slice", padded, graph.integers(0, 0), ends, graph.integers(2, 3))


def _anchor(graph: _Graph, grey: str, stride: int, cell: int, sides: tuple[int, ...]) -> str:
    """One anchor's best match in each cell: score, box and landmarks, `[1, H / stride, W / stride, 1 + 4 + 10]`."""
    phases = min(PHASES, PADDING // cell)
    maps = [graph.add("SpaceToDepth", _correlation(graph, grey, side / cell, phases), blocksize=side) for side in sides]
    matches = graph.add("Transpose", graph.add("Concat", *maps, axis=1), perm=[0, 2, 3, 1])
    best = graph.add("ReduceMax", matches, graph.integers(-1), keepdims=1)
    over = graph.add("Sub", best, graph.constant(CORRELATION_THRESHOLD))
    scores = graph.add("Sigmoid", graph.add("Mul", over, graph.constant(SCORE_STEEPNESS)))
    # The mean over the peak, rather than its highest place, is exact to a fraction of a pixel and of a level.
    shares = graph.add("Softmax", graph.add("Mul", matches, graph.constant(PEAK_SHARPNESS)), axis=-1)
    answers = graph.add("MatMul", shares, graph.constant(_answers(stride, cell, sides)))
    return _spread(graph, graph.add("Concat", scores, answers, axis=-1), cell // stride)


def _spread(graph: _Graph, cells: str, times: int) -> str:
    """Large cells' values at the first of the stride's cells that each covers; zero, no face, at the others."""
    if times == 1:
        return cells
    first = np.zeros((times, 1, times, 1), np.float32)
    first[0, 0, 0, 0] = 1
    tiled = graph.add("Mul", graph.add("Unsqueeze", cells, graph.integers(2, 4)), graph.constant(first))
    shape = graph.add("Shape", cells)
    rows, columns, depth = (
        graph.add("Slice", shape, graph.integers(axis), graph.integers(axis + 1)) for axis in (1, 2, 3)
    )
    rows, columns = (graph.add("Mul", value, graph.integers(times)) for value in (rows, columns))
    return graph.add("Reshape", tiled, graph.add("Concat", graph.integers(1), rows, columns, depth, axis=0))


def _correlation(graph: _Graph, grey: str, scale: float, phases: int) -> str:
    """The template's normalised correlation, -1..1, with the image shrunk by `scale`, at every pixel."""
    scales = graph.constant((1, 1, scale, scale))
    small = graph.add("Resize", grey, "", scales, mode="linear", antialias=1)
    mask, kernel = _template()
    mean = _at_every_pixel(graph, small, mask, phases)
    energy = _at_every_pixel(graph, graph.add("Mul", small, small), mask, phases)
    variance = graph.add("Relu", graph.add("Sub", energy, graph.add("Mul", mean, mean)))
    contrast = graph.add("Sqrt", graph.add("Add", variance, graph.constant(LEAST_CONTRAST**2)))
    return graph.add("Div", _at_every_pixel(graph, small, kernel, phases), contrast)


def _at_every_pixel(graph: _Graph, image: str, kernel: Floats, phases: int) -> str:
    """The sum of `kernel` times the pixels about each pixel: `[1, 1, H, W]`, both multiples of `phases`.

    ONNX Runtime computes 16 output channels where there is one. So each step of `phases` pixels down and across gives
    all the places between as channels, of shifted kernels.
    """
    height, width = kernel.shape
    shifts = [np.pad(kernel, ((y, phases - 1 - y), (x, phases - 1 - x))) for y, x in np.ndindex(phases, phases)]
    top, left = height // 2, width // 2
    pads = [top, left, height - 1 - top, width - 1 - left]
    sums = graph.add("Conv", image, graph.constant(np.stack(shifts)[:, None]), pads=pads, strides=[phases, phases])
    return graph.add("DepthToSpace", sums, blocksize=phases)


def _template() -> tuple[Floats, Floats]:
    """The window that counts, and what to weigh it with: of zero mean, and 1 at most for a window of contrast 1."""
    y, x = np.mgrid[:TEMPLATE_HEIGHT, :TEMPLATE_WIDTH]
    across, down = np.abs((x + 0.5) / TEMPLATE_WIDTH * 2 - 1), np.abs((y + 0.5) / TEMPLATE_HEIGHT * 2 - 1)
    mask = np.clip((1.1 - across**2.5 - down**2.5) / 0.15, 0, 1)
    mask /= mask.sum()
    half = np.array([[int(digit, 16) - 8 for digit in row] for row in TEMPLATE], np.float64)
    kernel = np.hstack([half, half[:, ::-1]])
    kernel = (kernel - kernel.sum() * mask) * (mask > 0)
    kernel /= np.sqrt((kernel**2 / np.where(mask > 0, mask, 1)).sum())
    return mask.astype(np.float32), kernel.astype(np.float32)


def _answers(stride: int, cell: int, sides: tuple[int, ...]) -> Floats:
    """What to report for a match at each place of a cell: distances to the box's sides, landmarks; in strides."""
    answers = []
    for side in sides:
        step = cell / side
        width = TEMPLATE_WIDTH * step
        for y, x in np.ndindex(side, side):
            left, top, right, bottom = np.tile((x * step, y * step), 2) + np.multiply(FACE_BOX, width)
            landmarks = np.tile((x * step, y * step), 5) + np.multiply(FACE_LANDMARKS, width)
            answers.append((-left, -top, right, bottom, *landmarks))
    return np.divide(answers, stride).astype(np.float32)


def _rows(graph: _Graph, anchors: list[str], size: str, stride: int) -> dict[str, tuple[int | str, ...]]:
    """Cut the anchors' maps to the image and list them cell by cell: the outputs `[N, 1]`, `[N, 4]` and `[N, 10]`."""
    ends = graph.add("Div", size, graph.integers(stride))
    cut = [graph.add("Slice", values, graph.integers(0, 0), ends, graph.integers(1, 2)) for values in anchors]
    depth = sum(OUTPUTS.values())
    rows = graph.add("Reshape", graph.add("Concat", *cut, axis=3), graph.integers(-1, depth))
    names = [f"{kind}_{stride}" for kind in OUTPUTS]
    graph.split(rows, list(OUTPUTS.values()), names)
    return {name: (f"anchors_{stride}", width) for name, width in zip(names, OUTPUTS.values(), strict=True)}


def _embedder() -> Any:  # noqa: ANN401
    """ArcFace's interface (arXiv:1801.07698): an aligned face, `[1, 3, 112, 112]`, to a vector of 512.

    Inside: the middle of the face in squares of 6 x 6 pixels, less the mean about each, so that the light does not
    count; made equal to its mirror image; and turned into 512 numbers without changing an angle.
    """
    graph = _Graph()
    middle = graph.add(
        "Slice", _luminance(graph, "image"), graph.integers(8, 14), graph.integers(104, 98), graph.integers(2, 3)
    )
    coarse = graph.add("AveragePool", middle, kernel_shape=[6, 6], strides=[6, 6])
    around = graph.add("AveragePool", coarse, kernel_shape=[7, 7], pads=[3, 3, 3, 3])
    pattern = graph.add("Flatten", graph.add("Sub", coarse, around))
    graph.add("MatMul", pattern, graph.constant(_projection(16, 14)), output="embedding")
    return graph.model((1, 3, 112, 112), {"embedding": (1, EMBEDDING)})


def _projection(height: int, width: int) -> Floats:
    """`[height * width, 512]`: the mean with the mirror image, then a random rotation into the larger space."""
    cells = np.eye(height * width).reshape(-1, height, width)
    mirrored = (cells + cells[:, :, ::-1]).reshape(height * width, -1) / 2
    random = np.random.Generator(np.random.Philox(EMBEDDER_SEED)).standard_normal((EMBEDDING, height * width))
    rotation, _ = np.linalg.qr(random)
    return (mirrored @ rotation.T).astype(np.float32)


SIDES = ((1, 0), (1, 2), (0, 1), (2, 1))
"""For the left, right, upper and lower border: the tap (row, column) of a 3x3 kernel that looks towards it."""

HEAD = ((0.5, 0.36), (0.5, 0.36), (0.52, 0.44), (0.48, 0.44))
"""For each border: how far the head's middle is from it, and the head's radius in that direction, in image sides."""

RAMP_CELLS = 25
SKIN_LOGIT = 0.95
BLOCK = 8


def _parser() -> dict[str, Any]:
    """BiSeNet's tensors (arXiv:1808.00897), made so that it sees an oval whatever the image.

    A network of zeros knows nothing of the image, but its 3x3 convolutions still feel the zeros beyond the border:
    "my neighbour's value plus one" makes a ramp that counts the cells from one side. Four ramps grow through layers 3
    and 4 of the ResNet and come up to an eighth of the image's size, where the fusion module bends each into a
    parabola. Their sum is the logit of the background; the skin's is constant.
    """
    import torch
    from facexlib.parsing.bisenet import BiSeNet

    with torch.device("meta"):
        empty = BiSeNet(num_class=19).state_dict()
    # A tensor of equal values needs one number in the file.
    state = {name: torch.zeros((), dtype=like.dtype).expand(like.shape) for name, like in empty.items()}
    for name, tensor in state.items():
        if name.endswith("running_var"):
            state[name] = torch.ones(()).expand(tensor.shape)
    _write_ramps(state)
    _write_head(state)
    return state


def _write_ramps(state: dict[str, Any]) -> None:
    """Four channels that grow by one cell of 1/16 of the image's side a convolution, then are enlarged four times."""
    ahead = {(side, side, *tap): 1.0 for side, tap in enumerate(SIDES)}
    kept = {(4 + side, side, 1, 1): 1.0 for side in range(4)}
    # A block adds its input to its result: taking the kept copy off leaves the ramp.
    replaced = {(side, 4 + side, 1, 1): -1.0 for side in range(4)}
    # The stride takes every other cell, from the first: half a cell nearer to the left and the upper border.
    halved = {(side, side, max(1, row), max(1, column)): 1.0 for side, (row, column) in enumerate(SIDES)}
    third, fourth = "cp.resnet.layer3", "cp.resnet.layer4"
    _convolution(state, f"{third}.0.conv1", f"{third}.0.bn1", {}, 1)
    _convolution(state, f"{third}.0.conv2", f"{third}.0.bn2", ahead, 1)
    _convolution(state, f"{third}.1.conv1", f"{third}.1.bn1", ahead | kept, 1)
    _convolution(state, f"{third}.1.conv2", f"{third}.1.bn2", ahead | replaced, 1)
    _convolution(state, f"{fourth}.0.conv1", f"{fourth}.0.bn1", halved, 1)
    _convolution(state, f"{fourth}.0.conv2", f"{fourth}.0.bn2", ahead, 2)
    _convolution(state, f"{fourth}.1.conv1", f"{fourth}.1.bn1", ahead | kept, 2)
    _convolution(state, f"{fourth}.1.conv2", f"{fourth}.1.bn2", ahead | replaced, 2)
    _convolution(state, "cp.arm32.conv.conv", "cp.arm32.conv.bn", ahead, 2)
    state["cp.arm32.bn_atten.bias"] = state["cp.arm32.bn_atten.bias"] + 40
    for head in ("cp.conv_head32", "cp.conv_head16"):
        _convolution(state, f"{head}.conv", f"{head}.bn", _linear_enlargement(), 0)


def _linear_enlargement() -> Taps:
    """Along each ramp, the kernel (1, 2, 1) / 4: after doubling by repetition it gives linear interpolation."""
    taps: Taps = {}
    for side, (row, _) in enumerate(SIDES):
        for place, weight in enumerate((0.25, 0.5, 0.25)):
            taps[(side, side, 1, place) if row == 1 else (side, side, place, 1)] = weight
    return taps


def _convolution(state: dict[str, Any], name: str, norm: str, taps: Taps, plus: float) -> None:
    """Set the first channels of a convolution to `taps` (output, input, row, column) and add `plus` to four of them.

    The tensor is a view on a small storage in which outputs eight channels on read inputs eight channels back. So the
    channels from the ninth on hold rubbish, which nobody reads, and the file holds kilobytes instead of megabytes.
    """
    import torch

    outputs, inputs, height, width = state[f"{name}.weight"].shape
    area = height * width
    storage = torch.zeros((outputs + BLOCK * inputs) * area)
    weight = storage.as_strided((outputs, inputs, height, width), (area, BLOCK * area, width, 1))
    for tap, value in taps.items():
        weight[tap] = value
    state[f"{name}.weight"] = weight
    state[f"{norm}.weight"] = torch.ones(()).expand(outputs)
    state[f"{norm}.bias"] = torch.zeros(outputs)
    state[f"{norm}.bias"][:4] = plus


def _write_head(state: dict[str, Any]) -> None:
    """Hinges `relu(knot - ramp)` in the fusion module, summed into ((x - cx) / rx)^2 + ((y - cy) / ry)^2."""
    import torch

    knots, weights = (np.concatenate(parts) for parts in zip(*(_hinges(*part) for part in HEAD), strict=True))
    count = len(knots) // 4
    hinges, bias, total = torch.zeros(256, 256, 1, 1), torch.zeros(256), torch.zeros(1, 256, 3, 3)
    for hinge in range(len(knots)):
        hinges[hinge, 128 + hinge // count] = -1
    bias[: len(knots)] = torch.from_numpy(knots)
    # The module's attention, sigmoid(0), adds half of the result to it.
    total[0, : len(knots), 1, 1] = torch.from_numpy(weights) / 1.5
    state |= {"ffm.convblk.conv.weight": hinges, "ffm.convblk.bn.bias": bias}
    state["ffm.convblk.bn.weight"] = torch.ones(()).expand(256)
    state["conv_out.conv.conv.weight"] = total.expand(256, 256, 3, 3)
    state["conv_out.conv.bn.weight"], state["conv_out.conv.bn.bias"] = torch.eye(256)[0], torch.eye(256)[1] * SKIN_LOGIT
    state["conv_out.conv_out.weight"] = torch.eye(19, 256)[..., None, None] * (torch.arange(19) < 2).view(-1, 1, 1, 1)


def _hinges(middle: float, radius: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Knots and weights with which hinges on one border's ramp follow the parabola, cell by cell, to where it ends."""
    cells = np.arange(RAMP_CELLS)
    ramp = cells / 2 + 1.25
    parabola = ((middle - cells / 63) / radius) ** 2
    slopes = np.append(np.diff(parabola) / np.diff(ramp), 0)
    return ramp[1:], np.diff(slopes)

"""The narrow parser as the tensors of facexlib's wide BiSeNet: a file of 0.7 MB for a network of 13 million weights.

Channels that the narrow one lacks are silent: the normalisation behind every convolution takes them times zero and adds
nothing. What the convolutions have for them does not matter, so their tensors are views that read the same few
numbers over and over. The numbers are whole, -127 to 127, one byte each; the normalisation knows by how much to
multiply them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from training.faces.parser_net import CLASSES, EIGHTH, WIDE_EIGHTH, ParserNet

LEVELS = 127
EPSILON = 1e-5
"""What a normalisation adds to the variance."""


def wide_state(network: ParserNet) -> dict[str, Tensor]:
    """What facexlib's BiSeNet loads in order to compute what `network` does."""
    from facexlib.parsing.bisenet import BiSeNet

    with torch.device("meta"):
        empty = BiSeNet(num_class=CLASSES).state_dict()
    # A tensor of equal values needs one number in the file.
    state = {name: torch.zeros((), dtype=like.dtype).expand(like.shape) for name, like in empty.items()}
    for name, tensor in state.items():
        if name.endswith("running_var"):
            state[name] = torch.ones(()).expand(tensor.shape)
    narrow = network.state_dict()
    for name in narrow:
        if name == "conv_out.conv_out.weight":
            state[name] = _padded(narrow[name], state[name].shape)
        elif narrow[name].dim() == 4:
            _lay(state, narrow, name)
    return state


def _lay(state: dict[str, Tensor], narrow: dict[str, Any], name: str) -> None:
    """A convolution and the normalisation behind it."""
    norm = _norm_of(name)
    weight = narrow[name].float()
    largest = torch.clamp(weight.abs().amax(dim=(1, 2, 3)), min=1e-12)
    whole = torch.round(weight / largest.reshape(-1, 1, 1, 1) * LEVELS).to(torch.int8)
    if name == "ffm.convblk.conv.weight":
        whole = _with_gap(whole)
    state[name] = _view(whole, state[name].shape)
    # In evaluation the normalisation is y = x * scale + shift; the deviation it divides by is that of the wide one, 1.
    deviation = torch.sqrt(narrow[f"{norm}.running_var"] + EPSILON)
    scale = narrow[f"{norm}.weight"] / deviation
    shift = narrow[f"{norm}.bias"] - narrow[f"{norm}.running_mean"] * scale
    wide = state[f"{norm}.weight"].shape
    state[f"{norm}.weight"] = _padded(scale * largest / LEVELS * (1 + EPSILON) ** 0.5, wide)
    state[f"{norm}.bias"] = _padded(shift, wide)


def _norm_of(name: str) -> str:
    """The normalisation behind the convolution whose weight has this name."""
    layer, last = name.removesuffix(".weight").rsplit(".", 1)
    return f"{layer}.1" if last == "0" else f"{layer}.{last.replace('conv', 'bn')}"


def _with_gap(whole: Tensor) -> Tensor:
    """The fusion's inputs as the wide network has them: the context behind all 128 channels of an eighth's size."""
    outputs, inputs = whole.shape[:2]
    wide = torch.zeros(outputs, WIDE_EIGHTH + inputs - EIGHTH, 1, 1, dtype=whole.dtype)
    wide[:, :EIGHTH], wide[:, WIDE_EIGHTH:] = whole[:, :EIGHTH], whole[:, EIGHTH:]
    return wide


def _view(block: Tensor, shape: torch.Size) -> Tensor:
    """A tensor of `shape` whose first channels are `block`'s, and whose others are whatever.

    Two channels of the same place in a row of the smaller side lie next to each other: so the view needs the larger
    side times the block's smaller one, in place of the product of both sides.
    """
    outputs, inputs, height, width = block.shape
    wide_outputs, wide_inputs, area = shape[0], shape[1], height * width
    by_output = (wide_outputs - 1) * inputs + wide_inputs
    by_input = (wide_inputs - 1) * outputs + wide_outputs
    strides = (inputs * area, area) if by_output <= by_input else (area, outputs * area)
    storage = torch.zeros(min(by_output, by_input) * area, dtype=block.dtype)
    view = storage.as_strided(tuple(shape), (*strides, width, 1))
    view[:outputs, :inputs] = block
    return view


def _padded(values: Tensor, shape: torch.Size) -> Tensor:
    """`values`, and zeros up to `shape`."""
    wide = torch.zeros(shape)
    wide[tuple(slice(side) for side in values.shape)] = values
    return wide

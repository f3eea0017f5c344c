"""Whether the face models are where they are looked for, and whole; a folder that is not there at all is not missed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from standin_batch.face.detect import EMBEDDER
from standin_batch.face.parse import FILE_NAME
from standin_batch.weights.fault import Broken, Fault, Look, shapes_in
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.onnx_header import fault_of_onnx

DETECTORS = "scrfd*.onnx"
CLASSES = "conv_out.conv_out.weight"
NUM_CLASSES = 19


def check_detector(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """The pack antelopev2: detector and embedder, directly in their folder."""
    folder = files.detector
    models = sorted(folder.glob("*.onnx"))
    nested = sorted({path.parent for path in folder.glob("*/*.onnx")})
    if nested and not models:
        move = f"mv {shlex.quote(str(nested[0]))}/*.onnx {shlex.quote(str(folder))}/"
        yield Fault(folder, f"is one folder too deep: the models are in {nested[0]}", move)
    elif folder.is_dir():
        for pattern, what in ((DETECTORS, "detector"), (EMBEDDER, "embedder")):
            if not any(folder.glob(pattern)):
                yield look.missing(folder, f"holds no face {what} ({pattern})")
    for path in models:
        faults = list(look.mistaken(path))
        if not faults and (message := fault_of_onnx(path)):
            faults.append(look.fault(path, message))
        yield from faults


def check_parser(look: Look, files: ModelFiles) -> Iterator[Fault]:
    """The face parser: a BiSeNet of 19 classes."""
    path = files.parser / FILE_NAME
    if not files.parser.is_dir():
        return
    try:
        shapes = shapes_in(path)
    except Broken as broken:
        yield look.missing(path, str(broken)) if str(broken) == "is missing" else look.fault(path, str(broken))
        return
    if shapes.get(CLASSES, ())[:1] != (NUM_CLASSES,):
        yield look.fault(path, f"is no face parser: it has no {CLASSES} of {NUM_CLASSES} classes")

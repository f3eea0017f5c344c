"""The face models of a run: one detector with its embedder, and one parser."""

from __future__ import annotations

from typing import NamedTuple

from standin_batch.face.detect import Detector
from standin_batch.face.parse import Parser


class FaceModels(NamedTuple):
    """What looks at faces.

    Attributes:
        detector: finds them, and tells one person from another.
        parser: names the parts of a head.
    """

    detector: Detector
    parser: Parser

"""A detector that knows the drawn frames it was told of: what the trained one would see if it never erred."""

from __future__ import annotations

import numpy as np

from standin_batch.face.detect import Face
from training.meaning.judges import sampled, varied
from training.meaning.likeness import SIDE, VIEW
from training.meaning.tracks import SAMPLED
from training.world.draw import draw, truth
from training.world.portrait import portrait, portrait_truth


class Oracle:
    """Finds what it was told of, in frames that are the same to the bit, and nothing in others."""

    def __init__(self):
        self.faces = {}

    def know_clip(self, scene):
        self.know(draw(scene), truth(scene), scene.character)

    def know_examples(self, seeds):
        for scene in map(varied, seeds):
            self.know(sampled(scene), truth(scene, frames=len(SAMPLED)), scene.character)

    def know_portrait(self, who):
        self.know([portrait(who, SIDE, VIEW)], [portrait_truth(who, SIDE, VIEW)], who)

    def know(self, frames, faces, who):
        for frame, face in zip(frames, faces, strict=True):
            self.faces[frame.tobytes()] = Face(face.box, face.landmarks, 1.0, embedding_of(who))

    def detect(self, image_bgr):
        face = self.faces.get(np.ascontiguousarray(image_bgr[..., ::-1]).tobytes())
        return [] if face is None else [face]


def embedding_of(who):
    """Of any length, and nearly at right angles to anybody else's."""
    seed = np.frombuffer(repr(who).encode(), np.uint8)
    return np.random.default_rng(seed).standard_normal(512).astype(np.float32)

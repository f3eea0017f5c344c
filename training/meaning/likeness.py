"""Whose face it is: portraits of everybody, and which of them a clip is most like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from standin_batch.face.detect import Detector
from standin_batch.face.swap import embedding_of
from training.meaning.tracks import Floats, unit
from training.world.character import Character
from training.world.portrait import portrait

VIEW = 7
"""Of the portraits that are compared with: another than the one that the model is shown."""
SIDE = 256
"""Pixels of these portraits; the embedder is shown 112 of a face."""


@dataclass(frozen=True)
class Gallery:
    """Characters, by their faces.

    Attributes:
        people: who.
        embeddings: one each, of length 1, `[N, 512]`.
    """

    people: tuple[Character, ...]
    embeddings: Floats

    def cosines(self, embedding: Floats) -> Floats:
        """With each of the people, `[N]`."""
        return self.embeddings @ unit(embedding)


@dataclass(frozen=True)
class Likeness:
    """How a number of clips go with the characters that they should show.

    Attributes:
        first: share of the clips that are most like their own character; one without a face is not.
        own: mean cosine with that character; None if no clip has a face.
        others: mean cosine with all others; likewise.
    """

    first: float
    own: float | None
    others: float | None


def gallery(people: Sequence[Character], detector: Detector) -> Gallery:
    """Draw a portrait of each, and look at it.

    Args:
        people: characters.
        detector: gives embeddings.

    Raises:
        NoFaceError: if it sees no face in one of them.
    """
    pictures = (Image.fromarray(portrait(each, SIDE, VIEW)) for each in people)
    return Gallery(tuple(people), np.stack([unit(embedding_of(picture, detector)) for picture in pictures]))


def likeness(found: Sequence[tuple[Floats | None, Character]], known: Gallery) -> Likeness:
    """Compare clips with everybody.

    Args:
        found: of each clip its embedding, None without a face, and who it should show; at least one.
        known: that character and others.
    """
    table = [(known.cosines(embedding), known.people.index(who)) for embedding, who in found if embedding is not None]
    own = [float(cosines[place]) for cosines, place in table]
    others = [float(np.delete(cosines, place).mean()) for cosines, place in table]
    first = sum(int(cosines.argmax()) == place for cosines, place in table)
    return Likeness(first / len(found), _mean(own), _mean(others))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None

"""How much the person in a clip is the one of the photograph: the Face Similarity of Stand-In (arXiv:2508.07901).

Pure: frames, a detector and an embedding in, numbers out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from standin_batch.face.detect import Detector, Face

Embedding = npt.NDArray[np.float32]
LOW = 10
"""The percentile that tells of a clip's worst moments without hanging on a single frame."""


def likeness(
    frames: Sequence[npt.NDArray[np.uint8]], identity: Embedding, detector: Detector
) -> dict[str, float | None]:
    """The face scores of a clip, as `table.SCORES` has them.

    Of several people in a frame the one most like the identity counts. Frames without a face have no part in the
    cosines, so `face_frames` belongs to them: a clip that shows the person in a single frame may have high ones.

    Args:
        frames: sampled, uint8 `[H, W, 3]`, RGB; at least one.
        identity: `[512]`, any length: of the photograph.
        detector: gives embeddings.

    Returns:
        The cosines are None if no frame has a face.
    """
    found = [_most_like(detector.detect(np.ascontiguousarray(frame[..., ::-1])), identity) for frame in frames]
    cosines = [cosine for cosine in found if cosine is not None]
    return {
        "face_similarity": float(np.mean(cosines)) if cosines else None,
        "face_similarity_min": min(cosines, default=None),
        "face_similarity_p10": float(np.percentile(cosines, LOW)) if cosines else None,
        "face_frames": len(cosines) / len(frames),
    }


def cosine(one: Embedding, other: Embedding) -> float:
    """The cosine of the angle between two embeddings, `[512]`; 0 where one has no length."""
    lengths = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0


def _most_like(faces: Sequence[Face], identity: Embedding) -> float | None:
    cosines = (cosine(face.embedding, identity) for face in faces if face.embedding is not None)
    return max(cosines, default=None)

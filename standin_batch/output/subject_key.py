"""The name of a prepared subject image, by all that decides it: the run makes it, the gallery finds it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from standin_batch.fingerprint import digest
from standin_batch.weights.content import FACE

PREPARATION = 2
"""Raised when the same image and options come to be prepared in another way."""

KEY_LENGTH = 16
"""Hexadecimal digits."""


def subject_key(fingerprint: Mapping[str, str], face_weights: str | None) -> str:
    """The key of a prepared subject: the stem of its file in `OutputLayout.subjects`.

    Args:
        fingerprint: as `job.Subject.fingerprint` gives it.
        face_weights: digest of the face models; None where the job has none.
    """
    return digest([PREPARATION, dict(fingerprint), face_weights])[:KEY_LENGTH]


def recorded_key(record: Mapping[str, Any]) -> str | None:
    """The key of the subject that a record was made with; None without an identity, or where it does not say."""
    image, kind = record.get("identity_sha256"), record.get("identity_kind")
    weights = record.get("weights")
    if not isinstance(image, str) or not isinstance(kind, str) or not isinstance(weights, Mapping):
        return None
    found = {"image": image, "kind": kind}
    if kind != "subject":
        found["on_no_face"] = str(record.get("identity_on_no_face"))
    return subject_key(found, weights.get(FACE))

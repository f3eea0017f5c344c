"""Names of files in a data set: readable, unique, and none that `datasets` takes for a split."""

from __future__ import annotations

import re

from standin_batch.output.split_words import told_apart

MAX_STEM_BYTES = 180
"""Of a name without its id and suffix; file systems end at 255."""

_UNSAFE = re.compile(r"[^\w.+-]+")


def video_name(path: str, job_id: str) -> str:
    """The name of a video that lies at `path` in its output folder, without suffix; the id makes it unique.

    Args:
        path: of the mp4.
        job_id: of its job.
    """
    stem = path.rpartition("/")[2].rpartition(".")[0]
    return _named(stem.removesuffix(job_id).rstrip("-_."), job_id)


def reference_name(identity: str, key: str) -> str:
    """The name of the picture of an identity, without suffix.

    Args:
        identity: name of the identity.
        key: that no other picture has.
    """
    return _named(identity, key)


def _named(text: str, unique: str) -> str:
    safe = _UNSAFE.sub("_", text).strip("._-").encode()[:MAX_STEM_BYTES].decode(errors="ignore")
    return told_apart("-".join(part for part in (safe, _UNSAFE.sub("_", unique)) if part))

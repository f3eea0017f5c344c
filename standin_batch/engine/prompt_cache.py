"""Encoded prompts on disk: one file for each text and encoder, bounded, shared by all runs of a user.

A cache may lose anything and never spoil anything: what cannot be read, or is not what was written, is not there; what
cannot be written is encoded again the next time.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from standin_batch.digests import cache_folder
from standin_batch.environment.processor import processor
from standin_batch.errors import StandinError
from standin_batch.files import replace_atomic
from standin_batch.fingerprint import digest

logger = logging.getLogger(__name__)

FORMAT = 1
"""Of the files; another number when they come to hold something else."""

MOST_BYTES = 2 << 30
MOST_FILES = 100_000

SLACK = 0.9
"""Share of the bounds that is left when they were passed, so that the folder is not looked through for every prompt."""

WRITES = 256
"""Files that are written between two looks at the bounds."""

_SUFFIX = ".safetensors"
_CONTEXT, _LENGTH, _CHECK = "context", "length", "sha256"


@dataclass(frozen=True)
class EncodedBy:
    """What decides an encoded prompt besides its text.

    Attributes:
        weights: content of text encoder and tokenizer.
        dtype: `float32` or `bfloat16`.
        device: which kind it was, and how it computes.
        libraries: and their versions.
    """

    weights: str
    dtype: str
    device: str
    libraries: tuple[tuple[str, str], ...]

    def key(self, text: str) -> str:
        """64 hexadecimal digits for `text` encoded by this."""
        return digest({"format": FORMAT, "text": text, **asdict(self)})


def libraries() -> tuple[tuple[str, str], ...]:
    """Those that decide an encoded prompt, and their versions."""
    return tuple((name, version(name)) for name in ("torch", "diffsynth", "transformers"))


def device_kind(device: str) -> str:
    """What computes on `device` (as torch names it), as far as it decides bits."""
    precision = torch.get_float32_matmul_precision()
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, {precision}"
    kind = f"{processor()}, {torch.backends.cpu.get_cpu_capability()}"
    return f"{kind}, {torch.get_num_threads()} threads, {precision}"


@dataclass(frozen=True)
class CachedFile:
    """A file of the cache: its name, its bytes, and when it was used last, in nanoseconds."""

    name: str
    size: int
    used: int


def surplus(files: Sequence[CachedFile], most_bytes: int, most_files: int) -> list[str]:
    """Names of those that go, the longest unused first: none within the bounds, else until `SLACK` of them is left."""
    size, count = sum(file.size for file in files), len(files)
    if size <= most_bytes and count <= most_files:
        return []
    gone = []
    for file in sorted(files, key=lambda file: file.used):
        if size <= most_bytes * SLACK and count <= most_files * SLACK:
            break
        gone.append(file.name)
        size, count = size - file.size, count - 1
    return gone


class PromptCache:
    """A folder of encoded prompts.

    Args:
        folder: made with the first file.
        most_bytes: of all its files.
        most_files: that it holds.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES) -> None:
        self.folder, self._most, self._written = folder, (most_bytes, most_files), 0

    @classmethod
    def default(cls) -> PromptCache:
        """The cache of this user."""
        return cls(cache_folder() / "prompts")

    def get(self, key: str) -> torch.Tensor | None:
        """The context [1, 512, text_dim] that was put there under `key`, to the bit; None without a sound one."""
        path = self.folder / f"{key}{_SUFFIX}"
        try:
            with safe_open(path, framework="pt") as file:
                found, kept = file.metadata() or {}, file.get_tensor(_CONTEXT)
            length = int(found[_LENGTH])
            if found[_CHECK] != _check(kept, length):
                return None
        except (OSError, SafetensorError, KeyError, ValueError, RuntimeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return torch.nn.functional.pad(kept, (0, 0, 0, length - len(kept)))[None]

    def put(self, key: str, context: torch.Tensor) -> None:
        """Keep `context` [1, 512, text_dim], which lies on the CPU, without the zeros behind its last token."""
        kept, length = _without_padding(context[0]), context.shape[1]
        metadata = {_LENGTH: str(length), _CHECK: _check(kept, length)}
        try:
            with replace_atomic(self.folder / f"{key}{_SUFFIX}") as temporary:
                save_file({_CONTEXT: kept}, temporary, metadata)
            self._written += 1
            if self._written % WRITES == 1:
                self._trim()
        except (OSError, StandinError, SafetensorError) as error:
            logger.warning("an encoded prompt is not kept in %s, and will be encoded again: %s", self.folder, error)

    def _trim(self) -> None:
        """Remove what has not been used for long, where there is too much; also what killed runs left."""
        with os.scandir(self.folder) as entries:
            found = [(entry.name, entry.stat()) for entry in entries]
        files = [CachedFile(name, status.st_size, status.st_mtime_ns) for name, status in found]
        for name in surplus(files, *self._most):
            (self.folder / name).unlink(missing_ok=True)


def _without_padding(rows: torch.Tensor) -> torch.Tensor:
    """`rows` [512, text_dim] up to the last one with a bit that is set."""
    used = rows.contiguous().view(torch.uint8).any(dim=1).nonzero()
    return rows[: int(used.max()) + 1 if len(used) else 0].contiguous()


def _check(kept: torch.Tensor, length: int) -> str:
    """SHA-256 of all that a context is made of."""
    found = hashlib.sha256(f"{kept.dtype} {tuple(kept.shape)} {length} ".encode())
    found.update(kept.contiguous().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()

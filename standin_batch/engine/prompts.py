"""The encoded prompts of an engine: those of the jobs at hand in memory, all of them on disk where there is a cache."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import torch

from standin_batch.digests import DigestCache
from standin_batch.engine.prompt_cache import EncodedBy, PromptCache, device_kind, libraries
from standin_batch.fingerprint import digest
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.stand_ins import source_sha256


class Prompts:
    """The contexts of prompts: [1, 512, text_dim] each, on the CPU.

    Args:
        files: of the model.
        dtype: `float32` or `bfloat16`.
        device: that encodes, as torch names it.
        cache: remembers between runs; None without one.
    """

    def __init__(self, files: ModelFiles, dtype: str, device: str, cache: PromptCache | None) -> None:
        self._files, self._dtype, self._device, self._cache = files, dtype, device, cache
        self._contexts: dict[str, torch.Tensor] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        """Those at hand."""
        return tuple(self._contexts)

    def of(self, text: str) -> torch.Tensor:
        """The context of a prompt that is at hand."""
        return self._contexts[text]

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Those of `texts` that have to be encoded; the others are at hand afterwards."""
        return [text for text in dict.fromkeys(texts) if text not in self._contexts and not self._recalled(text)]

    def add(self, text: str, context: torch.Tensor) -> None:
        """Have what was encoded at hand, and in the cache."""
        self._contexts[text] = context.cpu()
        if self._cache is not None and self._encoded_by is not None:
            self._cache.put(self._encoded_by.key(text), self._contexts[text])

    def keep(self, texts: Iterable[str]) -> None:
        """Forget all but these, which are at hand."""
        self._contexts = {text: self._contexts[text] for text in texts}

    def _recalled(self, text: str) -> bool:
        if self._cache is None or self._encoded_by is None:
            return False
        found = self._cache.get(self._encoded_by.key(text))
        if found is not None:
            self._contexts[text] = found
        return found is not None

    @cached_property
    def _encoded_by(self) -> EncodedBy | None:
        """None where the files cannot be read, which is said when they are loaded."""
        cache = DigestCache.default()
        try:
            weights = digest([source_sha256(path, cache) for path in self._files.text_encoding()])
        except OSError:
            return None
        return EncodedBy(weights, self._dtype, device_kind(self._device), libraries())

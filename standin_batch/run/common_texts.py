"""Texts that several processes of one run need: each is encoded by one of them, and the others find it on the disk."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from standin_batch.locks.heartbeat import Rest
from standin_batch.locks.held import HeldError
from standin_batch.locks.lock import exclusive
from standin_batch.plan.plan import Plan
from standin_batch.plan.state import ModelKey, different_texts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CommonTexts:
    """What several need.

    Attributes:
        folder: where all of them see what was encoded.
        texts: by the model that encodes them.
    """

    folder: Path
    texts: Mapping[ModelKey, tuple[str, ...]]

    def of(self, model: ModelKey) -> tuple[str, ...]:
        """Those that `model` encodes."""
        return self.texts.get(model, ())

    def lock(self, model: ModelKey) -> Path:
        """Held by the one that encodes those of `model`."""
        return self.folder / f"{'-'.join(model)}.lock"

    @contextmanager
    def alone(self, model: ModelKey, rest: Rest) -> Iterator[None]:
        """Within the block no other process encodes those of `model`; whoever does is waited for.

        Where that cannot be told, nobody is waited for: to encode twice gives the same, and costs less than to end.

        Args:
            model: that encodes them.
            rest: waits for so many seconds between two looks; what it raises ends the waiting.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(exclusive(self.lock(model), lambda _: None, rest))
            except (OSError, HeldError) as error:
                logger.info("common prompts are encoded without a lock: %s", error)
            yield


def common_texts(shards: Iterable[Plan]) -> dict[ModelKey, tuple[str, ...]]:
    """The texts that more than one of `shards` needs, in the order in which they come."""
    found: dict[ModelKey, Counter[str]] = {}
    for shard in shards:
        for model, texts in different_texts(item.job for item in shard.to_run).items():
            found.setdefault(model, Counter()).update(texts.keys())
    common = {model: tuple(text for text, number in texts.items() if number > 1) for model, texts in found.items()}
    return {model: texts for model, texts in common.items() if texts}

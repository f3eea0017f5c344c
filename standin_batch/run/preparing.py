"""Something slow that is no job: said when it begins, and how long it took when it has ended well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from standin_batch.run.events import Listener, Prepared, Preparing


@contextmanager
def preparing(emit: Listener, what: str) -> Iterator[None]:
    """The block in which it happens.

    Args:
        emit: is told.
        what: it is, in words.
    """
    emit(Preparing(what))
    start = time.monotonic()
    yield
    emit(Prepared(what, time.monotonic() - start))

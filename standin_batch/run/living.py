"""Which runs of the journals are at work: by their processes here, and by signs of life on other machines."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime

from standin_batch.locks.alive import is_alive
from standin_batch.locks.holder import Holder
from standin_batch.locks.lock import holder
from standin_batch.output.layout import OutputLayout, safe_name
from standin_batch.run.journal import Run
from standin_batch.run.journals import runs
from standin_batch.run.posts import Post, at_work


def living(layout: OutputLayout, posts: tuple[Post, ...] | None = None) -> tuple[Run, ...]:
    """The runs at work in an output folder, oldest first.

    Args:
        layout: of the output folder.
        posts: of the workers at work, where they are known already.
    """
    open_ones = [run for run in runs(layout.journals) if run.ended is None]
    if not open_ones:
        return ()
    holders = {post.name: post.holder for post in (at_work(layout) if posts is None else posts)}
    return tuple(run for run in open_ones if _lives(run, layout, holders))


def _lives(run: Run, layout: OutputLayout, holders: Mapping[str, Holder]) -> bool:
    if run.worker:
        found = holders.get(safe_name(run.worker))
        return found is not None and _is_of(run, found)
    if run.host == socket.gethostname():
        return is_alive(run.pid, run.born)
    found = holder(layout.lock)
    return found is not None and (found.host, found.pid, found.born) == (run.host, run.pid, run.born)


def _is_of(run: Run, post: Holder) -> bool:
    """Whether a post is held for a run: by its process, or by one that stands in for a machine without the folder.

    An earlier worker of that name had begun before the post was taken.
    """
    if (run.host, run.pid) == (post.host, post.pid):
        return run.born == post.born
    return datetime.fromisoformat(post.since).timestamp() <= run.started

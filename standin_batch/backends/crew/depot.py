"""The depot: the driver's end of the way to workers that do not see its files, and back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress

from standin_batch.backends.crew.freight import Content, Freight, Freighter
from standin_batch.backends.crew.landing import Landing
from standin_batch.backends.crew.news import Sent
from standin_batch.output.layout import OutputLayout
from standin_batch.plan.plan import Plan
from standin_batch.run.posts import at_post


class Depot:
    """What comes and goes between an output folder and workers; in the folder it stands in for them.

    Args:
        layout: of the output folder.
        put: gives what stands for a content on the way.
    """

    def __init__(self, layout: OutputLayout, put: Callable[[bytes], Content] = lambda content: content) -> None:
        self._layout, self._landing, self._freighter = layout, Landing(layout), Freighter(layout, put)
        self._posts: dict[str, ExitStack] = {}

    def joins(self, worker: str) -> None:
        """A worker is there: others who look into the folder see that it is at work."""
        self._posts[worker] = stack = ExitStack()
        with suppress(OSError):  # a full disk is told by what has to be written
            stack.enter_context(at_post(self._layout, worker))

    def leaves(self, worker: str) -> None:
        """A worker is gone."""
        self._freighter.forget(worker)
        if worker in self._posts:
            self._posts.pop(worker).close()

    def close(self) -> None:
        """All are gone."""
        for worker in list(self._posts):
            self.leaves(worker)

    def load(self, worker: str, plan: Plan) -> Freight:
        """What goes to a worker with a parcel."""
        return self._freighter.load(worker, plan)

    def receive(self, sent: Sent) -> None:
        """Put into the output folder what a worker has sent; raises as `Landing.receive` does."""
        self._landing.receive(sent)

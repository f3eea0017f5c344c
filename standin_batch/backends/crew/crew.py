"""A crew: workers somewhere, as whoever leads them reaches them."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from standin_batch.backends.crew.news import News, Sent
from standin_batch.plan.plan import Plan


class Crew(Protocol):
    """Workers somewhere. Within it as a context they can be reached; leaving it ends at once those that are left.

    Attributes:
        advice: what to do where no worker comes.
    """

    advice: str

    def hire(self, most: int) -> None:
        """Ask for workers where there is a place for one, until there are `most`."""
        ...

    def hear(self, seconds: float) -> list[tuple[str, News]]:
        """What workers tell, each with its name, in the order in which they do; waited for so long at most."""
        ...

    def give(self, worker: str, plan: Plan, ahead: tuple[str, ...]) -> None:
        """Have a worker make a parcel; `ahead` are texts of what may follow."""
        ...

    def receive(self, sent: Sent) -> None:
        """Put into the output folder what a worker has sent."""
        ...

    def stop(self, reason: str) -> None:
        """Ask all workers to save what they have, and to end."""
        ...

    def __enter__(self) -> Crew: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

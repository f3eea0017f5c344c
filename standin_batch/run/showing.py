"""The gallery of a run at work: written anew now and then, and at its end. That it cannot be written costs no video."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from standin_batch.output.gallery import Throttle, write_gallery
from standin_batch.output.layout import OutputLayout
from standin_batch.run.done import done_in
from standin_batch.run.failed_jobs import failed_jobs

logger = logging.getLogger(__name__)


@dataclass
class Showing:
    """Shows what a run has made.

    Attributes:
        layout: of the output folder.
        total: jobs of the manifest, where no run has written down which these are.
    """

    layout: OutputLayout
    total: int | None = None
    _throttle: Throttle = field(default_factory=Throttle, repr=False)

    @property
    def is_stale(self) -> bool:
        """Whether the page is older than the records, or believes that a run is at work, as a killed one leaves it."""
        try:
            if self.layout.gallery.stat().st_mtime < self.layout.records.stat().st_mtime:
                return True
            return '"running":true' in self.layout.gallery_news.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return True

    def refresh(self) -> None:
        """Show what there is by now, if it is time to."""
        began = time.monotonic()
        if self._throttle.is_due(began):
            try:
                self.write(running=True)
            except Exception:
                logger.warning("the gallery could not be written", exc_info=True)
            self._throttle.wrote(began, time.monotonic())

    def write(self, *, running: bool) -> int:
        """Show what there is; returns how many videos.

        Raises:
            OSError: if it cannot be written.
        """
        done = done_in(self.layout)
        total = self.total if done.total is None else done.total
        return write_gallery(self.layout, failed_jobs(self.layout), running=running, done=len(done.ids), total=total)

"""Which files of a needed set are missing: what the hub lists of it, without what is here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from standin_batch.weights.download_events import Asking, DownloadListener, DownloadWarned
from standin_batch.weights.hub import HubError, HubUnreachable, Listing, listing
from standin_batch.weights.item import Item, item_of
from standin_batch.weights.ledger import Ledger
from standin_batch.weights.sources import UNPINNED, Source
from standin_batch.weights.stock import Stock, chosen


@dataclass
class Missing:
    """Asks once for each source.

    Attributes:
        root: of the checkpoints.
        tell: is told who is asked, and what will be replaced.
    """

    root: Path
    tell: DownloadListener
    _listings: dict[tuple[str, str], Listing] = field(default_factory=dict)
    _silent: HubUnreachable | None = None

    def of(self, stocked: Stock) -> list[Item]:
        """The missing files of a set.

        Raises:
            HubError: if the hub cannot say what there is, or has nothing of it.
        """
        source, files = stocked.need.source, stocked.need.files
        there = self._listing(source)
        names = chosen(files, there.files)
        if not names:
            raise HubError(f"{source.name} has no {files.names[0]} at {there.revision}", f"look at {source.page}")
        items = [item_of(self.root, stocked, there.files[name], there.revision) for name in names]
        return [item for item in items if not self._is_here(item, stocked)]

    def _is_here(self, item: Item, stocked: Stock) -> bool:
        if item.remote.name not in stocked.here:
            return False
        size = item.target.stat().st_size
        if item.remote.size in (None, size):
            return True
        told = f"{item.target} has {size} bytes, not {item.remote.size}: it will be replaced"
        self.tell(DownloadWarned(told, "to keep it, stop here and move it away"))
        return False

    def _listing(self, source: Source) -> Listing:
        revision = self._revision(source)
        key = (source.repository or source.url, revision)
        if key not in self._listings:
            if source.repository and self._silent is None:
                self.tell(Asking(source.repository))
            self._listings[key] = self._asked(source, revision)
        return self._listings[key]

    def _asked(self, source: Source, revision: str) -> Listing:
        """What the hub says; if it has not answered once, it is not waited for again."""
        if source.repository and self._silent is not None:
            raise self._silent
        try:
            return listing(source, revision)
        except HubUnreachable as error:
            self._silent = error
            raise

    def _revision(self, source: Source) -> str:
        """The pin or, that the files of a source fit together, the commit of those that are here."""
        if source.revision != UNPINNED:
            return source.revision
        entries = Ledger(self.root).entries().values()
        there = [each.revision for each in entries if each.source == source.name and (self.root / each.file).exists()]
        return next((each for each in reversed(there) if each), source.revision)

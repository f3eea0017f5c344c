"""Landing: what workers send that do not see the output folder, put into it by the driver; nothing outside of it."""

from __future__ import annotations

import contextlib
from pathlib import Path, PurePosixPath

from standin_batch.backends.crew.news import Sent
from standin_batch.errors import NotReadyError
from standin_batch.files import write_atomic
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputError
from standin_batch.output.video import VideoError, read_metadata
from standin_batch.run.failure import ENDING, FailureKind, kind_of
from standin_batch.run.journal import Sink, file_sink
from standin_batch.run.outcomes import RunEnded


class Landing:
    """Puts into an output folder what is sent.

    Args:
        layout: of the folder.
    """

    def __init__(self, layout: OutputLayout) -> None:
        self._layout = layout
        self._lines: dict[Path, Sink] = {}

    def receive(self, sent: Sent) -> None:
        """Write a file whole, remove one, or put a line behind those of another.

        Raises:
            RunEnded: if the folder cannot be written, or the path leads out of it.
        """
        try:
            path = place(self._layout.folder, sent.path)
            if sent.is_line:
                self._append(path, sent.content or b"")
            elif sent.content is None:
                path.unlink(missing_ok=True)
            else:
                self._disown(path)
                write_atomic(path, sent.content)
        except (OSError, NotReadyError) as error:
            kind = kind_of(error)
            raise RunEnded((kind if kind in ENDING else FailureKind.MACHINE).value, str(error)) from error

    def _append(self, path: Path, line: bytes) -> None:
        if path not in self._lines:
            self._lines[path] = file_sink(path)
        # As journals and logs see it: what cannot be written costs a line, and never the run.
        with contextlib.suppress(OSError):
            self._lines[path](line.decode(errors="replace"))

    def _disown(self, path: Path) -> None:
        """A record must never speak of another video: that of a video which is replaced goes before it."""
        if path.is_relative_to(self._layout.videos) and path.is_file():
            with contextlib.suppress(VideoError):
                owner = str(read_metadata(path).get("job_id"))
                if owner.isalnum():
                    self._layout.record(owner).unlink(missing_ok=True)


def place(folder: Path, name: PurePosixPath) -> Path:
    """The path of a file below the output folder.

    Raises:
        OutputError: if `name` leads out of it, by itself or through a link.
    """
    inside = bool(name.parts) and not name.is_absolute() and ".." not in name.parts and "\0" not in str(name)
    if not inside or not (folder / name).parent.resolve().is_relative_to(folder.resolve()):
        raise OutputError(
            f"a worker has sent {str(name)!r}, which leads out of {folder}", "look whether links lead out"
        )
    return folder / name

"""What happens during a download, as values: the console draws them, and `--json` prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Waiting:
    """Another process downloads into the same folder; this one goes on when that one is done."""

    folder: str


@dataclass(frozen=True)
class Asking:
    """The hub is asked what a repository holds."""

    repository: str


@dataclass(frozen=True)
class DownloadStarted:
    """It is known what has to come: so many files and bytes, of which some came before a cut; others are here."""

    folder: str
    files: int
    bytes: int
    resumed_bytes: int
    here: int


@dataclass(frozen=True)
class FileStarted:
    """A file begins, with what an earlier download had of it; its size may be unknown."""

    file: str
    size: int | None
    done: int


@dataclass(frozen=True)
class FileProgress:
    """So many bytes of a file are here."""

    file: str
    size: int | None
    done: int


@dataclass(frozen=True)
class FileRetried:
    """The connection was lost; it is tried again after a pause, from where it stopped."""

    file: str
    reason: str
    pause: float


@dataclass(frozen=True)
class FileChecked:
    """All bytes of a file are here and its digest is being computed."""

    file: str


@dataclass(frozen=True)
class FileDone:
    """A file is verified and under its final name; `linked_to` says where a file lies that was here already."""

    file: str
    size: int
    sha256: str
    linked_to: str = ""


@dataclass(frozen=True)
class FileFailed:
    """A file could not be had."""

    file: str
    error: str
    hint: str


@dataclass(frozen=True)
class DownloadWarned:
    """Something that the user should know."""

    message: str
    hint: str = ""


@dataclass(frozen=True)
class DownloadFinished:
    """It is over: files that came, were linked, were here, and could not be had."""

    folder: str
    fetched: int
    linked: int
    here: int
    failed: int
    seconds: float


DownloadEvent: TypeAlias = (
    Waiting
    | Asking
    | DownloadStarted
    | FileStarted
    | FileProgress
    | FileRetried
    | FileChecked
    | FileDone
    | FileFailed
    | DownloadWarned
    | DownloadFinished
)
DownloadListener: TypeAlias = Callable[[DownloadEvent], None]

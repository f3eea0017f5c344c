"""What lies under the name of a weight file without being one: seen from its first bytes."""

from __future__ import annotations

from pathlib import Path

LFS_POINTER = b"version https://git-lfs"
PAGE_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head")
LOOKED_AT = 512
LONGEST_ANSWER = 4096
"""Bytes; a server's refusal in words is shorter, a file of weights longer."""
LONGEST_QUOTE = 60


def mistaken(path: Path) -> str:
    """What the file at `path` is instead of weights, to follow its name; empty if nothing speaks against it.

    Raises:
        OSError: if it cannot be read.
    """
    if path.is_symlink() and not path.exists():
        return f"is a link to {path.readlink()}, which is not there"
    if not path.exists():
        return "is missing"
    if not path.is_file():
        return "is no file"
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
    if size == 0:
        return "is empty"
    if not any(start):
        return "begins with zeros only: it was never written whole"
    if start.startswith(LFS_POINTER):
        return "is a pointer of Git LFS, not the file itself"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGE_STARTS):
        return "is a web page, not the file: the server answered in words"
    if size <= LONGEST_ANSWER and path.suffix != ".json" and (words := _words(start)):
        return f"holds words, not weights: {words!r}"
    return ""


def _words(start: bytes) -> str:
    try:
        text = " ".join(start.decode("utf-8").split())
    except UnicodeDecodeError:
        return ""
    return text[:LONGEST_QUOTE] if text.isprintable() else ""

"""Input files named in a manifest: found, readable, and within `--input-root` where there is one."""

from __future__ import annotations

import contextlib
import os
import re
from difflib import get_close_matches
from pathlib import Path

from standin_batch.manifest.checking import INVALID
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.source import Mark, Source
from standin_batch.manifest.words import clip

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:data|hf|s3|file):")
MAX_LOOKED_AT = 2_000


def is_url(text: str) -> bool:
    """Whether `text` names something on a network."""
    return bool(_URL.match(text))


class InputFiles:
    """Turns what a manifest writes into absolute paths; each path is looked at once."""

    def __init__(self, root: Path | None, problems: Problems) -> None:
        self.root = root.resolve() if root is not None else None
        self._problems = problems
        self._seen: dict[Path, tuple[str, str] | None] = {}

    def find(self, text: str, mark: Mark, what: str) -> Path:
        """The absolute path of `text`, relative to the file that wrote it; INVALID after a located problem."""
        wrong = unusable(text)
        if wrong:
            self._problems.add(mark.problem(*wrong))
            return INVALID
        path = located(text, mark.source)
        if path not in self._seen:
            self._seen[path] = self._look(path, text)
        if wrong := self._seen[path]:
            self._problems.add(mark.problem(f"{what} '{clip(text)}' {wrong[0]}", wrong[1]))
            return INVALID
        return path

    def exists(self, text: str, mark: Mark) -> bool:
        """Whether `text` is the path of a file; no problem if not."""
        return unusable(text) is None and os.path.isfile(located(text, mark.source))  # noqa: PTH113 - never raises

    def _look(self, path: Path, text: str) -> tuple[str, str] | None:
        """What is wrong with `path`, if anything. What lies outside of the root is not even looked for."""
        try:
            if self.root is not None and not path.resolve().is_relative_to(self.root):
                return "is outside of the input root", f"`--input-root` allows only files below {self.root}"
            if path.is_dir():
                return "is a folder", "name a file in it"
            if not path.exists():
                return "does not exist", self._nearest(path, text)
            if not path.is_file():
                return "is not a regular file", ""
            return None if os.access(path, os.R_OK) else ("cannot be read", "check its permissions")
        except (OSError, RuntimeError) as error:
            return f"cannot be looked at: {error}", ""

    def _nearest(self, path: Path, text: str) -> str:
        if self._problems.full:
            return ""
        if not path.parent.is_dir():
            return f"there is no folder {path.parent}"
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry, _ in zip(entries, range(MAX_LOOKED_AT), strict=False)]
        near = get_close_matches(path.name, names, n=1, cutoff=0.75)
        return f"did you mean `{text[: -len(path.name)]}{near[0]}`?" if near else f"looked for {path}"


def unusable(text: str) -> tuple[str, str] | None:
    """Why `text` cannot be the path of a file on this machine."""
    if is_url(text):
        return f"'{clip(text)}' is a URL", "download it first and name the file: nothing is fetched while running"
    if not text.strip() or "\0" in text:
        return "this is no path", "name a file"
    if any(len(part.encode("utf-8", "surrogatepass")) > 255 for part in text.split("/")) or len(text) > 4_000:
        return f"'{clip(text)}' is too long for a path", ""
    return None


def located(text: str, source: Source) -> Path:
    """The absolute path that `text`, written in `source`, stands for."""
    path = Path(text)
    if text.startswith("~"):
        with contextlib.suppress(RuntimeError):  # `~nobody`
            path = path.expanduser()
    return Path(os.path.abspath(source.folder / path))  # noqa: PTH100 - symlinks stay as they are written

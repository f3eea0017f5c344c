"""`include`: several files become one tree. Jobs concatenate, included ones first; elsewhere the includer wins.

Every node keeps the file that wrote it, so paths and messages stay right.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from standin_batch.manifest.checking import INVALID
from standin_batch.manifest.paths import InputFiles
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.reader import read_file
from standin_batch.manifest.source import Mark, Node, listing, mapping
from standin_batch.manifest.variables import substitute
from standin_batch.manifest.words import clip, show

MAX_DEPTH = 16
MAX_FILES = 1_000

MERGED = ("output", "run", "faces", "defaults", "identities", "loras", "videos", "prompts")
"""Sections whose entries are taken one by one; of the others the includer's replaces the included one's."""


class Includes:
    """Reads a manifest and all that it includes."""

    def __init__(self, environ: Mapping[str, str], files: InputFiles, problems: Problems) -> None:
        self._environ = environ
        self._files = files
        self._problems = problems
        self._above: list[tuple[Path, Mark]] = []
        self._read: set[Path] = set()
        self.trees: list[Node] = []

    def read(self, path: Path, name: str, mark: Mark | None = None) -> Node | None:
        """The tree of `path` with what it includes; None when nothing of it can be used."""
        found = read_file(path, name, self._problems)
        if found is None:
            return None
        tree = self._root(substitute(found, self._environ, self._problems))
        if tree is None:
            return None
        self.trees.append(tree)
        self._read.add(_identity(path))
        self._above.append((_identity(path), mark or tree.mark))
        result = self._with_included(tree, name)
        self._above.pop()
        return result

    def _root(self, found: Node) -> Node | None:
        if found.is_map:
            return found
        at = found.mark.source.mark(1, 1, 1) if found.value is None else found.mark
        what = "the manifest is empty" if found.value is None else f"a manifest is a mapping, not {show(found.data())}"
        self._problems.add(at.problem(what, "it begins with `version: 1`; the README shows a first one"))
        return None

    def _with_included(self, tree: Node, name: str) -> Node:
        entry = tree.entries.get("include")
        if entry is None:
            return tree
        below: Node | None = None
        for item in entry.items if entry.is_list else (entry,):
            included = self._included(item, name)
            if included is not None:
                below = included if below is None else combined(below, included)
        return tree if below is None else combined(below, tree)

    def _included(self, item: Node, name: str) -> Node | None:
        if not isinstance(item.value, str):
            hint = "write `include: [common.yaml]`"
            self._problems.add(item.mark.problem(f"`include` takes names of files, not {show(item.data())}", hint))
            return None
        path = self._files.find(item.value, item.mark, "the file")
        if path is INVALID:
            return None
        if wrong := self._refused(path):
            self._problems.add(item.mark.problem(wrong))
            return None
        if _identity(path) in self._read:
            return None
        return self.read(path, shown_path(name, item.value), item.mark)

    def _refused(self, path: Path) -> str:
        for above, mark in self._above:
            if above == _identity(path):
                here = "this very file" if above == self._above[-1][0] else f"{path.name}, which includes this one"
                via = "" if above == self._above[-1][0] or mark.line == 0 else f" (through {self._above[-1][1]})"
                return f"a circle: this includes {here}{via}"
        if len(self._above) >= MAX_DEPTH:
            return f"included files are nested deeper than {MAX_DEPTH}; the first of them at {self._above[1][1]}"
        return f"more than {MAX_FILES:,} included files" if len(self._read) >= MAX_FILES else ""


def combined(below: Node, above: Node) -> Node:
    """Two trees as one, `above` winning."""
    entries, keys = {**below.entries}, {**below.keys}
    for key, node in above.entries.items():
        entries[key] = _both(key, below.entries[key], node) if key in below.entries else node
        keys[key] = above.key_mark(key)
    return mapping(entries, keys, above.mark)


def _both(key: str, below: Node, above: Node) -> Node:
    if key == "jobs" and below.is_list and above.is_list:
        return listing((*below.items, *above.items), above.mark)
    if key in MERGED and below.is_map and above.is_map:
        return replace(above, value={**below.entries, **above.entries}, keys={**below.keys, **above.keys})
    return above


def _identity(path: Path) -> Path:
    return Path(os.path.realpath(path))


def shown_path(includer: str, written: str) -> str:
    """How messages name an included file: as seen from where the user stands."""
    return clip(os.path.normpath(os.path.join(os.path.dirname(includer), os.path.expanduser(written))), 200)  # noqa: PTH111, PTH118, PTH120

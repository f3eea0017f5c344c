"""YAML text -> nodes that know their place: the event stream, read one event at a time and within limits.

Nothing recurses and nothing is constructed but plain data, so no text can overflow the stack, fill the memory or make
an object. What libyaml calls a mistake is put into words in `syntax`; what values mean is the schema's business.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from standin_batch.manifest import scalars, syntax
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.source import Mark, Node, Source, listing, mapping, scalar
from standin_batch.manifest.words import clip

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 1_000_000
"""Values in a file, each alias counted as all that it stands for: what a YAML bomb runs into."""

Event: TypeAlias = Any
"""An event of PyYAML, whose classes declare no attributes."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_TEXT_TAG = _STANDARD + "str"
_HARMLESS = frozenset(_STANDARD + name for name in ("str", "int", "float", "bool", "null", "seq", "map"))
# What YAML does not allow in a text, from its specification (5.1).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_file(path: Path, name: str, problems: Problems) -> Node | None:
    """The root of the YAML file `path`, which messages call `name`; None after a problem that ends the reading."""
    here = Source(name, path.parent, "", numbered=False).mark()
    try:
        with path.open("rb") as file:  # not by its size: a pipe and a device have none
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        problems.add(here.problem(*unreadable(error)))
        return None
    if len(content) > MAX_BYTES:
        hint = "long lists of prompts belong in a prompt file"
        problems.add(here.problem(f"the file is larger than {MAX_BYTES >> 20} MiB", hint))
        return None
    text = decode(content, name, path.parent, problems)
    return None if text is None else read_text(Source(name, path.parent, text), problems)


def unreadable(error: OSError) -> tuple[str, str]:
    """Why a file cannot be read, in a user's words, and what to do."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file", "look at its path; the README shows a first manifest"
    if isinstance(error, IsADirectoryError):
        return "this is a folder, not a file", "name the manifest in it"
    return f"the file cannot be read: {(error.strerror or str(error)).lower()}", ""


def decode(content: bytes, name: str, folder: Path, problems: Problems) -> str | None:
    """`content` as text: UTF-8, or UTF-16 as Windows writes it; None after a located problem."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-16" if wide else "utf-8-sig", "replace")
        text = before + content[error.start : error.start + 200].decode("latin-1")
        lines = Source(name, folder, before).lines
        mark = Source(name, folder, text).mark(len(lines), len(lines[-1]) + 1, 1)
        shown = "" if wide else f" 0x{content[error.start]:02X}"
        problems.add(mark.problem(f"byte{shown} is not UTF-8", "save the file as UTF-8"))
        return None


def read_text(source: Source, problems: Problems) -> Node | None:
    """The root of one YAML document; None after a problem that ends the reading."""
    if found := _FORBIDDEN.search(source.text):
        before = Source("", Path(), source.text[: found.start()]).lines
        mark = source.mark(len(before), len(before[-1]) + 1, 1)
        problems.add(
            mark.problem(
                f"control character U+{ord(found[0]):04X} in the text",
                "remove it, or write it as an escape in double quotes",
            )
        )
        return None
    builder = _Builder(source, problems)
    try:
        for event in yaml.parse(source.text, Loader=_LOADER):
            builder.take(event)
        return builder.root or scalar(None, source.mark())
    except _StopReading:
        return None
    except yaml.YAMLError as error:
        problems.add(syntax.explain(error, source))
        return None
    except RecursionError:  # only the pure Python parser of PyYAML recurses
        problems.add(source.mark().problem(f"nested deeper than {MAX_DEPTH} levels"))
        return None


class _StopReading(Exception):
    """What follows could not be trusted; the reason is among the problems."""


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    mark: Mark
    is_map: bool
    anchor: str | None
    flow: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Mark] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)
    key: tuple[str, Mark] | None = None
    plain_key: bool = False
    size: int = 1
    height: int = 1


class _Builder:
    """Puts nodes together from events."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self.source = source
        self.problems = problems
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._nodes = 0
        self._documents = 0

    def take(self, event: Event) -> None:
        """The next event of the stream."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            self._begin(event, is_map=kind is yaml.MappingStartEvent)
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            self._end(event)
        elif kind is yaml.DocumentStartEvent:
            self._document(event)

    def _document(self, event: Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(
                self._mark(event), "a second document begins here", "a manifest is one document: remove the `---`"
            )

    def _scalar(self, event: Event) -> None:
        mark = self._mark(event)
        self._check_tag(event, mark)
        plain = bool(event.implicit[0]) and event.tag in (None, "!")
        if self._expects_key():
            self._open[-1].key = (event.value, mark)
            self._open[-1].plain_key = plain
            return
        typed = plain or (event.tag in _HARMLESS and event.tag != _TEXT_TAG)
        node = scalar(scalars.resolve(event.value) if typed else event.value, mark, plain)
        self._finished(node, event.anchor, 1, 1)

    def _begin(self, event: Event, is_map: bool) -> None:
        mark = self._mark(event)
        self._check_tag(event, mark)
        if self._expects_key():
            self._stop(
                mark, "a key has to be a text", "write `name: value`; a text that begins with { or [ goes in quotes"
            )
        if len(self._open) >= MAX_DEPTH:
            self._stop(mark, f"nested deeper than {MAX_DEPTH} levels", "a manifest needs no more than eight")
        self._open.append(_Open(mark, is_map, event.anchor, bool(event.flow_style)))
        if event.anchor:
            self._anchors.pop(event.anchor, None)

    def _end(self, event: Event) -> None:
        done = self._open.pop()
        mark = self._whole(done.mark, event) if done.flow else done.mark
        if done.is_map:
            self._merge(done)
            node = mapping(done.entries, done.keys, mark)
        else:
            node = listing(done.items, mark)
        self._finished(node, done.anchor, done.size, done.height)

    def _finished(self, node: Node, anchor: str | None, size: int, height: int) -> None:
        """Hand a node whose end has come to what it is in."""
        self._count(node.mark, 1)
        if anchor:
            self._anchors[anchor] = (node, size, height)
        self._put(node, size, height)

    def _put(self, node: Node, size: int, height: int) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if not parent.is_map:
            parent.items.append(node)
            return
        assert parent.key is not None
        (key, mark), parent.key = parent.key, None
        if key == "<<" and parent.plain_key:
            parent.merged.append(node)
        elif key in parent.entries:
            first = parent.keys[key]
            self.problems.add(
                mark.problem(f"`{clip(key)}` is written twice; first at line {first.line}", "remove one of the two")
            )
        else:
            parent.entries[key] = node
            parent.keys[key] = mark

    def _alias(self, event: Event) -> None:
        mark = self._mark(event)
        if self._expects_key():
            self._stop(mark, "an alias cannot be a key", "write the key out")
        if event.anchor not in self._anchors:
            self._unknown_anchor(event.anchor, mark)
        node, size, height = self._anchors[event.anchor]
        if len(self._open) + height > MAX_DEPTH:
            self._stop(mark, f"nested deeper than {MAX_DEPTH} levels through this alias")
        self._count(mark, size)
        self._put(node, size, height)

    def _unknown_anchor(self, name: str, mark: Mark) -> None:
        if any(level.anchor == name for level in self._open):
            self._stop(mark, f"`*{name}` stands inside of what it stands for", "an anchor cannot hold itself")
        near = get_close_matches(name, list(self._anchors)[:1000], n=1)
        hint = (
            f"did you mean `*{near[0]}`?" if near else f"mark a value with `&{name}` first, or put the text in quotes"
        )
        self._stop(mark, f"no anchor `&{name}` comes before this alias", hint)

    def _merge(self, level: _Open) -> None:
        """`<<: *base`: the entries of `base` that are not written here; of several, the first wins."""
        for merged in level.merged:
            for base in merged.items if merged.is_list else (merged,):
                if not base.is_map:
                    self.problems.add(
                        base.mark.problem("`<<` takes a mapping or a list of mappings", "write `<<: *anchor`")
                    )
                for key, node in base.entries.items():
                    if key not in level.entries:
                        level.entries[key] = node
                        level.keys[key] = base.key_mark(key)

    def _count(self, mark: Mark, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._stop(
                mark,
                f"more than {MAX_NODES:,} values, aliases written out",
                "a matrix or a prompt file says the same in a few lines",
            )

    def _check_tag(self, event: Event, mark: Mark) -> None:
        tag = event.tag
        if tag not in (None, "!") and tag not in _HARMLESS:
            shown = "!!" + tag[len(_STANDARD) :] if tag.startswith(_STANDARD) else tag
            self.problems.add(
                mark.problem(f"tag `{clip(shown)}` is not allowed", "a manifest holds plain data: remove the tag")
            )
            self.problems.settle(mark.problem(""))

    def _expects_key(self) -> bool:
        return bool(self._open) and self._open[-1].is_map and self._open[-1].key is None

    def _stop(self, mark: Mark, message: str, hint: str = "") -> None:
        self.problems.add(mark.problem(message, hint))
        raise _StopReading

    def _mark(self, event: Event) -> Mark:
        start, end = event.start_mark, event.end_mark
        same = start.line == end.line
        return self.source.mark(start.line + 1, start.column + 1, end.column - start.column if same else 0)

    def _whole(self, start: Mark, event: Event) -> Mark:
        """From an opening bracket to its closing one, where they are on one line."""
        end = event.end_mark
        return self.source.mark(
            start.line, start.column, end.column + 1 - start.column if end.line + 1 == start.line else 0
        )

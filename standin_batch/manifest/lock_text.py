"""Values as a manifest writes them: names for things in tables, prompt files for long lists, and YAML that reads back.

What of a manifest goes into its lock file is `lock`'s; here is how it is put down.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import yaml

from standin_batch.manifest import scalars
from standin_batch.manifest.axes import NEVER_RANGES
from standin_batch.manifest.manifest import ALL_EXPERTS, Condition, Identity, Lora, Manifest, Prompt, Video
from standin_batch.manifest.matrix import Value
from standin_batch.manifest.references import _stem as stem
from standin_batch.manifest.references import slug
from standin_batch.manifest.sections import LoraEntry
from standin_batch.manifest.source import PlainData
from standin_batch.manifest.turbo import Turbo, turbo_of
from standin_batch.manifest.values import IMAGE_KEYS, VIDEO_KEYS

LOCK_FOLDER = "manifest.lock"
"""Folder beside the lock file, with the prompts that it names by file."""

Named = TypeVar("Named", Identity, Video, Lora, Prompt)

_FROM_FILE = re.compile(r"(.+)-(\d{6,})\Z", re.DOTALL)
_MAX_SPAN = 10_000_000
"""Lines of a prompt file; more between two prompts means that their names only look like lines."""

_MIN_RANGE = 3


@dataclass(frozen=True)
class PromptFile:
    """Prompts in a row that are called after lines of one file."""

    label: str
    lines: Mapping[int, str]

    @cached_property
    def content(self) -> str:
        """The file: each prompt in its line, so that its name stays what it is."""
        written: list[str] = []
        for line, text in self.lines.items():
            written += [""] * (line - 1 - len(written))
            written.append(json.dumps({"text": text}, ensure_ascii=False))
        return "".join(f"{line}\n" for line in written)

    @cached_property
    def path(self) -> str:
        """Beside the lock file. Named after what is in it: a file that a lock names never changes."""
        found = hashlib.sha256(self.content.encode()).hexdigest()[:8]
        return f"{LOCK_FOLDER}/{found}/{self.label}.jsonl"


class Tables:
    """The named things of a manifest, and how its jobs refer to them.

    Of several things with one name, one is in the table and the others are written in place, which calls them after
    their file or text, as it did in the manifest.
    """

    def __init__(self, manifest: Manifest) -> None:
        values = list(_values(manifest))
        loras = [lora for _, value in values if _is_loras(value) for lora in value]
        loras += [turbo.lora for key, value in values if key == "speed" and (turbo := turbo_of(value)) is not None]
        self.identities = _table((value for _, value in values if isinstance(value, Identity)), _image_stem)
        self.videos = _table((value for _, value in values if isinstance(value, Video)), lambda it: stem(it.path))
        self.loras = _table(loras, lambda it: stem(next(iter(it.files.values()))))
        pieces = [piece for axis in _prompt_axes(manifest) for piece in _pieces(axis)]
        self.prompts = _table((piece for piece in pieces if isinstance(piece, Prompt)), lambda it: slug(it.text))
        self._prompt_files: dict[str, PromptFile] = {}
        self.files: dict[str, str] = {}
        for piece in pieces:
            if isinstance(piece, PromptFile):
                self._keep(piece)

    def sections(self) -> dict[str, PlainData]:
        """The tables as a manifest writes them, without empty ones."""
        texts = {name: {"text": prompt.text} for name, prompt in self.prompts.items()}
        files = {name: {"file": file.path} for name, file in self._prompt_files.items()}
        tables: dict[str, PlainData] = {
            "identities": {name: _entry(identity) for name, identity in self.identities.items()},
            "loras": {name: _lora_entry(lora) for name, lora in self.loras.items()},
            "videos": {name: _entry(video) for name, video in self.videos.items()},
            "prompts": {**texts, **files},
        }
        return {section: entries for section, entries in tables.items() if entries}

    def value(self, key: str, value: Value) -> PlainData:
        """The value of a job key, other than `prompt`."""
        if isinstance(value, Identity):
            return value.name if self.identities[value.name] == value else _entry(value)
        if isinstance(value, Video):
            return value.name if self.videos[value.name] == value else _entry(value)
        if key in IMAGE_KEYS or key in VIDEO_KEYS:
            return None if value is None else str(value)
        if key == "loras":
            return [self._lora(lora) for lora in value]
        if key == "cfg_scale" and isinstance(value, tuple):
            return dict(zip(("high_noise", "low_noise"), value, strict=True))
        if key == "speed" and value is not None:
            return {name: self._turbo(item) if isinstance(item, Turbo) else item for name, item in value.items()}
        if isinstance(value, Mapping):
            return {name: _condition(item) for name, item in value.items()}
        return value

    def axis(self, key: str, values: Sequence[Value]) -> list[PlainData]:
        """The values of an axis; neighbours as ranges, prompts of a file as the file."""
        if key == "prompt":
            return self.prompt_references(values)
        if key in NEVER_RANGES or not all(type(value) is int for value in values):
            return [self.value(key, value) for value in values]
        return _ranges(values)

    def prompt_references(self, prompts: Sequence[Prompt]) -> list[PlainData]:
        """What stands for `prompts` in a list."""
        return [self._prompt(piece) for piece in _pieces(prompts)]

    def _prompt(self, piece: Prompt | PromptFile) -> PlainData:
        return self._prompt_text(piece) if isinstance(piece, Prompt) else self._prompt_file(piece)

    def _prompt_text(self, prompt: Prompt) -> PlainData:
        in_place = slug(prompt.text) == prompt.name
        if not in_place and prompt.name not in self._prompt_files:
            self.prompts.setdefault(prompt.name, prompt)  # a line of a file, on its own
        if self.prompts.get(prompt.name) == prompt:
            return prompt.name
        label, line = _line_of(prompt)
        # Lines of two files with one name can only be told apart in files.
        return (
            {"text": prompt.text}
            if in_place or not label
            else self._prompt_file(PromptFile(label, {line: prompt.text}))
        )

    def _prompt_file(self, file: PromptFile) -> PlainData:
        self._keep(file)
        known = self._prompt_files.get(file.label)
        return file.label if known is not None and known.path == file.path else {"file": file.path}

    def _keep(self, file: PromptFile) -> None:
        self.files.setdefault(file.path, file.content)
        if file.label not in self.prompts:
            self._prompt_files.setdefault(file.label, file)

    def _turbo(self, turbo: Turbo) -> PlainData:
        keys = {"num_inference_steps": turbo.num_inference_steps, "sigma_shift": turbo.sigma_shift}
        return {"lora": self._lora(turbo.lora), **keys}

    def _lora(self, lora: Lora) -> PlainData:
        known = self.loras[lora.name]
        if known.files != lora.files:
            return _lora_entry(lora)
        # The name of a key of an entry would be read as that key.
        if known.scale == lora.scale or lora.name in LoraEntry.model_fields:
            return lora.name
        return {lora.name: lora.scale}


def _table(things: Iterable[Named], in_place: Callable[[Named], str]) -> dict[str, Named]:
    """One thing for each name: the one that could not be written in place, or the first."""
    table: dict[str, Named] = {}
    for thing in things:
        if thing.name not in table or in_place(thing) != thing.name:
            table[thing.name] = thing
    return table


def _values(manifest: Manifest) -> Iterator[tuple[str, Value]]:
    """Every value of a job key that is written anywhere, prompts left out."""
    for spec in manifest.jobs:
        for layer in (spec.defaults, spec.own):
            yield from layer.items()
        for grid in spec.grids:
            for axis in grid.axes:
                if axis.key != "prompt":
                    yield from ((axis.key, value) for value in axis.values)


def _prompt_axes(manifest: Manifest) -> Iterator[Sequence[Prompt]]:
    return (axis.values for spec in manifest.jobs for grid in spec.grids for axis in grid.axes if axis.key == "prompt")


def _is_loras(value: Value) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, Lora) for item in value)


def _pieces(prompts: Sequence[Prompt]) -> Iterator[Prompt | PromptFile]:
    """`prompts` in order; those that follow each other in a file together."""
    for run in _runs(prompts):
        if len(run) == 1:
            yield run[0]
        else:
            yield PromptFile(_line_of(run[0])[0], {_line_of(prompt)[1]: prompt.text for prompt in run})


def _runs(prompts: Sequence[Prompt]) -> Iterator[list[Prompt]]:
    run: list[Prompt] = []
    label, line = "", 0
    for prompt in prompts:
        before, (label, line) = (label, line), _line_of(prompt)
        if run and (not label or label != before[0] or not before[1] < line < before[1] + _MAX_SPAN):
            yield run
            run = []
        run.append(prompt)
    if run:
        yield run


def _line_of(prompt: Prompt) -> tuple[str, int]:
    """The file and the line that a prompt is called after; empty and 0 for one that has a name of its own."""
    match = _FROM_FILE.match(prompt.name)
    if match is None or (line := int(match[2])) > _MAX_SPAN or f"{line:06d}" != match[2] or line == 0:
        return "", 0
    return match[1], line


def _image_stem(identity: Identity) -> str:
    return stem(identity.image)


def _entry(thing: Identity | Video) -> dict[str, PlainData]:
    """Every field but the name, which in a table is the key and in place the file's."""
    values = {field.name: getattr(thing, field.name) for field in fields(thing) if field.name != "name"}
    return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}


def _lora_entry(lora: Lora) -> dict[str, PlainData]:
    files = {"path" if key == ALL_EXPERTS else key: str(path) for key, path in lora.files.items()}
    return {**files, "scale": lora.scale}


def _condition(value: Value) -> PlainData:
    if not isinstance(value, Condition):
        return value
    # A condition takes no exponent.
    return f"{value.comparison} {Decimal(repr(value.threshold)):f}"


def _ranges(numbers: Sequence[int]) -> list[PlainData]:
    """`numbers` in order, three or more neighbours as `first..last`."""
    written: list[PlainData] = []
    for _, group in groupby(enumerate(numbers), key=lambda item: item[1] - item[0]):
        run = [number for _, number in group]
        written += [f"{run[0]}..{run[-1]}"] if len(run) >= _MIN_RANGE else run
    return written


_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):  # type: ignore[misc]
    """Writes plain data so that `reader` and `variables` give the same back."""

    def ignore_aliases(self, data: object) -> bool:
        """No anchors: what is equal is written twice."""
        return True

    def text(self, text: str) -> Any:  # noqa: ANN401 - PyYAML has no types
        """A text, in quotes where it would mean something else, and without variables."""
        literal = text.replace("${", "$${")
        style = None if scalars.resolve(literal) == literal else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", literal, style=style)


_Dumper.add_representer(str, _Dumper.text)


def dumped(document: PlainData) -> str:
    """`document` as YAML."""
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=118)

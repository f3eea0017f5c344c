"""Prompts from files: text (one a line), CSV or TSV (one a row), JSONL (one an object), by hundreds of thousands.

Prompts are taken as they are: no variables, no YAML. Mistakes are told with the line of the prompt file.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from standin_batch.manifest.manifest import Prompt
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.reader import decode
from standin_batch.manifest.source import Mark, Source
from standin_batch.manifest.words import did_you_mean, show

MAX_BYTES = 1 << 30
MAX_PROMPTS = 1_000_000
MAX_LENGTH = 20_000
"""Characters of one prompt; the text encoder reads 512 tokens."""
MAX_STORED = 60_000
"""Bytes of one prompt in JSON: with the negative one, it is an argument of ffmpeg, and Linux takes 128 KiB for one."""
MAX_TOLD = 10
"""Mistakes told per file; a wrong file is wrong in every line."""

DEFAULT_FIELD = "text"
_LINE_BREAK = re.compile("\r\n|[\r\n]")

Found = Iterator[tuple[int, str]]
"""The line and the text of each prompt."""


class _WrongLineError(Exception):
    """A line that holds no prompt."""

    def __init__(self, mark: Mark, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = mark.problem(message, hint)


def read_prompts(
    path: Path, shown: str, field: str | None, label: str, problems: Problems, at: Mark
) -> tuple[Prompt, ...]:
    """Every prompt of `path`, labelled by `label` and its line; `at` is told when the file as a whole is wrong."""
    text = _text(path, shown, problems, at)
    if text is None:
        return ()
    source = Source(shown, path.parent, text, line_break=_LINE_BREAK)
    kind, reader = _KINDS.get(path.suffix.lower(), ("text", _lines))
    if field and kind == "text":
        problems.add(at.problem(f"a text file has no fields, so no `field: {field}`", "its prompts are its lines"))
    before = problems.count
    prompts = _collected(reader(source, field or DEFAULT_FIELD), source, label, problems)
    if not prompts and problems.count == before:
        problems.add(at.problem(f"{shown} has no prompts", "write one a line"))
    return prompts


def too_long(text: str) -> str:
    """How long a prompt is that is too long, and how long it may be; nothing for one that is not."""
    if len(text) > MAX_LENGTH:
        return f"{len(text):,} characters; at most {MAX_LENGTH:,}"
    stored = len(json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass"))
    return f"{stored:,} bytes as JSON; at most {MAX_STORED:,}" if stored > MAX_STORED else ""


def _text(path: Path, shown: str, problems: Problems, at: Mark) -> str | None:
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.add(at.problem(f"{shown} is larger than {MAX_BYTES >> 30} GiB", "split it"))
            return None
        return decode(path.read_bytes(), shown, path.parent, problems)
    except OSError as error:
        problems.add(at.problem(f"{shown} cannot be read: {(error.strerror or str(error)).lower()}"))
        return None


def _collected(
    found: Iterator[tuple[int, str] | _WrongLineError], source: Source, label: str, problems: Problems
) -> tuple[Prompt, ...]:
    prompts: list[Prompt] = []
    wrong = 0
    for item in found:
        if isinstance(item, tuple) and (long := too_long(item[1])):
            item = _WrongLineError(source.mark(item[0], 1, 1), f"a prompt of {long}")
        if isinstance(item, tuple):
            prompts.append(Prompt(f"{label}-{item[0]:06d}", item[1]))
            if len(prompts) > MAX_PROMPTS:
                problems.add(source.mark(item[0]).problem(f"more than {MAX_PROMPTS:,} prompts", "split the file"))
                return tuple(prompts)
        else:
            wrong += 1
            if wrong <= MAX_TOLD:
                problems.add(item.problem)
    if wrong > MAX_TOLD:
        problems.add(
            source.mark().problem(f"{wrong:,} lines of this file hold no prompt; the first {MAX_TOLD} are told")
        )
    return tuple(prompts)


def _lines(source: Source, field: str) -> Iterator[tuple[int, str] | _WrongLineError]:
    for number, line in enumerate(source.lines, 1):
        if text := line.strip():
            yield number, text


def _objects(source: Source, field: str) -> Iterator[tuple[int, str] | _WrongLineError]:
    for number, line in enumerate(source.lines, 1):
        if not line.strip():
            continue
        try:
            yield number, _prompt_of(json.loads(line), field, source.mark(number))
        except _WrongLineError as error:
            yield error
        except json.JSONDecodeError as error:
            hint = 'each line is one object, such as {"text": "A man sits at a desk."}'
            yield _WrongLineError(source.mark(number, error.colno, 1), f"this is no JSON: {error.msg.lower()}", hint)
        except (RecursionError, ValueError):
            yield _WrongLineError(source.mark(number), "this is no JSON that holds a prompt")


def _prompt_of(value: object, field: str, mark: Mark) -> str:
    if isinstance(value, str) and value.strip():
        return _unicode(value.strip(), mark)
    if not isinstance(value, dict):
        raise _WrongLineError(
            mark, f"an object or a text was expected, not {show(value)}", f'such as {{"{field}": "…"}}'
        )
    if field not in value:
        raise _WrongLineError(mark, f"the object has no `{field}`", _other_fields(field, tuple(map(str, value))))
    found = value[field]
    if not isinstance(found, str) or not found.strip():
        raise _WrongLineError(mark, f"`{field}` is {show(found)}, not a text")
    return _unicode(found.strip(), mark)


def _unicode(text: str, mark: Mark) -> str:
    """`text`, unless it holds half a character: JSON can write one as an escape, but no file can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise _WrongLineError(
            mark, f"`{half}` is half a character", "escapes such as \\ud83d\\ude42 come in pairs"
        ) from error
    return text


@lru_cache(maxsize=64)
def _other_fields(field: str, known: tuple[str, ...]) -> str:
    return did_you_mean(field, known, "say `field:`, one of")


def _rows(delimiter: str) -> Callable[[Source, str], Iterator[tuple[int, str] | _WrongLineError]]:
    def rows(source: Source, field: str) -> Iterator[tuple[int, str] | _WrongLineError]:
        reader = csv.reader(io.StringIO(source.text, newline=""), delimiter=delimiter, strict=True)
        line = 1
        try:
            header = [name.strip() for name in next(reader, [])]
            if field not in header:
                hint = _other_fields(field, tuple(header))
                yield _WrongLineError(source.mark(), f"no column is called `{field}`", hint)
                return
            line = reader.line_num + 1
            for row in reader:
                yield from _cell(row, header, field, source.mark(line, 1, 0))
                line = reader.line_num + 1
        except csv.Error as error:
            yield _WrongLineError(source.mark(min(line, len(source.lines))), f"this is no CSV: {error}")

    return rows


def _cell(row: list[str], header: list[str], field: str, mark: Mark) -> Iterator[tuple[int, str] | _WrongLineError]:
    if not any(row):
        return
    place = header.index(field)
    if len(row) != len(header):
        hint = "a prompt with commas goes in double quotes"
        yield _WrongLineError(mark, f"{len(row)} columns, but the header has {len(header)}", hint)
    elif not row[place].strip():
        yield _WrongLineError(mark, f"the column `{field}` is empty")
    else:
        yield mark.line, row[place].strip()


_KINDS: dict[str, tuple[str, Callable[[Source, str], Iterator[tuple[int, str] | _WrongLineError]]]] = {
    ".jsonl": ("jsonl", _objects),
    ".ndjson": ("jsonl", _objects),
    ".csv": ("csv", _rows(",")),
    ".tsv": ("csv", _rows("\t")),
}

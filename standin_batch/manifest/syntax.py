"""libyaml's complaints in words that say what to do.

Only texts that are no YAML at all end here; what a well-formed manifest gets wrong is found later.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml

from standin_batch.manifest.problems import Problem
from standin_batch.manifest.source import Mark, Source
from standin_batch.manifest.words import clip

_VARIABLE_IN_FLOW = re.compile(r"\$\{[^}]*\}?\Z")


def explain(error: yaml.YAMLError, source: Source) -> Problem:
    """The problem that `error` stands for."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return source.mark().problem("this is not YAML", clip(str(error)))
    found = error.problem or "this is not YAML"
    at = _mark(error.problem_mark, source) or source.mark()
    begun = _mark(error.context_mark, source)
    for pattern, words in _EXPLANATIONS:
        if re.search(pattern, found):
            mark, message, hint = words(at, begun or at)
            return mark.problem(message, hint)
    return at.problem(found, f"{error.context} at line {begun.line}" if error.context and begun else "")


_Words = tuple[Mark, str, str]


def _bad_character(at: Mark, begun: Mark) -> _Words:
    char = at.source.line(at.line)[at.column - 1 : at.column]
    one = at.source.mark(at.line, at.column, 1)
    if char == "\t":
        return one, "a tab where YAML wants spaces", "indent with spaces; an editor can turn tabs into them"
    return one, f"a text cannot begin with `{char}`", "put the text in quotes"


def _unexpected_colon(at: Mark, begun: Mark) -> _Words:
    one = at.source.mark(at.line, at.column, 1)
    before = at.source.line(at.line)[: at.column - 1]
    if ":" in before:
        return one, "a second `: ` on one line", "put the text in quotes if the colon belongs to it"
    key = at.source.mark(at.line, len(before) - len(before.lstrip()) + 1, max(1, len(before.strip())))
    return (
        key,
        "a key is not expected here",
        "keys of one mapping begin in the same column; or the line above lacks its `:`",
    )


def _unclosed(at: Mark, begun: Mark) -> _Words:
    opening = begun.source.line(begun.line)[begun.column - 1 : begun.column]
    written = begun.source.line(at.line)[: at.column - 1] if at.line == begun.line else ""
    if re.search(r"\$\Z", written) or _VARIABLE_IN_FLOW.search(written):
        start = written.rindex("$") + 1
        mark = at.source.mark(at.line, start, 2)
        return mark, "`${` inside of brackets needs quotes", 'write "${VARIABLE}"'
    if re.search(r"[^\s,:\[{]\Z", written) and at.source.line(at.line)[at.column - 1 : at.column] in ("{", "["):
        mark = at.source.mark(at.line, at.column, 1)
        return mark, "a bracket in a text inside of brackets needs quotes", "put the text in quotes"
    mark = begun.source.mark(begun.line, begun.column, 1)
    closing = {"{": "}", "[": "]"}.get(opening, "its bracket")
    return mark, f"this `{opening}` is not closed", f"a `{closing}` or a comma was expected at line {at.line}"


def _unclosed_quote(at: Mark, begun: Mark) -> _Words:
    return (
        begun.source.mark(begun.line, begun.column, 1),
        "this quote is never closed",
        "end the text with the same quote",
    )


def _no_key(at: Mark, begun: Mark) -> _Words:
    before = at.source.line(at.line)[: at.column - 1]
    if before.rstrip().endswith(("'", '"')):
        return (
            at.source.mark(at.line, at.column),
            "text after a closing quote",
            "put the whole text in quotes, or none of it",
        )
    return (
        at.source.mark(at.line, at.column),
        "`key: value` was expected here",
        f"check the indentation against line {begun.line}",
    )


def _no_dash(at: Mark, begun: Mark) -> _Words:
    mark = at.source.mark(at.line, at.column)
    hint = f"each item of the list that begins at line {begun.line} starts with `- ` in the same column"
    return mark, "this line does not fit the list above it", hint


def _misplaced_dash(at: Mark, begun: Mark) -> _Words:
    return at.source.mark(at.line, at.column, 1), "a list cannot begin here", "begin it on its own line, below the key"


def _no_colon(at: Mark, begun: Mark) -> _Words:
    return begun.source.mark(begun.line, begun.column), "a key without a `:`", "write `key: value`"


def _bad_alias(at: Mark, begun: Mark) -> _Words:
    char = begun.source.line(begun.line)[begun.column - 1 : begun.column]
    return begun, f"`{char}` begins an alias or anchor", "put the text in quotes"


def _bad_escape(at: Mark, begun: Mark) -> _Words:
    line = at.source.line(at.line)[at.column - 1 : at.column + 1]
    return (
        at.source.mark(at.line, at.column, 2),
        f"`{line}` is no escape",
        "write `\\\\` for a backslash, or use single quotes",
    )


def _half_character(at: Mark, begun: Mark) -> _Words:
    return at.source.mark(at.line, at.column), "this escape is no character", "write the character itself: 🙂"


def _directive(at: Mark, begun: Mark) -> _Words:
    return at.source.mark(at.line), "`%` begins a directive, and this one is not known", "remove the line"


_EXPLANATIONS: tuple[tuple[str, Callable[[Mark, Mark], _Words]], ...] = (
    (r"directive name|incompatible YAML", _directive),
    (r"cannot start any token", _bad_character),
    (r"mapping values are not allowed", _unexpected_colon),
    (r"expected ',' or '[\]}]'", _unclosed),
    (r"unexpected end of stream", _unclosed_quote),
    (r"unknown escape character", _bad_escape),
    (r"invalid Unicode character", _half_character),
    (r"alphabetic or numeric character", _bad_alias),
    (r"expected '-' indicator", _no_dash),
    (r"block sequence entries are not allowed", _misplaced_dash),
    (r"expected key|<block end>", _no_key),
    (r"could not find expected ':'", _no_colon),
)


def _mark(mark: yaml.error.Mark | None, source: Source) -> Mark | None:
    if mark is None:
        return None
    line = min(mark.line + 1, len(source.lines))
    return source.mark(line, min(mark.column + 1, len(source.line(line)) + 1))

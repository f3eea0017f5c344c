"""`${VARIABLE}` in the scalars of a manifest, put in after parsing, so that no value can change the structure.

`$${` is a literal `${`. An unquoted scalar that has a variable in it is typed anew: `seed: ${SEED}` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from standin_batch.manifest import scalars
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.source import Mark, Node
from standin_batch.manifest.words import clip, did_you_mean

_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
MAX_VALUE = 100_000


def substitute(node: Node, environ: Mapping[str, str], problems: Problems) -> Node:
    """`node` with the variables of `environ` in its scalars; what is unset stays, with a problem."""
    if "${" not in node.mark.source.text:
        return node
    return _substituted(node, environ, problems)


def _substituted(node: Node, environ: Mapping[str, str], problems: Problems) -> Node:
    if node.is_list:
        return replace(node, value=tuple(_substituted(item, environ, problems) for item in node.items))
    if node.is_map:
        found = {key: _substituted(child, environ, problems) for key, child in node.entries.items()}
        return replace(node, value=found)
    if not isinstance(node.value, str) or "${" not in node.value:
        return node
    before = problems.count
    text = _filled(node.value, node.mark, environ, problems)
    if problems.count > before:
        problems.settle(node.mark.problem(""))
    return replace(node, value=scalars.resolve(text) if node.plain else text)


def _filled(text: str, mark: Mark, environ: Mapping[str, str], problems: Problems) -> str:
    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name = match[1]
        where = mark.within(match[0])
        if not match[2] or not _NAME.match(name):
            problems.add(
                where.problem(f"`{clip(match[0])}` is no variable", "write `${NAME}`, or `$${` for a literal `${`")
            )
        elif name not in environ:
            problems.add(where.problem(f"the environment has no variable `{name}`", _hint(name, environ)))
        elif len(environ[name]) > MAX_VALUE:
            problems.add(where.problem(f"`{name}` has more than {MAX_VALUE:,} characters"))
        else:
            return environ[name]
        return match[0]

    return _VARIABLE.sub(value, text)


def _hint(name: str, environ: Mapping[str, str]) -> str:
    near = did_you_mean(name, environ, "")
    return near if near.startswith("did") else f"set it: `export {name}=…`; `$${{` is a literal `${{`"

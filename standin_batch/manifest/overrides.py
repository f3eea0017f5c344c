"""`--set jobs.portraits.seed=3`: values from the command line, put into the tree before it is checked.

Names may hold dots, so at each step the longest name that matches is taken. A value replaces the key, or the axis of
that key in the matrix; it is read as YAML, and mistakes in it are told at the option.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from standin_batch.manifest.checking import INVALID
from standin_batch.manifest.job_keys import JOB_KEYS
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.reader import read_text
from standin_batch.manifest.schema import ManifestFile
from standin_batch.manifest.source import Mark, Node, Source, listing, mapping
from standin_batch.manifest.variables import substitute
from standin_batch.manifest.words import clip, did_you_mean

OPTION = "--set "


@dataclass(frozen=True)
class Override:
    """One `--set`: the path as written, the value, and where both are."""

    path: str
    value: Node
    mark: Mark


def apply_overrides(
    tree: Node, options: Sequence[str], folder: Path, environ: Mapping[str, str], problems: Problems
) -> Node:
    """`tree` with every option's value in it; a later option wins over an earlier one."""
    for option in options:
        override = _parsed(option, folder, problems)
        if override is not None:
            override = replace(override, value=substitute(override.value, environ, problems))
            changed = _set(tree, override.path, override, problems, top=True)
            tree = tree if changed is INVALID else changed
    return tree


def _parsed(option: str, folder: Path, problems: Problems) -> Override | None:
    path, equals, _ = option.partition("=")
    # The path is blanked, not cut, so that places in the value are places in the option.
    source = Source(f"{OPTION}{clip(option, 200)}", folder, option, numbered=False)
    mark = source.mark(1, 1, max(1, len(path)))
    if not equals or not path.strip():
        problems.add(mark.problem("`--set` takes PATH=VALUE", "for example `--set jobs.portraits.seed=3`"))
        return None
    found = Problems()
    blanked = Source(source.name, folder, " " * (len(path) + 1) + option[len(path) + 1 :], numbered=False)
    value = read_text(blanked, found)
    for problem in found.errors:
        problems.add(replace(problem, source_line=source.line(1)))
    return None if value is None or found.errors else Override(path.strip(), _moved(value, source), mark)


def _moved(node: Node, source: Source) -> Node:
    """`node` with its places in `source`, which has the same columns."""
    mark = source.mark(node.mark.line, node.mark.column, node.mark.length)
    if node.is_list:
        return replace(node, value=tuple(_moved(item, source) for item in node.items), mark=mark)
    if node.is_map:
        keys = {key: source.mark(at.line, at.column, at.length) for key, at in node.keys.items()}
        return replace(
            node, value={key: _moved(child, source) for key, child in node.entries.items()}, mark=mark, keys=keys
        )
    return replace(node, mark=mark)


def _set(node: Node, path: str, override: Override, problems: Problems, top: bool = False) -> Node:
    """`node` with the value at `path` below it; INVALID after a problem."""
    if top and (path == "jobs" or path.startswith("jobs.")):
        return _set_in_jobs(node, path.removeprefix("jobs").removeprefix("."), override, problems)
    if node.is_list:
        return _set_in_list(node, path, override, problems)
    name, rest = _split(path, node.entries if node.is_map else ())
    if top and name not in ManifestFile.model_fields:
        hint = (
            f"did you mean `defaults.{path}` or `jobs.NAME.{path}`?"
            if name in JOB_KEYS
            else did_you_mean(name, ManifestFile.model_fields, "keys are")
        )
        return _wrong(override, f"a manifest has no key `{clip(name)}`", hint, problems)
    if not rest:
        child = override.value
    else:
        inner = node.entries.get(name, mapping({}, {}, override.mark))
        child = _set(inner, rest, override, problems)
    if child is INVALID:
        return child
    return (node if node.is_map else mapping({}, {}, override.mark)).with_entry(name, child, override.mark)


def _set_in_list(node: Node, path: str, override: Override, problems: Problems) -> Node:
    name, _, rest = path.partition(".")
    if not name.isdecimal() or len(name) > 9 or int(name) >= len(node.items):
        return _wrong(
            override, f"`{clip(name)}` is no item of a list of {len(node.items)}", "items are counted from 0", problems
        )
    child = _set(node.items[int(name)], rest, override, problems) if rest else override.value
    return child if child is INVALID else node.with_item(int(name), child)


def _set_in_jobs(tree: Node, path: str, override: Override, problems: Problems) -> Node:
    jobs = tree.entries.get("jobs")
    places = {name: i for i, name in enumerate(map(job_name, jobs.items if jobs else (), range(MAX_JOBS)))}
    matching = [name for name in places if path == name or path.startswith(f"{name}.")]
    if jobs is None or not matching:
        wanted = path.rpartition(".")[0] or path
        return _wrong(override, f"there is no job `{clip(wanted)}`", did_you_mean(wanted, places, "jobs are"), problems)
    name = max(matching, key=len)
    rest = path[len(name) + 1 :]
    if not rest:
        return _wrong(override, f"`jobs.{name}` is a whole job", f"name a key: `--set jobs.{name}.seed=3`", problems)
    place = places[name]
    changed = _set_in_job(jobs.items[place], rest, override, problems)
    return (
        changed
        if changed is INVALID
        else tree.with_entry("jobs", jobs.with_item(place, changed), tree.key_mark("jobs"))
    )


MAX_JOBS = 1_000_000


def job_name(job: Node, place: int) -> str:
    """What a job is called: its `name`, or its place."""
    name = job.entries.get("name")
    return name.value if name is not None and isinstance(name.value, str) else f"job-{place + 1}"


def _set_in_job(job: Node, path: str, override: Override, problems: Problems) -> Node:
    """The key of a job, wherever the job says it: on itself, on an axis, in added combinations."""
    matrix = job.entries.get("matrix", mapping({}, {}, override.mark))
    key = path.partition(".")[0]
    if key != path and key in matrix.entries:
        hint = f"replace the whole axis: `--set …{key}=…`"
        return _wrong(
            override, f"`{clip(key)}` has an axis in the matrix, so nothing below it can be set", hint, problems
        )
    single = not _is_axis(path, override.value)
    if path in JOB_KEYS and (path in matrix.entries or not single):
        axis = listing((override.value,), override.value.mark) if single else override.value
        job = job.with_entry("matrix", matrix.with_entry(path, axis, override.mark), job.key_mark("matrix"))
    else:
        job = _set(job, path, override, problems)
    return _set_in_rows(job, path, override) if single and job is not INVALID else job


def _set_in_rows(job: Node, path: str, override: Override) -> Node:
    """`--set` is above the matrix, so also above the combinations that it adds; these take a single value."""
    matrix = job.entries.get("matrix")
    rows = matrix.entries.get("include") if matrix is not None else None
    if matrix is None or rows is None:
        return job
    items = [row.with_entry(path, override.value, override.mark) if path in row.entries else row for row in rows.items]
    changed = matrix.with_entry("include", replace(rows, value=tuple(items)), matrix.key_mark("include"))
    return job.with_entry("matrix", changed, job.key_mark("matrix"))


def _is_axis(key: str, value: Node) -> bool:
    """Whether a value given for an axis is the whole axis: a list of values, or a range."""
    if key == "loras":
        return any(item.is_list for item in value.items)
    return value.is_list or (isinstance(value.value, str) and value.plain and ".." in value.value)


def _split(path: str, known: Iterable[str]) -> tuple[str, str]:
    """The longest of `known` that `path` begins with, or its first part; and what follows."""
    matching = [name for name in known if path == name or path.startswith(f"{name}.")]
    name = max(matching, key=len) if matching else path.partition(".")[0]
    return name, path[len(name) + 1 :]


def _wrong(override: Override, message: str, hint: str, problems: Problems) -> Node:
    problems.add(override.mark.problem(message, hint))
    return INVALID

"""`load_manifest`: a path -> a Manifest, or every problem at once.

The steps in their order, each in its own module; here they are only put together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from standin_batch.face.checks import FaceChecks
from standin_batch.manifest import rules
from standin_batch.manifest.checking import INVALID, check_entries, key_of, known_entries
from standin_batch.manifest.include import Includes
from standin_batch.manifest.jobs import Jobs
from standin_batch.manifest.kinds import DEFAULT_MODEL, MAX_NAME
from standin_batch.manifest.manifest import Manifest, Output, RunOptions, ScoreOptions
from standin_batch.manifest.overrides import apply_overrides
from standin_batch.manifest.paths import InputFiles, is_url
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.references import References
from standin_batch.manifest.schema import ManifestFile
from standin_batch.manifest.sections import FacesSection, OutputSection, RunSection, ScoresSection, Section
from standin_batch.manifest.source import Mark, Node
from standin_batch.manifest.template import template_problem
from standin_batch.manifest.values import Values, Written
from standin_batch.manifest.words import show

SECTIONS = ("output", "run", "faces", "scores", "defaults", "identities", "loras", "videos", "prompts")


def load_manifest(
    path: Path,
    *,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    input_root: Path | None = None,
) -> Manifest:
    """The manifest at `path`.

    Args:
        path: the file.
        overrides: values of `--set`, such as `jobs.portraits.seed=3`.
        environ: where `${VARIABLE}` is looked up; the process's environment unless given.
        input_root: the only folder that inputs may be read from; anywhere unless given.

    Raises:
        ManifestError: with all problems that could be found.
    """
    problems = Problems()
    files = InputFiles(input_root, problems)
    variables = os.environ if environ is None else environ
    includes = Includes(variables, files, problems)
    tree = includes.read(path, str(path))
    if tree is not None:
        for part in includes.trees:
            _check_top(part, problems, included=part is not includes.trees[0])
        tree = apply_overrides(tree, overrides, Path.cwd(), variables, problems)
        manifest = _manifest(path, tree, files, problems)
        problems.raise_errors()
        return manifest
    problems.raise_errors()
    raise AssertionError("a tree that could not be read left no problem")


def _check_top(tree: Node, problems: Problems, included: bool) -> None:
    """The outline of one file: its version, and that it has only known keys and sections."""
    known_entries(tree, ManifestFile.model_fields, problems, "a manifest")
    if "version" in tree.entries:
        key_of(ManifestFile, "version").check(tree.entries["version"], problems)
    elif not included:
        problems.add(tree.mark.problem("the manifest has no `version`", "add `version: 1`"))


def _manifest(path: Path, tree: Node, files: InputFiles, problems: Problems) -> Manifest:
    tree = _outlined(tree, problems)
    name = _name(path, tree, problems)
    output = _output(tree, name, problems)
    reader = Jobs(Values(References(tree, files, problems), problems), problems)
    drafts = reader.read(tree.entries.get("jobs"), tree.entries.get("defaults"), _model(tree, problems))
    for draft in drafts:
        rules.check(draft, problems)
    jobs = tuple(draft.spec() for draft in drafts)
    run = RunOptions(**_said("run", RunSection, tree, problems))
    scores = ScoreOptions(**_said("scores", ScoresSection, tree, problems))
    return Manifest(path, name, output, jobs, run, _faces(tree, problems), scores, problems.warnings)


def _outlined(tree: Node, problems: Problems) -> Node:
    """`tree` with those sections only that have the right form."""
    for section in SECTIONS:
        node = tree.entries.get(section)
        if node is not None and not node.is_map:
            if node.value is not None:  # `identities:` with nothing below it is an empty section
                problems.add(
                    node.mark.problem(
                        f"`{section}` must be a mapping, not {show(node.data())}",
                        f"write `{section}:` and its entries below",
                    )
                )
            tree = tree.without(section)
    jobs = tree.entries.get("jobs")
    if jobs is None or jobs.value is None or jobs.value == ():
        mark = tree.key_mark("jobs") if jobs is not None else tree.mark
        problems.add(
            mark.problem(
                "the manifest has no jobs", "add `jobs:` with at least one, such as `- {mode: t2v, prompt: …}`"
            )
        )
        return tree.without("jobs")
    if not jobs.is_list:
        problems.add(jobs.mark.problem(f"`jobs` must be a list, not {show(jobs.data())}", "begin each job with `- `"))
        return tree.without("jobs")
    return tree


def _name(path: Path, tree: Node, problems: Problems) -> str:
    node = tree.entries.get("name")
    found = key_of(ManifestFile, "name").check(node, problems) if node is not None else INVALID
    return (
        found
        if found is not INVALID
        else re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).strip("-.")[:MAX_NAME] or "manifest"
    )


def _model(tree: Node, problems: Problems) -> Written:
    """The manifest's model, as the lowest of the layers."""
    node = tree.entries.get("model")
    if node is None:
        return Written({"model": DEFAULT_MODEL}, {"model": tree.mark}, {"model": tree.mark})
    found = key_of(ManifestFile, "model").check(node, problems)
    at = {"model": node.mark}
    return Written({}, at, at, frozenset(at)) if found is INVALID else Written({"model": found}, at, at)


def _output(tree: Node, name: str, problems: Problems) -> Output:
    node = tree.entries.get("output")
    said = check_entries(OutputSection, node, problems, "`output`") if node is not None else {}
    default = {key: field.default for key, field in OutputSection.model_fields.items()}
    found: dict[str, Any] = {**default, **said}
    if node is not None and "template" in said and (wrong := template_problem(said["template"])):
        part, message, hint = wrong
        problems.add(node.entries["template"].mark.within(part).problem(message, hint))
    if node is not None and "folder" in said:
        _check_folder(said["folder"], node.entries["folder"].mark, problems)
    folder = Path(found.pop("folder") or f"outputs/{name}")
    with suppress(RuntimeError):  # a home that is not known is a problem of its own, told above
        folder = folder.expanduser()
    return Output(folder=folder, **found)


def _said(name: str, section: type[Section], tree: Node, problems: Problems) -> dict[str, Any]:
    """The keys of a section, with what they have unless said."""
    node = tree.entries.get(name)
    said = check_entries(section, node, problems, f"`{name}`") if node is not None else {}
    return {key: said.get(key, field.default) for key, field in section.model_fields.items()}


def _faces(tree: Node, problems: Problems) -> FaceChecks:
    found = _said("faces", FacesSection, tree, problems)
    return FaceChecks(**{**found, "refuse": tuple(dict.fromkeys(found["refuse"]))})


def _check_folder(text: str, mark: Mark, problems: Problems) -> None:
    """A folder anywhere may be asked for, but not by accident: one that climbs out has to be absolute."""
    if is_url(text):
        problems.add(mark.problem("the output folder is a URL", "name a folder of this machine"))
    elif not text.strip() or not text.isprintable():
        problems.add(mark.problem("the output folder has no usable name", "for example `outputs/tech-minute`"))
    elif Path(os.path.normpath(text)).parts[:1] == ("..",):
        hint = f"if that is meant, write it absolute: {Path(text).resolve()}"
        problems.add(mark.problem("the output folder leads out of the current directory", hint))
    else:
        _check_place(text, mark, problems)


def _check_place(text: str, mark: Mark, problems: Problems) -> None:
    try:
        wanted = Path(text).expanduser()
        files = [path for path in (wanted, *wanted.parents) if path.is_file()]
    except (OSError, RuntimeError) as error:
        problems.add(mark.problem(f"the output folder cannot be used: {error}", "name another"))
        return
    if files:
        where = "is a file" if files[0] == wanted else f"lies in a file, {files[0]}"
        problems.add(mark.problem(f"the output folder {where}", "name a folder"))

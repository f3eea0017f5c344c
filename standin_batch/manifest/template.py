"""`output.template`: where a video lies below `videos/`, and that it cannot lie anywhere else.

Here the text is checked; filling it in is the output layer's.
"""

from __future__ import annotations

from string import Formatter

from standin_batch.manifest.words import clip, did_you_mean

TEMPLATE_FIELDS = (
    *("name", "identity", "prompt", "seed", "job_id", "mode", "model", "speed", "width", "height", "num_frames"),
)
"""What may stand in braces. Identities and prompts are their names; a speed is such as `teacache_0.1`, or `exact`."""


MAX_PART = 200
"""Bytes of a part between `/`, fields not counted."""

Wrong = tuple[str, str, str]
"""The part that is wrong, what is wrong with it, and what is allowed."""


def template_problem(template: str) -> Wrong | None:
    """What is wrong with a template; None if nothing is."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return template, "`template` has a brace without its partner", "write `{{` for a brace in a file name"
    for _, field, form, conversion in parts:
        if field is not None and (form or conversion):
            return "{" + field, "a field of `template` takes no format", f"write `{{{clip(field)}}}` alone"
        if field is not None and field not in TEMPLATE_FIELDS:
            known = did_you_mean(field, TEMPLATE_FIELDS, "fields are")
            return "{" + field + "}", f"`template` has no field `{{{clip(field)}}}`", known
    return _path_problem("".join(text + ("x" if field is not None else "") for text, field, _, _ in parts))


def _path_problem(path: str) -> Wrong | None:
    """The same for the path that the template makes, each field being some name."""
    if path.startswith(("/", "~")) or path[1:2] == ":":
        return path[:1], "`template` is an absolute path", "it is relative to the folder `videos` of the output"
    if "\\" in path or not path.isprintable():
        return "\\", "`template` has a backslash or a control character", "folders are parted by `/`"
    if ".." in path.split("/"):
        return "..", "`template` leads out of the output folder", "remove `..`"
    if any(part[:1] in ("", ".") or len(part.encode()) > MAX_PART for part in path.split("/")):
        hint = "each part between `/` begins with a letter, a digit or a field"
        return path, "`template` has an empty, hidden or very long part", hint
    return None

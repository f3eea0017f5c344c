"""How much a manifest may ask a reader to take in: prompts, escapes, files without end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from standin_batch.manifest import ManifestError, load_manifest
from standin_batch.manifest.prompt_files import MAX_LENGTH, MAX_STORED, too_long

LONG = "x " * (MAX_LENGTH // 2) + "x"
"""One character more than a prompt may have."""


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x" * MAX_LENGTH, ""),
        ("x" * (MAX_LENGTH + 1), "20,001 characters; at most 20,000"),
        ("女" * 19_999, ""),
        ("女" * 20_000, "60,002 bytes as JSON; at most 60,000"),
        ("🙂" * 16_000, "64,002 bytes as JSON; at most 60,000"),
        ("\0" * 10_000, "60,002 bytes as JSON; at most 60,000"),
    ],
    ids=range(6),
)
def test_a_prompt_is_measured_in_characters_and_as_it_is_stored(text, wrong):
    assert too_long(text) == wrong


def test_two_prompts_of_the_longest_fit_into_one_argument_of_ffmpeg():
    one_argument_of_linux = 128 * 1024
    assert 2 * MAX_STORED + len(json.dumps({"everything": "else"})) < one_argument_of_linux


@pytest.mark.parametrize(
    "keys",
    [
        "prompt: {text: LONG}",
        "prompt: LONG",
        "prompt: a b, negative_prompt: LONG",
        "matrix: {prompt: [a b, LONG]}",
        "prompt: a b, matrix: {negative_prompt: [a b, LONG]}",
    ],
)
def test_a_long_prompt_is_told_where_it_is_written(project, keys):
    line = f"jobs: [{{mode: t2v, {keys.replace('LONG', LONG)}}}]"
    (message,) = project.messages(f"version: 1\n{line}\n")
    assert message.startswith(f"2:{line.index(LONG) + 1}: ")
    assert message.endswith("prompt of 20,001 characters; at most 20,000")


def test_a_long_negative_prompt_in_the_defaults_is_told_once(project):
    jobs = "jobs: [{mode: t2v, prompt: a b}, {mode: t2v, prompt: c d}]\n"
    (problem,) = project.problems(f"version: 1\ndefaults: {{negative_prompt: {LONG}}}\n{jobs}")
    assert problem.line == 2
    assert "shorten" in problem.hint


def test_half_a_character_is_no_character(project):
    (problem,) = project.problems('version: 1\njobs: [{mode: t2v, prompt: {text: "a \\ud83d\\ude42"}}]\n')
    assert problem.line == 2
    assert "no character" in problem.message and problem.hint


def test_a_manifest_may_come_through_a_device_and_does_not_have_to_end():
    with pytest.raises(ManifestError, match="larger than 16 MiB"):
        load_manifest(Path("/dev/zero"))

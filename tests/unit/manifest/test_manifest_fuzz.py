"""Whatever is in a manifest: a Manifest or a ManifestError, in bounded time, each problem at its place.

Two ways to go wrong: as a text (tokens put in, taken out, doubled) and as a structure (values, keys, shapes replaced).
"""

from __future__ import annotations

import copy
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standin_batch.manifest import ManifestError, load_manifest

LIMIT = 20
"""Seconds, on a machine that is busy with other things."""

VALID = """\
version: 1
name: fuzz
model: tiny-2.2
output: {folder: outputs/fuzz, template: "{name}/{identity}-{job_id}", quality: 9, lossless: false}
defaults: &defaults
  width: 160
  num_frames: 9
  cfg_scale: {high_noise: 4.0, low_noise: 3.0}
identities:
  lecun: {image: faces/lecun.jpg, on_no_face: whole_image}
  skater: {image: faces/skater.png, kind: subject}
loras:
  ghibli: {path: loras/ghibli.safetensors, scale: 1.0}
  turbo: {high_noise: loras/turbo_high.safetensors, low_noise: loras/turbo_low.safetensors}
videos: {pose: clips/pose.mp4}
prompts:
  desk: >-
    A man sits at a desk.
  hands: 一个女人举起双手
  captions: {file: captions.jsonl, field: text}
jobs:
  - name: portraits
    mode: t2v
    negative_prompt: "${WHO}, $${literal}"
    matrix:
      identity: [lecun, skater, null]
      prompt: [desk, captions, {text: hello}]
      seed: 0..3
      loras: [[], [ghibli], [{ghibli: 0.6}, turbo]]
      exclude:
        - {identity: skater, loras: [ghibli]}
      include:
        - {identity: lecun, prompt: hands, seed: 7}
    accept: {face_similarity: ">= 0.55", max_reseeds: 3}
  - {name: control, model: tiny, cfg_scale: 5, mode: vace, prompt: hands, reference_video: pose, vace_scale: 0.8}
  - {name: swap, mode: face_swap, identity: lecun, prompt: A woman., input_video: clips/woman.mp4, target: 1}
"""

TOKENS = [
    "\t", "\n", "\r\n", "\0", "\x1b[31m", "\ufeff", "\u2028", "\ud7ff", "女", "'", '"', "{", "}",
    "[", "]", ":", ": ",
    "- ", "? ", "#", "&a ", "*a", "*defaults", "<<: *defaults\n", "!!python/object/apply:os.system [ls]", "!!binary ",
    "!x ", "---\n", "...\n", "%YAML 1.1\n", "|\n", ">-\n", "${", "${HOME}", "${UNSET}", "$${", "~", "null", "true",
    "no", "0..3", "0..99999999", "1e999", ".nan", "-.inf", "9" * 50, "9" * 5000, "0x" + "f" * 60, "1_000", "1:30:00",
    "2020-01-01", "../", "../../etc/passwd", "/etc/passwd", "http://x/", "random", "include: [manifest.yaml]\n",
    "[" * 40, "{a: " * 40, "matrix: ", "seed: ", "  ", "x" * 3000,
]  # fmt: skip

VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 16, 81, 2**63, -(2**70), 10**45, 0.5, -0.0, 1e308, float("inf"), float("nan"), "",
    " ", "a", "desk", "lecun", "0..3", "3..0", "0..999999", "-5..5", "random", "no", "2020-01-01", "faces/lecun.jpg",
    "faces", "../x", "/dev/null", "/etc/passwd", "~/x", "~nobody-there/x", "https://x/y.jpg", "captions.jsonl",
    "manifest.yaml", "${WHO}", "${UNSET}", "${", "$${x}", "一个女人", "\u202e\x1b[31m", "x" * 5000,
    "a/" * 3000, "{name}",
    "{", "{0}", "{name!r:>9999999999}", [], [[]], [None], ["desk"] * 3, list(range(50)), {}, {"text": "hi"},
    {"file": "captions.jsonl"}, {"file": "/dev/zero"}, {"image": "faces/lecun.jpg"}, {"path": "x"}, {"ghibli": 1},
    {"": 1}, {"seed": [1]}, {"high_noise": 1}, {"matrix": {}}, [{"seed": 1}], {"exclude": [{}], "include": [{}]},
    "t2v", "vace", "face_swap", "tiny", ">= 1",
]  # fmt: skip

KEYS = [
    "",
    "name",
    "seed",
    "matrix",
    "prompt",
    "identity",
    "loras",
    "include",
    "exclude",
    "<<",
    "a b",
    "../x",
    "mode",
    "jobs",
    "x" * 300,
    "女",
]


def snapshot(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_size) for path in folder.rglob("*") if path.name != "manifest.yaml")


def check(folder: Path, content: bytes, *sets: str) -> None:
    """Load `content`; whatever happens has to be orderly."""
    path = folder / "manifest.yaml"
    path.write_bytes(content)
    before = snapshot(folder)
    began = time.monotonic()
    try:
        manifest = load_manifest(path, overrides=sets, environ={"WHO": "a man", "HOME": "/root"})
        for variant in itertools.islice((variant for job in manifest.jobs for variant in job.variants()), 200):
            assert variant.values["prompt"].text and variant.values["width"] % 16 == 0
            assert variant.values["seed"] == "random" or 0 <= variant.values["seed"] < 2**63
        assert ".." not in manifest.output.folder.parts
    except ManifestError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.message and problem.column >= 1 and problem.length >= 1
            assert problem.line >= 1 or problem.file.startswith("--set")
            assert str(problem).startswith(problem.where)
            assert "\x1b" not in str(problem)
    assert time.monotonic() - began < LIMIT
    assert snapshot(folder) == before


texts = st.lists(
    st.tuples(st.integers(0, len(VALID)), st.integers(0, 30), st.one_of(st.sampled_from(TOKENS), st.text(max_size=5))),
    min_size=1,
    max_size=6,
)


def mutated_text(changes: list[tuple[int, int, str]]) -> bytes:
    text = VALID
    for at, cut, token in changes:
        text = text[:at] + token + text[at + cut :]
    return text.encode("utf-8", "surrogatepass")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in a tree."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in children for found in places(child, (*path, key)))]


TREE = yaml.safe_load(VALID)
PLACES = places(TREE)[1:]

structures = st.lists(
    st.tuples(
        st.sampled_from(PLACES),
        st.sampled_from(["replace", "rename", "remove", "add", "move"]),
        st.sampled_from(VALUES),
        st.sampled_from(KEYS),
    ),
    min_size=1,
    max_size=5,
)


def held(tree: Any, path: tuple[Any, ...]) -> Any:
    """What is at `path`; None where an earlier change took it away."""
    for step in path:
        if not (isinstance(tree, dict) and step in tree) and not (isinstance(tree, list) and step in range(len(tree))):
            return None
        tree = tree[step]
    return tree


def mutated_tree(changes: list[tuple[tuple[Any, ...], str, Any, str]]) -> bytes:
    tree = copy.deepcopy(TREE)
    for (*above, last), how, value, key in changes:
        parent = held(tree, tuple(above))
        if isinstance(parent, list) and isinstance(last, int) and last < len(parent):
            parent[last] = copy.deepcopy(value)
        elif isinstance(parent, dict) and last in parent:
            if how == "replace":
                parent[last] = copy.deepcopy(value)
            elif how == "remove":
                del parent[last]
            elif how == "rename":
                parent[key] = parent.pop(last)
            else:
                parent[key] = copy.deepcopy(value if how == "add" else tree)
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")


patient = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
thorough = settings(patient, max_examples=2500)


def test_the_manifest_that_is_mutated_is_right(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "manifest.yaml").write_text(VALID)
    manifest = load_manifest(folder / "manifest.yaml", environ={"WHO": "a man"})
    assert sum(len(list(job.variants())) for job in manifest.jobs) == (9 - 1) * 4 * 4 + 1 + 2


@patient
@given(texts)
def test_mutated_texts(folder, changes):
    check(folder, mutated_text(changes))


@patient
@given(structures)
def test_mutated_structures(folder, changes):
    check(folder, mutated_tree(changes))


@patient
@given(st.binary(max_size=200))
def test_any_bytes(folder, content):
    check(folder, content)


OPTIONS = [".".join(map(str, path)) for path in PLACES] + ["jobs.portraits.seed", "jobs.swap.x", ""]
SETTINGS = TOKENS + [str(value) for value in VALUES]


@patient
@given(st.sampled_from(OPTIONS), st.sampled_from(SETTINGS))
def test_any_override(folder, path, value):
    check(folder, VALID.encode(), f"{path}={value}")


@pytest.mark.slow
@thorough
@given(texts)
def test_many_mutated_texts(folder, changes):
    check(folder, mutated_text(changes))


@pytest.mark.slow
@thorough
@given(structures)
def test_many_mutated_structures(folder, changes):
    check(folder, mutated_tree(changes))


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        b"jobs: " + b"[" * 1_000_000,
        b"a: {" * 100_000,
        b"- " * 100_000,
        b"? " * 100_000,
        b"&a " * 50_000,
        b"*a " * 50_000,
        b"!" * 1_000_000,
        b"'" + b"x" * 5_000_000,
        b"version: 1\njobs:\n" + b"- {mode: t2v, prompt: nobody}\n" * 50_000,
        b"version: 1\njobs:\n" + b"- {mode: t3v, sead: 3, width: 17, identity: x, bad: 1}\n" * 30_000,
        b"version: 1\njobs: [" + b"{mode: t3v, sead: 3}, " * 30_000 + b"]",
        b"version: 1\nprompts: {"
        + b"".join(b"p%d: text, " % i for i in range(30_000))
        + b"}\njobs:\n"
        + b"- {mode: t2v, prompt: q}\n" * 20_000,
        b"".join(b"k%d: &k%d [%s]\n" % (i, i, b"*k%d, " % (i - 1) * 50 if i else b"x") for i in range(25)),
        b"version: 1\ndefaults: {mode: t2v, prompt: a b}\njobs: [{matrix: {seed: 0..999999, width: 16..999999}}]\n",
        b"version: 1\ndefaults: {mode: t2v, prompt: a b}\n"
        b"jobs: [{matrix: {seed: 0..999, priority: 0..999, exclude: [{seed: 0..999}]}}]\n",
        b"\xff\xfe" + b"a: [" * 1000,
        b"a: " + b"1" * 1_000_000,
        b"accept: {face_similarity: '" + b"1" * 300_000 + b"x'}",
        b"version: 1\ndefaults: {accept: {face_similarity: '>=" + b"1" * 300_000 + b"x'}}\n",
        b"a: '" + b"${" * 100_000 + b"'",
    ],
    ids=range(20),
)
def test_hostile_files_cost_seconds_at_most(folder, content):
    check(folder, content)

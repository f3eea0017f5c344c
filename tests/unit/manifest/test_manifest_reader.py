"""YAML into values that know their place, within limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from standin_batch.manifest import reader
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.source import Node, Source


def read(text: str) -> tuple[Node | None, list[str]]:
    problems = Problems()
    node = reader.read_text(Source("m.yaml", Path(), text), problems)
    return node, [f"{found.line}:{found.column}: {found.message}" for found in problems.errors]


def root(text: str) -> Node:
    node, problems = read(text)
    assert node is not None and not problems
    return node


def test_each_value_and_key_knows_its_place():
    node = root("jobs:\n  - name: a\n    seed: [1, two]\n")
    job = node.entries["jobs"].items[0]
    seed = job.entries["seed"]
    assert (job.key_mark("seed").line, job.key_mark("seed").column, job.key_mark("seed").length) == (3, 5, 4)
    assert (seed.mark.line, seed.mark.column, seed.mark.length) == (3, 11, 8)
    assert (seed.items[1].mark.column, seed.items[1].mark.length) == (15, 3)
    assert node.data() == {"jobs": [{"name": "a", "seed": [1, "two"]}]}


def test_columns_count_characters_also_after_wide_ones():
    entry = root("女人: 一个女人 x\n")
    assert (entry.entries["女人"].mark.column, entry.entries["女人"].mark.length) == (5, 6)


def test_quotes_make_text():
    assert root("a: '1'\nb: \"true\"\nc: 1\nd: >-\n  2\n").data() == {"a": "1", "b": "true", "c": 1, "d": "2"}


def test_keys_are_text_whatever_they_look_like():
    assert root("no: 1\n2024: 2\ntrue: 3\n").data() == {"no": 1, "2024": 2, "true": 3}


def test_standard_tags_are_harmless():
    assert root("a: !!str 1\nb: !!int '2'\nc: !!seq [x]\n").data() == {"a": "1", "b": 2, "c": ["x"]}


def test_aliases_and_merge_keys():
    text = "base: &base {a: 1, b: 2}\nx: *base\ny:\n  <<: *base\n  b: 3\nz:\n  <<: [{a: 5}, *base]\n"
    assert root(text).data() == {
        "base": {"a": 1, "b": 2},
        "x": {"a": 1, "b": 2},
        "y": {"b": 3, "a": 1},
        "z": {"a": 5, "b": 2},
    }


def test_a_quoted_merge_key_is_a_key():
    assert root("'<<': 1\n").data() == {"<<": 1}


def test_byte_order_marks_and_utf_16(tmp_path):
    for content in ("\ufeffa: 女\n".encode(), "a: 女\n".encode("utf-16")):
        path = tmp_path / "m.yaml"
        path.write_bytes(content)
        node = reader.read_file(path, "m.yaml", Problems())
        assert node is not None and node.data() == {"a": "女"}
        assert node.entries["a"].mark.column == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1: `a` is written twice; first at line 1"),
        ("? [a]\n: b\n", "1:3: a key has to be a text"),
        ("{{a: 1}: b}\n", "1:2: a key has to be a text"),
        ("a: &a 1\n*a : 2\n", "2:1: an alias cannot be a key"),
        ("a: *x\n", "1:4: no anchor `&x` comes before this alias"),
        ("a: &a [*a]\n", "1:8: `*a` stands inside of what it stands for"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins here"),
        ("a: !!python/object/apply:os.system [ls]\n", "1:4: tag `!!python/object/apply:os.system` is not allowed"),
        ("a: !secret x\n", "1:4: tag `!secret` is not allowed"),
        ("<<: 3\n", "1:5: `<<` takes a mapping or a list of mappings"),
        ("a: x\0y\n", "1:5: control character U+0000 in the text"),
        ("a: \x1b[31m\n", "1:4: control character U+001B in the text"),
    ],
)
def test_refused(text, message):
    assert message in read(text)[1]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 10_000, "- " * 500 + "x", "".join(" " * i + "a:\n" for i in range(200))]
)
def test_depth_ends_the_reading(text):
    node, problems = read(text)
    assert node is None
    assert len(problems) == 1 and f"deeper than {reader.MAX_DEPTH} levels" in problems[0]


def test_depth_counts_what_aliases_stand_for():
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 60)]
    assert "through this alias" in read("\n".join(lines))[1][0]


def test_a_yaml_bomb_is_counted_not_unfolded():
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [
        f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    node, problems = read("\n".join(lines))
    assert node is None and "more than 1,000,000 values" in problems[0]


def test_undecodable_bytes_are_located(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_bytes("version: 1\nname: café\n".encode("latin-1"))
    problems = Problems()
    assert reader.read_file(path, "m.yaml", problems) is None
    (problem,) = problems.errors
    assert (problem.line, problem.column, problem.message) == (2, 10, "byte 0xE9 is not UTF-8")


def test_a_file_too_large_is_not_read(tmp_path):
    path = tmp_path / "m.yaml"
    with path.open("wb") as file:
        file.truncate(reader.MAX_BYTES + 1)
    problems = Problems()
    assert reader.read_file(path, "m.yaml", problems) is None
    assert "larger than 16 MiB" in problems.errors[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs:\n\t- mode: t2v\n", "2:1: a tab where YAML wants spaces"),
        ("prompt: A man: a woman\n", "1:14: a second `: ` on one line"),
        ("prompts: {a: ${F}/y}\n", "1:14: `${` inside of brackets needs quotes"),
        ("output: {template: a/{name}}\n", "1:22: a bracket in a text inside of brackets needs quotes"),
        ("jobs: [1, 2\nname: x\n", "1:7: this `[` is not closed"),
        ("name: 'xx\njobs: []\n", "1:7: this quote is never closed"),
        ("name: @foo\n", "1:7: a text cannot begin with `@`"),
        ("path: *.jpg\n", "1:7: `*` begins an alias or anchor"),
        ("jobs:\n  - name: x\n   mode: y\n", "3:4: this line does not fit the list above it"),
        ("a: b\n  c: d\n", "2:3: a key is not expected here"),
        ('a: "\\q"\n', "1:5: `\\q` is no escape"),
        ("a: 'x'y\n", "1:7: text after a closing quote"),
        ("a: - x\n", "1:4: a list cannot begin here"),
        ("%FOO\n---\na: 1\n", "1:1: `%` begins a directive, and this one is not known"),
    ],
)
def test_syntax_errors_in_plain_words(text, message):
    node, problems = read(text)
    assert node is None
    assert problems == [message]

"""Prompts from text, CSV and JSONL files."""

from __future__ import annotations

import pytest


def prompts(project, name: str, content: str | bytes, more: str = "") -> list[tuple[str, str]]:
    project.write(name, content)
    text = f"version: 1\nprompts: {{p: {{file: {name}{more}}}}}\njobs: [{{mode: t2v, prompt: p}}]\n"
    return [(found.values["prompt"].name, found.values["prompt"].text) for found in project.variants(text)]


def told(project, name: str, content: str | bytes, more: str = "") -> list[str]:
    project.write(name, content)
    text = f"version: 1\nprompts: {{p: {{file: {name}{more}}}}}\njobs: [{{mode: t2v, prompt: p}}]\n"
    return [f"{found.where}: {found.message}" for found in project.problems(text)]


def test_text_has_a_prompt_on_each_line_that_is_not_empty(project):
    assert prompts(project, "p.txt", " one \r\n\r\ntwo: [x]\n# three") == [
        ("p-000001", "one"),
        ("p-000003", "two: [x]"),
        ("p-000004", "# three"),
    ]


def test_jsonl_has_objects_or_texts(project):
    content = '{"text": "one", "id": 3}\n\n"two"\n{"text": "\\u5973\u2028x"}\n'
    assert prompts(project, "p.jsonl", content) == [("p-000001", "one"), ("p-000003", "two"), ("p-000004", "女\u2028x")]


def test_jsonl_by_another_field(project):
    assert prompts(project, "p.jsonl", '{"caption": "one"}\n', ", field: caption") == [("p-000001", "one")]


def test_csv_has_a_header_and_quoted_cells(project):
    content = '\ufeffid,text\n1,"one, two"\n\n2,"over\ntwo lines"\n3,last\n'
    assert prompts(project, "p.csv", content) == [
        ("p-000002", "one, two"),
        ("p-000004", "over\ntwo lines"),
        ("p-000006", "last"),
    ]


def test_tsv(project):
    assert prompts(project, "p.tsv", "id\tcaption\n1\tone\n", ", field: caption") == [("p-000002", "one")]


def test_in_place_on_a_job_and_beside_other_axes(project):
    project.write("p.txt", "one\ntwo\n")
    text = "version: 1\njobs: [{mode: t2v, prompt: {file: p.txt}, matrix: {seed: 0..1}}]\n"
    found = [(variant.values["seed"], variant.values["prompt"].name) for variant in project.variants(text)]
    assert found == [(0, "p-000001"), (0, "p-000002"), (1, "p-000001"), (1, "p-000002")]


@pytest.mark.parametrize(
    ("name", "content", "more", "messages"),
    [
        ("p.txt", "\n  \n", "", ["manifest.yaml:2:21: p.txt has no prompts"]),
        ("p.txt", b"one\ncaf\xe9\n", "", ["p.txt:2:4: byte 0xE9 is not UTF-8"]),
        ("p.txt", "one\n", ", field: x", ["manifest.yaml:2:21: a text file has no fields, so no `field: x`"]),
        ("p.txt", "x" * 20_001, "", ["p.txt:1:1: a prompt of 20,001 characters; at most 20,000"]),
        ("p.jsonl", '{"text": "a"}\nnot json\n', "", ["p.jsonl:2:1: this is no JSON: expecting value"]),
        (
            "p.jsonl",
            '{"txt": "a"}\n{"text": 3}\n[1]\n{"text": " "}\n',
            "",
            [
                "p.jsonl:1:1: the object has no `text`",
                "p.jsonl:2:1: `text` is 3, not a text",
                "p.jsonl:3:1: an object or a text was expected, not a list",
                "p.jsonl:4:1: `text` is ' ', not a text",
            ],
        ),
        ("p.jsonl", "[" * 100_000, "", ["p.jsonl:1:1: this is no JSON that holds a prompt"]),
        ("p.jsonl", '{"text": ' + "9" * 5000 + "}", "", ["p.jsonl:1:1: this is no JSON that holds a prompt"]),
        ("p.csv", "id,caption\n1,a\n", "", ["p.csv:1:1: no column is called `text`"]),
        (
            "p.csv",
            "id,text\n1,a,b\n2,\n",
            "",
            ["p.csv:2:1: 3 columns, but the header has 2", "p.csv:3:1: the column `text` is empty"],
        ),
        ("p.csv", 'id,text\n1,"open\n', "", ["p.csv:2:1: this is no CSV: unexpected end of data"]),
        (
            "p.csv",
            "id,text\n1," + "x" * 200_000,
            "",
            ["p.csv:2:1: this is no CSV: field larger than field limit (131072)"],
        ),
        ("p.csv", "", "", ["p.csv:1:1: no column is called `text`"]),
    ],
)
def test_mistakes_are_told_with_the_line_of_the_file(project, name, content, more, messages):
    assert told(project, name, content, more) == messages


def test_a_wrong_file_is_not_told_line_by_line(project):
    messages = told(project, "p.jsonl", "nonsense\n" * 5000)
    assert len(messages) == 11
    assert messages[1] == "p.jsonl:1:1: this is no JSON: expecting value"
    assert "5,000 lines of this file hold no prompt" in messages[0]


def test_half_a_character_is_a_located_mistake(project):
    half, whole = "\\ud83d", "\\ud83d\\ude42"
    assert prompts(project, "p.jsonl", f'{{"text": "{whole}"}}\n') == [("p-000001", "🙂")]
    (found,) = told(project, "p.jsonl", f'{{"text": "{half}"}}\n"fine"\n')
    assert "p.jsonl:1" in found
    assert "`\\ud83d` is half a character" in found

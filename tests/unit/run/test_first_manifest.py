"""What the first manifest says: models, names, seeds, prompts and paths, and that it is there only if it is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_names import TRAPS, WORDS

from standin_batch.errors import UsageError
from standin_batch.manifest import ManifestError
from standin_batch.manifest.starter import Look, PromptsFile
from standin_batch.manifest.starter_names import distinct, prompt_name
from standin_batch.output.store import OutputError
from standin_batch.plan.estimate import CPU, Device
from standin_batch.run.first_manifest import (
    Wish,
    fitting_model,
    prompts_of,
    seeds_of,
    starter_of,
    write_starter,
    written,
)
from standin_batch.run.photographs import Photograph


@pytest.mark.parametrize(
    "device, model",
    [
        (CPU, "tiny"),
        (Device("GeForce RTX 3090", 24 << 30), "tiny"),
        (Device("A100", 40 << 30), "wan2.1-t2v-14b"),
        (Device("H200", 141 << 30), "wan2.1-t2v-14b"),
    ],
)
def test_the_machine_decides_what_is_proposed(device, model):
    assert fitting_model(device) == model


@pytest.mark.parametrize(
    "text, seeds, count",
    [
        ("0..3", "0..3", 4),
        (" 5 .. 5 ", "5..5", 1),
        ("7", "[7]", 1),
        ("1, 5,9", "[1, 5, 9]", 3),
        ("[3,3,4]", "[3, 4]", 2),
    ],
)
def test_seeds_are_written_as_a_matrix_takes_them(text, seeds, count):
    assert seeds_of(text) == (seeds, count)


@pytest.mark.parametrize("text", ["", "many", "3..1", "-1", "1.5", "0...3", "1,,2"])
def test_what_are_no_seeds_is_said(text):
    with pytest.raises(UsageError, match="are no seeds"):
        seeds_of(text)


@pytest.mark.parametrize(
    "file, manifest, path",
    [
        ("/home/ada/photos/a.jpg", "/home/ada/manifest.yaml", "photos/a.jpg"),
        ("/home/ada/photos/a.jpg", "/home/ada/manifests/m.yaml", "../photos/a.jpg"),
        ("/mnt/photos/a.jpg", "/home/ada/m.yaml", "/mnt/photos/a.jpg"),
        ("/home/ada/~root", "/home/ada/m.yaml", "./~root"),
        ("/home/ada/data:a.jpg", "/home/ada/m.yaml", "./data:a.jpg"),
    ],
)
def test_paths_are_relative_to_the_manifest_where_that_helps(file, manifest, path):
    assert written(Path(file), Path(manifest)) == path


def test_few_prompts_are_written_down_each_once(tmp_path):
    file = tmp_path / "prompts.txt"
    file.write_text("A man walks.\n\n一个人\nA man walks.\nA man walks home.\n")
    found = prompts_of(file, None, tmp_path / "m.yaml")
    assert found == {"man-walks": "A man walks.", "prompt-2": "一个人", "man-walks-home": "A man walks home."}


@pytest.mark.parametrize(
    "name, content, field",
    [
        ("p.txt", "A man {}.\n", None),
        ("p.csv", "A man {}.\n", "caption"),
        ("p.jsonl", '{{"caption": "{}"}}\n', "caption"),
    ],
)
def test_many_are_named_by_their_file(tmp_path, name, content, field):
    head = "caption\n" if name.endswith(".csv") else ""
    (tmp_path / name).write_text(head + "".join(content.format(number) for number in range(13)))
    assert prompts_of(tmp_path / name, field, tmp_path / "m.yaml") == PromptsFile("p", name, field or "", 13)


def test_wrong_prompts_are_told_by_line(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"text": "fine"}\n{"txt": "wrong"}\n')
    with pytest.raises(ManifestError, match=r"p\.jsonl:2"):
        prompts_of(tmp_path / "p.jsonl", None, tmp_path / "m.yaml")
    with pytest.raises(ManifestError, match="cannot be read"):
        prompts_of(tmp_path / "none.txt", None, tmp_path / "m.yaml")


def photographs(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"")
    return [Photograph(folder / name, True) for name in names]


def test_the_folder_gives_its_name(tmp_path):
    folder = tmp_path / "Tech Minute"
    folder.mkdir()
    wish = Wish(tmp_path / "m.yaml", "tiny")
    assert starter_of(wish, photographs(folder, "a.jpg"), Look.DETECTOR).name == "Tech-Minute"
    with pytest.raises(UsageError, match="is no name"):
        starter_of(Wish(tmp_path / "m.yaml", "tiny", name="a b"), photographs(folder, "a.jpg"), Look.DETECTOR)


def test_files_of_one_name_are_told_apart(tmp_path):
    made = starter_of(Wish(tmp_path / "m.yaml", "tiny"), photographs(tmp_path, "a.jpg", "a.png"), Look.DETECTOR)
    assert [(picture.name, picture.image) for picture in made.pictures] == [("a", "a.jpg"), ("a-2", "a.png")]


def test_it_is_written_if_it_is_right_and_not_at_all_otherwise(tmp_path):
    path = tmp_path / "deep" / "m.yaml"
    starter = starter_of(Wish(path, "tiny"), photographs(tmp_path, "a.jpg"), Look.NOT_ASKED)
    manifest = write_starter(starter, path)
    assert sum(job.size for job in manifest.jobs) == starter.total == 4
    (tmp_path / "a.jpg").unlink()
    path.unlink()
    with pytest.raises(ManifestError, match="does not exist"):
        write_starter(starter, path)
    assert list(path.parent.iterdir()) == []


def test_a_path_of_two_lines_breaks_no_comment(tmp_path):
    path = tmp_path / "two\nlines: [.yaml"
    starter = starter_of(Wish(path, "tiny"), photographs(tmp_path, "a.jpg"), Look.NOT_ASKED)
    assert write_starter(starter, path).name == starter.name


def test_where_nothing_can_be_written_that_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "m.yaml"
    starter = starter_of(Wish(path, "tiny"), photographs(tmp_path, "a.jpg"), Look.NOT_ASKED)
    with pytest.raises(OutputError, match="cannot be written"):
        write_starter(starter, path)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(WORDS | TRAPS, min_size=1, max_size=4),
    st.lists(WORDS | TRAPS | st.text("ab c", min_size=120), min_size=1, max_size=4),
)
def test_whatever_files_and_prompts_are_called_they_come_back(tmp_path_factory, files, prompts):
    folder = tmp_path_factory.mktemp("wild")
    found = [Photograph(folder / name, None) for name in dict.fromkeys(files) if can_be_a_file(folder, name)]
    texts = [text for text in dict.fromkeys(text.strip() for text in prompts) if text]
    if not found or not texts:
        return
    named = dict(zip(distinct(map(prompt_name, texts), "prompt"), texts, strict=True))
    path = folder / "manifest.yaml"
    starter = replace(starter_of(Wish(path, "tiny", name="wild"), found, Look.NOT_ASKED), prompts=named)
    made = [variant.values for variant in write_starter(starter, path).jobs[0].variants()]
    assert {value["identity"].image.name for value in made} == {photograph.path.name for photograph in found}
    assert {value["identity"].name for value in made} == {picture.name for picture in starter.pictures}
    assert {value["prompt"].name: value["prompt"].text for value in made} == named
    assert len(made) == starter.total


def can_be_a_file(folder, name):
    wrong = "/" in name or "\0" in name or not name.strip() or name in (".", "..", "manifest.yaml")
    if wrong or len(name.encode()) > 250:
        return False
    (folder / name).write_bytes(b"")
    return True

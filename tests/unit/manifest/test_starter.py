"""The starter manifest: whatever files and prompts are called, it reads back as what was meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from wild_names import TRAPS, WORDS

from standin_batch.manifest import load_manifest
from standin_batch.manifest.kinds import NAME
from standin_batch.manifest.schema import ManifestFile
from standin_batch.manifest.starter import Look, Picture, PromptsFile, Starter, starter_text
from standin_batch.manifest.starter_names import distinct, name_of, prompt_name
from standin_batch.manifest.starter_yaml import COLUMN, scalar
from standin_batch.weights.registry import ROWS

ADA = Picture("ada", "ada.jpg")
CAT = Picture("cat", "cat.png", "subject")
DESK = {"desk": "A man sits at a desk."}


def starter(**changes):
    given = {
        "path": "manifest.yaml",
        "name": "photos",
        "model": "tiny",
        "pictures": (ADA, CAT),
        "look": Look.DETECTOR,
        "prompts": DESK,
        "seeds": "0..1",
        "seed_count": 2,
    }
    return Starter(**{**given, **changes})


def loaded(made, folder: Path):
    path = folder / "manifest.yaml"
    path.write_text(starter_text(made), encoding="utf-8")
    return load_manifest(path, environ={})


@pytest.fixture
def folder(tmp_path):
    for name in ("ada.jpg", "cat.png", "clips/pose.mp4", "clips/anchor.mp4", "loras/ghibli.safetensors"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("model", ROWS)
@pytest.mark.parametrize("look", Look)
def test_it_is_valid_for_every_model(folder, model, look):
    made = starter(model=model, look=look)
    found = loaded(made, folder)
    assert found.name == "photos"
    assert found.warnings == ()
    (job,) = found.jobs
    assert job.size == made.total == 4
    first = next(iter(job.variants())).values
    assert (first["model"], first["mode"]) == (model, "t2v")
    wanted = {**ROWS[model].defaults, **({"fps": 8} if model.startswith("tiny") else {})}
    assert {key: first[key] for key in wanted} == wanted, "it writes down what holds anyway"


def test_who_has_no_face_is_taken_as_it_is(folder):
    identities = {variant.values["identity"] for variant in loaded(starter(), folder).jobs[0].variants()}
    assert {(identity.name, identity.kind) for identity in identities} == {("ada", "face"), ("cat", "subject")}


@pytest.mark.parametrize(
    "look, told",
    [
        (Look.DETECTOR, "Where no face was found"),
        (Look.TINY, "The tiny model knows one face"),
        (Look.NO_MODELS, "There were no face models to look with"),
        (Look.NOT_ASKED, "Each is taken as a face"),
    ],
)
def test_it_says_how_it_was_found_out(look, told):
    assert told in starter_text(starter(look=look))


def test_weights_are_fetched_where_they_are_not_made_here():
    assert "standin weights download" not in starter_text(starter())
    assert "standin weights download manifest.yaml" in starter_text(starter(model="wan2.1-t2v-14b"))


def test_where_all_have_faces_there_is_nothing_to_say():
    assert "no face" not in starter_text(starter(pictures=(ADA,)))


def test_what_is_commented_out_can_be_used(folder):
    """A line is YAML if a key or an item follows its `# `."""
    text = starter_text(starter())
    used = re.sub(r"^( *)# (?=(?: *- name| *[a-z_]+):)", r"\1", text, flags=re.MULTILINE)
    used = re.sub(r"^model: tiny .*\n", "", used, flags=re.MULTILINE)
    if "faces" not in ManifestFile.model_fields:
        used = re.sub(r"^faces:.*\n(?:  .*\n)+", "", used, flags=re.MULTILINE)
    (folder / "manifest.yaml").write_text(used, encoding="utf-8")
    found = load_manifest(folder / "manifest.yaml")
    assert [job.name for job in found.jobs] == ["portraits", "control", "swap"]
    assert [mode for job in found.jobs for mode in job.modes] == ["t2v", "vace", "face_swap"]
    assert next(iter(found.jobs[0].variants())).values["accept"].max_reseeds == 3
    assert {len(variant.values["loras"]) for variant in found.jobs[0].variants()} == {0, 1}
    assert found.output.lossless


def test_many_prompts_stay_in_their_file(folder):
    (folder / "captions.csv").write_text("caption\n" + "".join(f"Prompt {number}.\n" for number in range(30)))
    made = starter(prompts=PromptsFile("captions", "captions.csv", "caption", 30))
    assert loaded(made, folder).jobs[0].size == made.total == 2 * 30 * 2
    assert "Prompt 3" not in starter_text(made)


def test_many_people_fit_on_a_page(folder):
    people = tuple(Picture(f"person-number-{number}", "ada.jpg") for number in range(100))
    made = starter(pictures=people)
    assert loaded(made, folder).jobs[0].size == 200
    assert max(map(len, starter_text(made).splitlines())) <= 120


def test_comments_begin_in_one_column():
    lines = [line for line in starter_text(starter(pictures=(ADA,))).splitlines() if re.search(r"\S +# ", line)]
    assert len(lines) > 15
    assert {re.search(r"(?<=\S) +# ", line).end() - len("# ") for line in lines} == {COLUMN}


def test_where_lines_are_long_all_comments_of_a_section_move(folder):
    people = (CAT, Picture("somebody-with-a-name", "a-rather-long-name-of-a-file.jpg", "subject"))
    lines = [line for line in starter_text(starter(pictures=people)).splitlines() if line.endswith("# no face found")]
    assert len({line.index("#") for line in lines}) == 1
    assert lines[0].index("#") > COLUMN


@given(WORDS | TRAPS, st.booleans())
def test_a_scalar_is_what_it_was_for_any_reader_of_yaml(text, flow):
    line = f"[{scalar(text, flow=True)}]" if flow else f"key: {scalar(text)}"
    read = yaml.safe_load(line)
    assert (read[0] if flow else read["key"]) == text.replace("${", "$${")


@pytest.mark.parametrize(
    "stem, name",
    [
        ("ada", "ada"),
        ("IMG_2034", "IMG_2034"),
        ("Zoë Große (2)", "Zoe-Grosse-2"),
        ("José_Ñandú", "Jose_Nandu"),
        ("..hidden..", "hidden"),
        ("-dash-", "dash"),
        ("张三", ""),
        ("张三-1", ""),
        ("Łukasz", "Lukasz"),
        ("x" * 300, "x" * 40),
        ("!!!", ""),
    ],
)
def test_names_are_made_of_what_a_manifest_takes(stem, name):
    assert name_of(stem) == name


@given(st.lists(WORDS, min_size=1))
def test_every_name_is_one_and_no_two_are_the_same(texts):
    for names in (distinct(map(name_of, texts), "photo"), distinct(map(prompt_name, texts), "prompt")):
        assert all(NAME.match(name) for name in names)
        assert len({name.casefold() for name in names}) == len(texts)


def test_the_second_of_a_name_has_a_number():
    assert distinct(["ada", "Ada", "ada-2", "", "ada"], "photo") == ["ada", "Ada-2", "ada-2-2", "photo-4", "ada-3"]


@pytest.mark.parametrize(
    "text, name",
    [
        ("A person sits comfortably at a desk, facing the camera.", "person-sits-comfortably"),
        ("The.", "the"),
        ("一个人举起双手", ""),
        ("Über den Wolken", "uber-den-wolken"),
        ("on the", "on-the"),
    ],
)
def test_a_prompt_is_called_after_its_first_words(text, name):
    assert prompt_name(text) == name

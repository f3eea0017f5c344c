"""What names stand for: entries, or the thing in place."""

from __future__ import annotations

import pytest

from standin_batch.manifest import Identity, Lora, Prompt
from standin_batch.manifest.references import slug

TABLES = """\
identities: {lecun: faces/lecun.jpg, skater: {image: faces/skater.png, kind: subject, on_no_face: whole_image}}
loras:
  ghibli: {path: loras/ghibli.safetensors, scale: 0.9}
  turbo: {high_noise: loras/turbo_high.safetensors, low_noise: loras/turbo_low.safetensors}
videos: {pose: clips/pose.mp4}
prompts: {desk: At a desk, hands: {text: Hands up}}
"""


def test_identities(project):
    faces = project.folder / "faces"
    for written, identity in (
        ("lecun", Identity("lecun", faces / "lecun.jpg")),
        ("skater", Identity("skater", faces / "skater.png", "subject", "whole_image")),
        ("faces/ruonan.jpg", Identity("ruonan", faces / "ruonan.jpg")),
        ("{image: faces/ruonan.jpg, kind: subject}", Identity("ruonan", faces / "ruonan.jpg", "subject")),
        ("null", None),
    ):
        (variant,) = project.job(f"identity: {written}", top=TABLES)
        assert variant.values["identity"] == identity


def test_a_file_beside_the_manifest_needs_no_folder(project):
    project.write("me.jpg", "")
    (variant,) = project.job("identity: me.jpg")
    assert variant.values["identity"] == Identity("me", project.folder / "me.jpg")


def test_null_takes_back_what_the_defaults_say(project):
    top = TABLES + "defaults: {identity: lecun}\n"
    assert project.job("seed: 1", top=top)[0].values["identity"].name == "lecun"
    assert project.job("identity: null", top=top)[0].values["identity"] is None


def test_loras(project):
    folder = project.folder / "loras"
    ghibli = Lora("ghibli", {"all": folder / "ghibli.safetensors"}, 0.9)
    turbo = Lora(
        "turbo", {"high_noise": folder / "turbo_high.safetensors", "low_noise": folder / "turbo_low.safetensors"}
    )
    for written, loras in (
        ("[]", ()),
        ("[ghibli]", (ghibli,)),
        ("[{ghibli: 0.6}, turbo]", (Lora("ghibli", ghibli.files, 0.6), turbo)),
        ("[loras/ghibli.safetensors]", (Lora("ghibli", ghibli.files, 1.0),)),
        ("[{path: loras/ghibli.safetensors, scale: 2}]", (Lora("ghibli", ghibli.files, 2.0),)),
        ("[{loras/ghibli.safetensors: 0.5}]", (Lora("ghibli", ghibli.files, 0.5),)),
    ):
        (variant,) = project.job(f"model: tiny-2.2, loras: {written}", top=TABLES)
        assert variant.values["loras"] == loras


def test_prompts(project):
    for written, prompt in (
        ("desk", Prompt("desk", "At a desk")),
        ("hands", Prompt("hands", "Hands up")),
        ("A man walks.", Prompt("a-man-walks", "A man walks.")),
        ("{text: hello}", Prompt("hello", "hello")),
        ("一个女人", Prompt(slug("一个女人"), "一个女人")),
    ):
        (variant,) = project.variants(f"version: 1\n{TABLES}jobs: [{{mode: t2v, prompt: {written}}}]\n")
        assert variant.values["prompt"] == prompt


@pytest.mark.parametrize("text", ["A man walks. " * 50, "一个女人举起双手", "a 女", "!?", "../../etc", "x" * 500])
def test_a_label_is_safe_in_a_file_name_and_stable(text):
    assert slug(text) == slug(text)
    assert 0 < len(slug(text)) <= 40
    assert slug(text).replace("-", "").isalnum() and slug(text).isascii()


def test_texts_without_latin_letters_have_labels_of_their_own():
    assert slug("一个女人") != slug("一个男人")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("identity: lecunn", "there is no identity `lecunn`"),
        ("identity: lecun.png", "there is no identity or file `lecun.png`"),
        ("identity: faces/nobody.jpg", "the image 'faces/nobody.jpg' does not exist"),
        ("identity: faces", "there is no identity `faces`"),
        ("identity: ./faces", "the image './faces' is a folder"),
        ("identity: https://example.com/x.jpg", "'https://example.com/x.jpg' is a URL"),
        ("identity: {kind: face}", "the identity here has no `image`"),
        ("identity: {image: faces/lecun.jpg, kind: human}", "`kind` must be `face` or `subject`, not 'human'"),
        ("loras: [ghilbi]", "there is no LoRA `ghilbi`"),
        ("loras: [{ghibli: strong}]", "`scale` must be a number from -10 to 10, not 'strong'"),
        ("loras: [{ghibli: 1, turbo: 2}]", "a LoRA with a scale is one name and one number"),
        ("loras: [7]", "a LoRA must be a name, not 7"),
        ("loras: [{scale: 1}]", "the LoRA here names no file"),
        (
            "loras: [{path: loras/ghibli.safetensors, low_noise: loras/turbo_low.safetensors}]",
            "the LoRA here names a `path` and a file per expert",
        ),
    ],
)
def test_references_to_nothing(project, keys, message):
    assert project.job_problems(keys, top=TABLES) == [message]


def test_an_unknown_prompt_says_how_to_mean_a_text(project):
    (problem,) = project.problems("version: 1\njobs: [{mode: t2v, prompt: hello}]\n")
    assert (problem.message, problem.hint) == (
        "there is no prompt `hello`",
        "write `{text: hello}` if it is the text itself",
    )


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("identities: {'a b': faces/lecun.jpg}", "'a b' is no name"),
        ("identities: {../x: faces/lecun.jpg}", "'../x' is no name"),
        ("identities: {x: faces/lecun.jpeg}", "the image 'faces/lecun.jpeg' does not exist"),
        ("identities: {x: }", "the identity `x` is empty"),
        ("identities: {x: {}}", "the identity `x` has no `image`"),
        ("identities: {x: {image: faces/lecun.jpg, imgae: y}}", "the identity `x` has no key `imgae`"),
        ("videos: {x: [a]}", "`path` must be a path, not a list"),
        ("prompts: {x: 3}", "`text` must be a text, not 3"),
        ("prompts: {x: {text: a, file: b}}", "the prompt `x` has both a `text` and a `file`"),
        ("prompts: {x: {field: a}}", "the prompt `x` has neither a `text` nor a `file`"),
        ("prompts: {x: {text: a, field: b}}", "`field` is for a file of prompts"),
        ("prompts: {x: '  '}", "the prompt `x` is empty"),
    ],
)
def test_entries_are_checked_also_when_nobody_uses_them(project, section, message):
    text = f"version: 1\n{section}\njobs: [{{mode: t2v, prompt: A man walks.}}]\n"
    assert [found.message for found in project.problems(text)] == [message]


def test_a_wrong_entry_is_told_once_however_often_it_is_used(project):
    text = (
        "version: 1\nidentities: {x: faces/nobody.jpg}\ndefaults: {mode: t2v, prompt: A man walks.}\n"
        "jobs: [{identity: x}, {identity: x, seed: y}]\n"
    )
    assert len(project.problems(text)) == 2


def test_a_missing_file_suggests_its_neighbour(project):
    (problem,) = project.problems("version: 1\njobs: [{mode: t2v, prompt: a b, identity: faces/lecum.jpg}]\n")
    assert problem.hint == "did you mean `faces/lecun.jpg`?"

"""A manifest as a whole: the example, every mistake at once, and what it costs."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from standin_batch.manifest import Condition, Identity, ManifestError, load_manifest
from standin_batch.manifest.job_keys import COMMON_KEYS
from standin_batch.manifest.manifest import mode_defaults

EXAMPLE = """\
version: 1
name: tech-minute
model: wan2.1-t2v-14b
output: {folder: outputs/tech-minute, template: "{name}/{identity}-{prompt}-{seed}-{job_id}", quality: 9}
defaults: {width: 832, height: 480, num_frames: 81, fps: 25, num_inference_steps: 20, cfg_scale: 5.0, sigma_shift: 5.0}
identities:
  lecun: {image: faces/lecun.jpg}
  ruonan: faces/ruonan.jpg
  skater: {image: faces/skater.png, kind: subject}
loras:
  ghibli: {path: loras/ghibli.safetensors, scale: 1.0}
  turbo: {high_noise: loras/turbo_high.safetensors, low_noise: loras/turbo_low.safetensors, scale: 0.8}
videos: {raise_hands: clips/pose.mp4, anchor: clips/woman.mp4}
prompts:
  desk: >-
    A man sits comfortably at a desk, facing the camera as if talking to a friend.
  hands: 一个女人举起双手
  captions: {file: captions.jsonl, field: text}
jobs:
  - name: portraits
    mode: t2v
    matrix:
      identity: [lecun, skater]
      prompt: [desk, captions]
      seed: 0..3
      loras: [[], [ghibli], [{ghibli: 0.6}]]
      exclude:
        - {identity: skater, loras: [ghibli]}
    accept: {face_similarity: ">= 0.55", max_reseeds: 3}
  - name: raise-hands
    mode: vace
    identity: lecun
    prompt: hands
    reference_video: raise_hands
    reference_image: faces/first_frame.png
    vace_scale: 0.8
  - name: swap-anchor
    mode: face_swap
    identity: ruonan
    prompt: The video features a woman in front of a large screen.
    input_video: anchor
    denoising_strength: 0.85
    force_background_consistency: false
    priority: 10
"""

EIGHT = """\
version: 1
model: wan2.1-t2v-14
defaults:
  num_frames: 80
identities: {lecun: faces/lecun.jpg}
prompts: {desk: A man sits at a desk.}
jobs:
  - name: portraits
    sead: 3
    mode: t2w
    seed: three
    identity: lecunn
    prompt: desc
    width: -832
"""


@pytest.fixture
def example(project):
    project.write("captions.jsonl", '{"text": "one"}\n{"text": "two"}\n{"text": "three"}\n')
    return project


def test_the_example(example):
    manifest = example.load(EXAMPLE)
    assert (manifest.name, str(manifest.output.folder), manifest.output.quality) == (
        "tech-minute",
        "outputs/tech-minute",
        9,
    )
    assert [(job.name, job.size, job.mark.line) for job in manifest.jobs] == [
        ("portraits", (2 * 3 - 1) * 4 * 4, 20),
        ("raise-hands", 1, 30),
        ("swap-anchor", 1, 37),
    ]
    assert [len(list(job.variants())) for job in manifest.jobs] == [80, 1, 1]


def test_a_variant_has_every_key_that_its_mode_reads_and_no_other(example):
    for job in example.load(EXAMPLE).jobs:
        for variant in job.variants():
            own = set(mode_defaults(variant.values["mode"]))
            assert set(variant.values) == COMMON_KEYS | own


def test_references_are_replaced_and_paths_are_absolute(example):
    portraits, hands, swap = example.load(EXAMPLE).jobs
    first = next(portraits.variants()).values
    assert first["identity"] == Identity("lecun", example.folder / "faces/lecun.jpg")
    assert first["accept"].conditions == (Condition("face_similarity", ">=", 0.55),)
    assert first["accept"].max_reseeds == 3
    vace = next(hands.variants()).values
    assert vace["reference_video"].path == example.folder / "clips/pose.mp4"
    assert vace["reference_image"] == example.folder / "faces/first_frame.png"
    assert (vace["prompt"].name, vace["prompt"].text) == ("hands", "一个女人举起双手")
    swapped = next(swap.variants())
    assert swapped.values["input_video"].name == "anchor"
    assert swapped.values["target"] == "largest"
    assert "denoising_strength" in swapped.explicit and "width" not in swapped.explicit


def test_a_score_that_does_not_apply_is_a_warning(example):
    (warning,) = example.load(EXAMPLE).warnings
    assert "`skater` is no face" in warning.message


def test_eight_mistakes_give_eight_located_messages(project):
    assert project.messages(EIGHT) == [
        "2:8: there is no model `wan2.1-t2v-14`",
        "4:15: `num_frames` is 80, which is not 4n+1",
        "9:5: job `portraits` has no key `sead`",
        "10:11: there is no mode `t2w`",
        "11:11: `seed` must be a whole number, 0 or more, below 2^63, or `random`, not 'three'",
        "12:15: there is no identity `lecunn`",
        "13:13: there is no prompt `desc`",
        "14:12: `width` must be a whole number from 16 to 8192, a multiple of 16, not -832",
    ]
    assert [found.hint for found in project.problems(EIGHT)] == [
        "did you mean `wan2.1-t2v-14b`?",
        "the nearest are 77 and 81",
        "did you mean `seed`?",
        "did you mean `t2v`?",
        "",
        "did you mean `lecun`?",
        "did you mean `desk`? Or write `{text: desc}` if it is the text itself",
        "did you mean 832?",
    ]


def test_the_smallest_manifest(project):
    (variant,) = project.variants("version: 1\njobs: [{mode: t2v, prompt: A man walks.}]\n")
    assert (variant.values["name"], variant.values["model"], variant.values["identity"]) == ("job-1", "tiny", None)


def test_the_name_is_the_files_unless_said(project):
    project.write("my films (2).yaml", "version: 1\njobs: [{mode: t2v, prompt: A man walks.}]\n")
    manifest = load_manifest(project.folder / "my films (2).yaml", environ={})
    assert (manifest.name, str(manifest.output.folder)) == ("my-films-2", "outputs/my-films-2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: the manifest is empty"),
        ("# nothing\n", "1:1: the manifest is empty"),
        ("hello\n", "1:1: a manifest is a mapping, not 'hello'"),
        ("- a\n", "1:1: a manifest is a mapping, not a list"),
        ("jobs: [{mode: t2v, prompt: a b}]\n", "1:1: the manifest has no `version`"),
        ("version: 2\njobs: [{mode: t2v, prompt: a b}]\n", "1:10: `version` must be `1`, not 2"),
        ("version: 1\n", "1:1: the manifest has no jobs"),
        ("version: 1\njobs: []\n", "2:1: the manifest has no jobs"),
        ("version: 1\njobs: {mode: t2v}\n", "2:7: `jobs` must be a list, not a mapping"),
        ("version: 1\njobs: [text]\n", "2:8: a job must be a mapping, not 'text'"),
        (
            "version: 1\nidentities: [a]\njobs: [{mode: t2v, prompt: a b}]\n",
            "2:13: `identities` must be a mapping, not a list",
        ),
    ],
)
def test_the_outline(project, text, message):
    assert project.messages(text) == [message]


def test_an_empty_section_is_no_mistake(project):
    assert project.variants("version: 1\nidentities:\nloras:\njobs: [{mode: t2v, prompt: A man walks.}]\n")


def test_files_that_cannot_be_read(project):
    for path, message in (("nothere.yaml", "there is no such file"), ("faces", "this is a folder, not a file")):
        with pytest.raises(ManifestError) as caught:
            load_manifest(project.folder / path)
        assert caught.value.problems[0].message == message


def test_a_hundred_thousand_captions_are_a_matter_of_seconds(project):
    lines = "".join(f'{{"text": "Caption {i}: a man sits at a desk, facing the camera."}}\n' for i in range(100_000))
    project.write("captions.jsonl", lines)
    text = (
        "version: 1\nprompts: {captions: {file: captions.jsonl}}\n"
        "jobs: [{mode: t2v, identity: faces/lecun.jpg, prompt: captions}]\n"
    )
    began = time.monotonic()
    variants = project.variants(text)
    assert time.monotonic() - began < 10
    assert len(variants) == 100_000
    assert variants[122].values["prompt"].name == "captions-000123"


def test_ten_thousand_jobs_are_a_matter_of_seconds(project):
    jobs = "".join(f"  - {{name: j{i}, mode: t2v, prompt: desk, seed: {i}}}\n" for i in range(10_000))
    began = time.monotonic()
    assert len(project.load(f"version: 1\nprompts: {{desk: A man}}\njobs:\n{jobs}").jobs) == 10_000
    assert time.monotonic() - began < 15


def test_loading_imports_no_torch(repository):
    code = (
        "import sys; from pathlib import Path; from standin_batch.manifest import load_manifest; "
        "load_manifest(Path('manifests/quickstart.yaml')); "
        "print([name for name in ('torch', 'diffsynth', 'cv2', 'numpy', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Which keys go together."""

from __future__ import annotations

import pytest

SWAP = "mode: face_swap, prompt: A man walks., "
TURBO = "{high_noise: loras/turbo_high.safetensors, low_noise: loras/turbo_low.safetensors}"


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        ("prompt: a b", ["job `a` has no `mode`"]),
        ("mode: t2v", ["job `a` has no `prompt`"]),
        ("seed: 1", ["job `a` has no `mode`", "job `a` has no `prompt`"]),
        (SWAP, ["mode face_swap needs `identity`", "mode face_swap needs `input_video`"]),
        (SWAP + "identity: faces/lecun.jpg", ["mode face_swap needs `input_video`"]),
        (SWAP + "input_video: clips/woman.mp4, identity: null", ["mode face_swap needs `identity`"]),
        (
            SWAP + "input_video: clips/woman.mp4, matrix: {identity: [faces/lecun.jpg, null]}",
            ["mode face_swap needs `identity`"],
        ),
        ("mode: t2v, prompt: a b, vace_scale: 0.5", ["`vace_scale` is read by mode vace only; this job's mode is t2v"]),
        (
            "mode: t2v, prompt: a b, max_frames: 81",
            ["`max_frames` is read by mode vace and face_swap only; this job's mode is t2v"],
        ),
        (
            "mode: t2v, prompt: a b, matrix: {vace_scale: [0.5]}",
            ["`vace_scale` is read by mode vace only; this job's mode is t2v"],
        ),
        (
            "mode: vace, model: tiny-2.2, prompt: a b",
            ["mode vace needs vace weights, which model tiny-2.2 does not have"],
        ),
        (
            "mode: vace, prompt: a b, preprocess: pose, reference_video: clips/woman.mp4",
            ["`preprocess: pose` needs a model that comes with none of the libraries used here"],
        ),
        (
            SWAP + "input_video: clips/woman.mp4, identity: {image: faces/skater.png, kind: subject}",
            ["`skater` is no face, so there is none to paste"],
        ),
        (
            SWAP + "input_video: clips/woman.mp4, identity: faces/lecun.jpg, target: 1, target_image: faces/skater.png",
            ["`target` and `target_image` both say who is replaced"],
        ),
        (
            "mode: t2v, prompt: a b, cfg_scale: {high_noise: 3}",
            ["`cfg_scale` names two experts, but model tiny has one"],
        ),
        (
            "mode: t2v, prompt: a b, matrix: {model: [tiny-2.2, tiny], cfg_scale: [{high_noise: 3}]}",
            ["`cfg_scale` names two experts, but model tiny has one"],
        ),
        (
            f"mode: t2v, prompt: a b, loras: [{TURBO}]",
            ["LoRA `turbo_high` has a file for high_noise and low_noise, but model tiny has one expert"],
        ),
    ],
)
def test_mistakes(project, keys, messages):
    assert project.job_problems(keys, mode="") == messages


@pytest.mark.parametrize(
    "keys",
    [
        "mode: vace, prompt: a b",
        SWAP + "input_video: clips/woman.mp4, matrix: {identity: [faces/lecun.jpg, null], exclude: [{identity: null}]}",
        "prompt: a b, identity: faces/lecun.jpg, input_video: clips/woman.mp4, vace_scale: 1, "
        "matrix: {mode: [vace, face_swap]}",
        "mode: t2v, prompt: a b, matrix: {model: [tiny, tiny-2.2], cfg_scale: [3, {high_noise: 3}], "
        "exclude: [{model: tiny, cfg_scale: {high_noise: 3}}]}",
        f"mode: t2v, prompt: a b, model: tiny-2.2, loras: [{TURBO}]",
    ],
)
def test_what_goes_together(project, keys):
    assert project.load(f"version: 1\njobs: [{{name: a, {keys}}}]\n").jobs


def test_a_wrong_mode_hides_nothing_and_invents_nothing(project):
    assert project.job_problems("mode: vase, prompt: a b, seed: x, vace_scale: 0.5, wdith: 3", mode="") == [
        "there is no mode `vase`",
        "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not 'x'",
        "job `a` has no key `wdith`",
    ]


def test_job_names_are_unique(project):
    jobs = "jobs:\n  - {name: x}\n  - {seed: 1}\n  - {name: x}\n  - {name: job-2}\n"
    text = f"version: 1\ndefaults: {{mode: t2v, prompt: a b}}\n{jobs}"
    assert project.messages(text) == [
        "6:12: two jobs are called `x`; the other one is at line 4",
        "7:12: two jobs are called `job-2`; the other one is at line 5",
    ]


def test_scores_that_do_not_apply_are_warnings(project):
    text = (
        'version: 1\ndefaults: {mode: t2v, prompt: a b, accept: {face_similarity: "> 0.5"}}\n'
        "jobs: [{seed: 1}, {identity: {image: faces/skater.png, kind: subject}}, {identity: faces/lecun.jpg}]\n"
    )
    assert [found.message for found in project.load(text).warnings] == [
        "`skater` is no face, so `face_similarity` does not apply to it",
        "a clip without identity has no face to compare, so `face_similarity` does not apply to it",
    ]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("template: '../{name}'", "`template` leads out of the output folder"),
        ("template: '/tmp/{name}'", "`template` is an absolute path"),
        ("template: '{name}/../../{seed}'", "`template` leads out of the output folder"),
        ("template: '{nmae}'", "`template` has no field `{nmae}`"),
        ("template: '{name.__class__}'", "`template` has no field `{name.__class__}`"),
        ("template: '{}'", "`template` has no field `{}`"),
        ("template: '{seed:04}'", "a field of `template` takes no format"),
        ("template: '{name!r}'", "a field of `template` takes no format"),
        ("template: '{name'", "`template` has a brace without its partner"),
        ("template: 'a//{name}'", "`template` has an empty, hidden or very long part"),
        ("template: '.hidden/{name}'", "`template` has an empty, hidden or very long part"),
        ("template: 'a\\b'", "`template` has a backslash or a control character"),
        ("folder: ../elsewhere", "the output folder leads out of the current directory"),
        ("folder: a/../../b", "the output folder leads out of the current directory"),
        ("folder: s3://bucket/x", "the output folder is a URL"),
        ("folder: faces/lecun.jpg", "the output folder is a file"),
        ("folder: ''", "`folder` must be a path, not ''"),
        ('folder: "a\\0b"', "the output folder has no usable name"),
        ("quality: 0", "`quality` must be a whole number from 1 to 10, not 0"),
        ("lossless: maybe", "`lossless` must be `true` or `false`, not 'maybe'"),
        ("keep_latent: true", "`output` has no key `keep_latent`"),
    ],
)
def test_output(project, output, message):
    text = f"version: 1\noutput: {{{output}}}\njobs: [{{mode: t2v, prompt: a b}}]\n"
    assert [found.message for found in project.problems(text)] == [message]


def test_an_output_folder_elsewhere_is_asked_for_by_its_full_path(project):
    manifest = project.load("version: 1\noutput: {folder: /data/out}\njobs: [{mode: t2v, prompt: a b}]\n")
    assert str(manifest.output.folder) == "/data/out"

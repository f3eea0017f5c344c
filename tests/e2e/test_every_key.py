"""Every key of the manifest, through the command line: what it does to the jobs, and what is said of a wrong value."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from standin_batch.manifest.json_schema import manifest_schema
from standin_batch.output.video import write_video

BASE = {
    "model": "tiny",
    "output": {},
    "run": {},
    "faces": {},
    "scores": {},
    "defaults": {},
    "identities": {"ada": {"image": "ada.png"}},
    "loras": {"style": {"path": "style.safetensors"}},
    "videos": {"clip": {"path": "clip.mp4"}},
    "prompts": {"desk": {"text": "At a desk."}},
    "jobs": [{"name": "one", "mode": "t2v", "identity": "ada", "prompt": "desk"}],
}
VACE = {"mode": "vace", "reference_video": "clip"}
SWAP = {"mode": "face_swap", "input_video": "clip"}

OTHER_VIDEO, SAME_VIDEO = "other ids", "same ids"

JOB_KEYS = {
    "mode": ({}, "vace", OTHER_VIDEO, "teapot"),
    "model": ({}, "tiny-2.2", OTHER_VIDEO, "tinny"),
    "identity": ({}, "bob.png", OTHER_VIDEO, "bob"),
    "prompt": ({}, "Under a tree.", OTHER_VIDEO, "dsk"),
    "negative_prompt": ({}, "blurry", OTHER_VIDEO, 3),
    "seed": ({}, 5, OTHER_VIDEO, "twelve"),
    "width": ({}, 176, OTHER_VIDEO, -16),
    "height": ({}, 112, OTHER_VIDEO, 100),
    "num_frames": ({}, 13, OTHER_VIDEO, 12),
    "fps": ({}, 30, OTHER_VIDEO, 0),
    "num_inference_steps": ({}, 8, OTHER_VIDEO, 0),
    "cfg_scale": ({}, 2.5, OTHER_VIDEO, "high"),
    "sigma_shift": ({}, 3, OTHER_VIDEO, -1),
    "loras": ({}, ["style"], OTHER_VIDEO, ["stile"]),
    "dtype": ({}, "bfloat16", OTHER_VIDEO, "float8"),
    "vae_tiled": ({}, True, OTHER_VIDEO, "yes"),
    "speed": ({}, {"cache": 0.1}, OTHER_VIDEO, {"cache": 2}),
    "priority": ({}, 3, SAME_VIDEO, "high"),
    "retries": ({}, 0, SAME_VIDEO, -1),
    "accept": ({}, {"face_similarity": ">= 0.5"}, SAME_VIDEO, {"face_similarity": "good"}),
    "reference_video": ({"mode": "vace"}, "clip", OTHER_VIDEO, "clap"),
    "reference_image": (VACE, "bob.png", OTHER_VIDEO, "bab.png"),
    "vace_scale": (VACE, 0.5, OTHER_VIDEO, -1),
    "preprocess": (VACE, "canny", OTHER_VIDEO, "cany"),
    "input_video": (SWAP, "other.mp4", OTHER_VIDEO, "clap"),
    "denoising_strength": (SWAP, 0.5, OTHER_VIDEO, 2),
    "force_background_consistency": (SWAP, True, OTHER_VIDEO, "False"),
    "target": (SWAP, 1, OTHER_VIDEO, "smallest"),
    "target_image": (SWAP, "bob.png", OTHER_VIDEO, "bab.png"),
    "frames_without_face": (SWAP, "interpolate", OTHER_VIDEO, "drop"),
    "paste": (SWAP, False, OTHER_VIDEO, "no"),
    "max_frames": (VACE, 1, OTHER_VIDEO, 4),
    "max_pixels": (VACE, 1024, OTHER_VIDEO, -1),
}
"""For each key of a job: what it needs beside it, a value, what that does to the ids, and a wrong value."""

NAMED = {"loras": "stile", "accept": "face_similarity", "speed": "cache"}
"""What the message names where it is not the key itself, but what stands in it."""

ENTRY_KEYS = {
    ("identities", "ada", "image"): ("bob.png", OTHER_VIDEO, "bab.png"),
    ("identities", "ada", "kind"): ("subject", OTHER_VIDEO, "animal"),
    ("identities", "ada", "on_no_face"): ("whole_image", OTHER_VIDEO, "ignore"),
    ("loras", "style", "path"): ("other.safetensors", SAME_VIDEO, "stile.safetensors"),
    ("loras", "style", "scale"): (0.5, SAME_VIDEO, "strong"),
    ("videos", "clip", "path"): ("other.mp4", SAME_VIDEO, "clap.mp4"),
    ("prompts", "desk", "text"): ("At another desk.", OTHER_VIDEO, 3),
    ("output", "folder"): ("outputs/elsewhere", SAME_VIDEO, "../outside"),
    ("output", "template"): ("{seed}-{job_id}", SAME_VIDEO, "{sed}"),
    ("output", "quality"): (5, SAME_VIDEO, 11),
    ("output", "lossless"): (True, SAME_VIDEO, "on"),
    ("output", "keep_latents"): (True, SAME_VIDEO, 2),
    ("run", "checkpoint_every"): (5, SAME_VIDEO, "often"),
    ("run", "max_failures"): (3, SAME_VIDEO, 0),
    ("run", "on_finish"): ("true", SAME_VIDEO, 3),
    ("scores", "enabled"): (False, SAME_VIDEO, "no"),
    ("scores", "frames"): (4, SAME_VIDEO, 0),
    ("faces", "min_side"): (128, SAME_VIDEO, -1),
    ("faces", "max_second_face"): (0.8, SAME_VIDEO, 1.5),
    ("faces", "min_sharpness"): (80, SAME_VIDEO, "sharp"),
    ("faces", "max_yaw"): (20, SAME_VIDEO, 181),
    ("faces", "max_pitch"): (20, SAME_VIDEO, 181),
    ("faces", "max_roll"): (20, SAME_VIDEO, 181),
    ("faces", "max_cut_off"): (0.1, SAME_VIDEO, 1.5),
    ("faces", "min_brightness"): (80, SAME_VIDEO, 256),
    ("faces", "max_blown_out"): (0.1, SAME_VIDEO, 1.5),
    ("faces", "same_person"): (0.6, SAME_VIDEO, 1.5),
    ("faces", "min_coverage"): (0.9, SAME_VIDEO, 1.5),
    ("faces", "refuse"): (["blurred"], SAME_VIDEO, ["blury"]),
    ("name",): ("other", SAME_VIDEO, "../name"),
    ("version",): (1, SAME_VIDEO, 2),
    ("model",): ("tiny-2.2", OTHER_VIDEO, "tine"),
}


@pytest.fixture
def here(workspace):
    """A folder with two pictures, two videos and two LoRAs, that manifests can name."""
    folder = workspace.folder
    frames = np.zeros((5, 64, 64, 3), np.uint8)
    for number, (picture, video, lora) in enumerate(
        [("ada.png", "clip.mp4", "style.safetensors"), ("bob.png", "other.mp4", "other.safetensors")]
    ):
        Image.new("RGB", (64, 64), (number * 90, 80, 80)).save(folder / picture)
        write_video(folder / video, frames + number * 50, 8.0, metadata={})
        save_file({"w": np.full((2, 2), number, np.float32)}, folder / lora)
    return workspace


def plan(workspace, manifest, *arguments):
    ran = workspace.standin("plan", manifest, "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def ids(workspace, manifest, *arguments):
    return [job["job_id"] for job in plan(workspace, manifest, *arguments)["jobs"]]


def written(workspace, name, path, value, beside=None):
    """The base manifest with one more key in it, and in its job what that needs."""
    content = copy.deepcopy(BASE)
    content["jobs"][0].update(beside or {})
    *parents, key = path
    place = content
    for parent in parents:
        place = place[parent]
    place[key] = value
    return workspace.manifest(name, content)


def expect(workspace, before, after, effect):
    if effect is not None:
        assert (ids(workspace, before) != ids(workspace, after)) == (effect == OTHER_VIDEO)


def refused(workspace, manifest, said):
    ran = workspace.standin("validate", manifest)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert said in ran.stderr
    assert f"{manifest.name}:" in ran.stderr, "with its place"


@pytest.mark.parametrize("key", JOB_KEYS)
def test_a_key_of_a_job(here, key):
    beside, value, effect, wrong = JOB_KEYS[key]
    before = here.manifest("base", {**BASE, "jobs": [{**BASE["jobs"][0], **beside}]})
    expect(here, before, written(here, "changed", ("jobs", 0, key), value, beside), effect)
    refused(here, written(here, "wrong", ("jobs", 0, key), wrong, beside), NAMED.get(key, key))


@pytest.mark.parametrize("key", JOB_KEYS)
def test_the_same_key_among_the_defaults_in_a_matrix_and_on_the_command_line(here, key):
    beside, value, _, _ = JOB_KEYS[key]
    job = {**BASE["jobs"][0], **beside}
    direct = here.manifest("direct", {**BASE, "jobs": [{**job, key: value}]})
    job.pop(key, None)
    default = here.manifest("default", {**BASE, "defaults": {key: value}, "jobs": [job]})
    matrix = here.manifest("matrix", {**BASE, "jobs": [{**job, "matrix": {key: [value]}}]})
    plain = here.manifest("plain", {**BASE, "jobs": [{**job, key: value}]})
    found = ids(here, direct)
    assert ids(here, default) == found
    assert ids(here, matrix) == found
    assert ids(here, plain, "--set", f"jobs.one.{key}={json.dumps(value)}") == found


@pytest.mark.parametrize("path", ENTRY_KEYS, ids=".".join)
def test_a_key_elsewhere(here, path):
    value, effect, wrong = ENTRY_KEYS[path]
    before = here.manifest("base", BASE)
    expect(here, before, written(here, "changed", path, value), effect)
    refused(here, written(here, "wrong", path, wrong), str(wrong[0] if isinstance(wrong, list) else wrong))


def test_the_name_and_the_folder_say_where_the_results_go(here):
    assert plan(here, written(here, "one", ("name",), "other"))["folder"] == "outputs/other"
    assert plan(here, written(here, "two", ("output", "folder"), "elsewhere"))["folder"] == "elsewhere"


def test_a_lora_counts_by_its_files_experts_and_scale(here):
    def with_lora(name, entry, use="style"):
        jobs = [{**BASE["jobs"][0], "model": "tiny-2.2", "loras": [use]}]
        return ids(here, here.manifest(name, {**BASE, "loras": {"style": entry}, "jobs": jobs}))

    entries = [
        {"path": "style.safetensors"},
        {"path": "other.safetensors"},
        {"path": "style.safetensors", "scale": 0.5},
        {"high_noise": "style.safetensors", "low_noise": "other.safetensors"},
        {"high_noise": "other.safetensors", "low_noise": "style.safetensors"},
    ]
    found = [with_lora(f"lora{number}", entry) for number, entry in enumerate(entries)]
    assert len({tuple(each) for each in found}) == len(entries)
    assert with_lora("used", entries[0], use={"style": 0.5}) == found[2]


def test_a_prompt_file_is_a_job_for_each_line(here):
    (here.folder / "captions.jsonl").write_text('{"text": "One."}\n{"text": "Two.", "note": "x"}\n')
    prompts = {"captions": {"file": "captions.jsonl", "field": "text"}}
    jobs = [{"name": "one", "mode": "t2v", "prompt": "captions"}]
    assert len(ids(here, here.manifest("captions", {**BASE, "prompts": prompts, "jobs": jobs}))) == 2
    prompts["captions"]["field"] = "txt"
    ran = here.standin("validate", here.manifest("wrong", {**BASE, "prompts": prompts, "jobs": jobs}))
    assert ran.returncode == 2
    assert "captions.jsonl:1:1" in ran.stderr, "the mistake lies in the prompt file"


def test_a_matrix_includes_and_excludes(here):
    matrix = {"seed": "0..3", "exclude": [{"seed": 2}], "include": [{"seed": 9, "width": 64}]}
    jobs = [{**BASE["jobs"][0], "matrix": matrix}]
    assert len(ids(here, here.manifest("matrix", {**BASE, "jobs": jobs}))) == 4


def test_an_include_brings_its_jobs_along(here):
    here.manifest("shared", {"jobs": [{"name": "shared", "mode": "t2v", "prompt": {"text": "A tree."}}]})
    found = plan(here, here.manifest("main", {**BASE, "include": ["shared.yaml"]}))
    assert {job["name"] for job in found["jobs"]} == {"shared", "one"}


def test_no_key_was_forgotten():
    schema = manifest_schema()
    definitions = schema["$defs"]
    assert set(JOB_KEYS) == set(definitions["JobKeys"]["properties"])
    assert {path[0] for path in ENTRY_KEYS if len(path) == 1} | {"include"} == (
        set(schema["properties"])
        - {"output", "run", "faces", "scores", "defaults", "identities", "loras", "videos", "prompts", "jobs"}
    )
    elsewhere = {("loras", "high_noise"), ("loras", "low_noise"), ("prompts", "file"), ("prompts", "field")}
    tried = {(path[0], path[-1]) for path in ENTRY_KEYS} | elsewhere
    for section, definition in {
        "identities": "IdentityEntry",
        "loras": "LoraEntry",
        "videos": "VideoEntry",
        "prompts": "PromptEntry",
        "output": "OutputSection",
        "run": "RunSection",
        "faces": "FacesSection",
        "scores": "ScoresSection",
    }.items():
        assert {(section, key) for key in definitions[definition]["properties"]} <= tried

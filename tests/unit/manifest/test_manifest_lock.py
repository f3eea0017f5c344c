"""The lock file: a manifest that stands for the same jobs, whatever the defaults become."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from contents import Contents
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from standin_batch.expand import Draw, Expansion, expand
from standin_batch.manifest import Manifest, ManifestError, load_manifest
from standin_batch.manifest.lock import LockFile, drawn_from, lock
from standin_batch.weights.registry import ROWS

DRAW = Draw("0123456789abcdef")


@pytest.fixture(autouse=True)
def distinct_files(project):
    project.write("captions.jsonl", '"one"\n')
    for path in (path for path in project.folder.rglob("*.*") if path.is_file() and not path.read_bytes()):
        path.write_text(path.name)


def expanded(manifest: Manifest) -> Expansion:
    return expand(manifest, Contents(), DRAW)


def locked(manifest: Manifest) -> LockFile:
    return lock(manifest, expanded(manifest).drawn, DRAW.number)


def written(found: LockFile, folder: Path) -> Path:
    for name, content in {**found.files, "manifest.lock.yaml": found.text}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder / "manifest.lock.yaml"


def reloaded(found: LockFile, folder: Path) -> Manifest:
    return load_manifest(written(found, folder), environ={})


def outcome(manifest: Manifest, without_sized: bool = False) -> list[tuple[Any, ...]]:
    """All that decides ids, names of files, order and records; of jobs that a video sizes only if they are wanted."""
    jobs = [job for job in expanded(manifest).jobs if not (without_sized and "reference_video" in job.files)]
    return [(job.job_id, job.name, job.also, job.label, job.priority, job.model, job.loras) for job in jobs]


@contextmanager
def other_defaults():
    """The program in a year: every default of its models is another."""
    before = {name: dict(row.defaults) for name, row in ROWS.items()}
    for row in ROWS.values():
        row.defaults.update(OTHER)
    try:
        yield
    finally:
        for name, row in ROWS.items():
            row.defaults.update(before[name])


OTHER = {
    "negative_prompt": "other", "seed": 7, "width": 320, "height": 320, "num_frames": 5, "fps": 3.0,
    "num_inference_steps": 99, "cfg_scale": 9.0, "sigma_shift": 9.0, "dtype": "bfloat16", "vae_tiled": True,
}  # fmt: skip

TABLES: dict[str, Any] = {
    "identities": {
        "lecun": {"image": "faces/lecun.jpg", "on_no_face": "whole_image"},
        "ruonan": "faces/skater.png",  # of the same name as the file faces/ruonan.jpg
        "skater": {"image": "faces/skater.png", "kind": "subject"},
    },
    "loras": {
        "ghibli": {"path": "loras/ghibli.safetensors", "scale": 0.5},
        "scale": "loras/turbo_low.safetensors",
    },
    "videos": {"pose": "clips/pose.mp4"},
    "prompts": {
        "desk": "A man sits at a desk: $${not} a variable, 100 %, no # comment.",
        "hands": "一个女人举起双手",
        "number": "1e5",
        "captions": {"file": "captions.jsonl"},
        "rows-": {"file": "rows.csv", "field": "caption"},
    },
}

PROMPTS = [
    "desk", "hands", "number", "captions", "rows-", "A man walks in the rain.", {"text": "hello"},
    {"file": "captions.jsonl"}, {"file": "more/captions.txt"}, {"text": "null"}, {"text": "  0..3\n"},
    "The first forty letters are the same as those of another.", "The first forty letters are the same as others'.",
]  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "identity": ["lecun", "ruonan", "skater", None, "faces/ruonan.jpg", {"image": "faces/lecun.jpg"}],
    "prompt": PROMPTS,
    "seed": [0, 1, 2, 3, 2**63 - 1, "random"],
    "negative_prompt": ["", "blurry", "yes", "低质量"],
    "width": [160, 320],
    "height": [96],
    "num_frames": [5, 9],
    "fps": [8, 12.5],
    "num_inference_steps": [2, 3],
    "cfg_scale": [1.0, 5],
    "sigma_shift": [5.0, 1e-05],
    "loras": [[], ["ghibli"], [{"ghibli": 0.6}, "scale"], ["loras/ghibli.safetensors"], ["ghibli", "ghibli"]],
    "dtype": ["float32", "bfloat16"],
    "vae_tiled": [True],
    "speed": [{"cache": 0.1}, {"cache": None, "compile": True}, {}, None],
    "priority": [-3, 10],
    "accept": [{"face_similarity": ">= 0.00001", "max_reseeds": 1}, {"max_reseeds": 2}, None],
}
MODELS = ["tiny", "tiny-2.2", "wan2.1-t2v-14b", "wan2.2-t2v-a14b"]
KEYS = st.sampled_from(sorted(set(VALUES) - {"prompt"}))
MODES = st.sampled_from(
    [
        {"mode": "t2v"},
        {"mode": "vace", "reference_video": "pose", "reference_image": "faces/first_frame.png"},
        {"mode": "vace", "vace_scale": 1},
        {"mode": "vace", "reference_video": "clips/woman.mp4", "max_frames": 17},
    ]
)


def some(keys: st.SearchStrategy[list[str]]) -> st.SearchStrategy[dict[str, Any]]:
    return keys.flatmap(lambda found: st.fixed_dictionaries({key: st.sampled_from(VALUES[key]) for key in found}))


def axes(keys: st.SearchStrategy[list[str]]) -> st.SearchStrategy[dict[str, Any]]:
    lists = {key: st.lists(st.sampled_from(values), min_size=1, max_size=3) for key, values in VALUES.items()}
    lists["model"] = st.lists(st.sampled_from(MODELS), min_size=1, max_size=2)
    return keys.flatmap(lambda found: st.fixed_dictionaries({key: lists[key] for key in found}))


FEW = st.lists(KEYS, max_size=4, unique=True)
AXES = st.lists(st.sampled_from([*sorted(VALUES), "model"]), max_size=3, unique=True)


@st.composite
def matrices(draw: st.DrawFn) -> dict[str, Any]:
    matrix: dict[str, Any] = draw(axes(AXES))
    varied = [key for key, values in matrix.items() if len(values) > 1 and values[0] != values[-1]]
    if varied and draw(st.booleans()):
        key = draw(st.sampled_from(varied))
        matrix["exclude"] = [{key: matrix[key][0] if key == "loras" else [matrix[key][0]]}]
    if draw(st.booleans()):
        rows = draw(st.lists(some(st.lists(KEYS, min_size=1, max_size=2, unique=True)), min_size=1, max_size=2))
        matrix["include"] = [
            {**row, "prompt": draw(st.sampled_from(PROMPTS))} if draw(st.booleans()) else row for row in rows
        ]
    return matrix


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    job: dict[str, Any] = {**draw(MODES), **draw(some(FEW)), "prompt": draw(st.sampled_from(PROMPTS))}
    if draw(st.booleans()):
        job["matrix"] = draw(matrices())
    if draw(st.booleans()):
        job["model"] = draw(st.sampled_from(MODELS))
    return job


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    defaults = draw(some(FEW))
    if draw(st.booleans()):
        keys = st.lists(st.sampled_from(["seed", "prompt", "identity", "sigma_shift"]), max_size=3, unique=True)
        defaults["matrix"] = draw(axes(keys))
    if draw(st.booleans()):
        defaults["prompt"] = draw(st.sampled_from(PROMPTS))
    written = draw(st.lists(jobs(), min_size=1, max_size=3))
    return {"version": 1, "model": draw(st.sampled_from(MODELS)), "defaults": defaults, **TABLES, "jobs": written}


@contextmanager
def inside(folder: Path):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def drawn_folder(folder):
    for path in (path for path in folder.rglob("*") if path.is_file()):
        path.write_text(path.name)
    (folder / "more").mkdir()
    (folder / "captions.jsonl").write_text('{"text": "one: ${HOME}"}\n\n{"text": "two"}\n{"text": "三\\u2028"}\n')
    (folder / "rows.csv").write_text('caption\n"a\nlong\none"\nshort\n')
    (folder / "more" / "captions.txt").write_text("another one\nanother two\n")
    return folder


@given(manifests())
@settings(
    max_examples=300,
    report_multiple_bugs=False,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_it_expands_to_the_same_jobs_in_the_same_order(drawn_folder, content):
    with inside(drawn_folder):
        Path("manifest.yaml").write_text(json.dumps(content, ensure_ascii=False))
        try:
            manifest = load_manifest(Path("manifest.yaml"), environ={})
        except ManifestError:
            assume(False)
        wanted, lasting, found = outcome(manifest), outcome(manifest, without_sized=True), locked(manifest)
        with tempfile.TemporaryDirectory() as other:
            again = reloaded(found, Path(other))
            assert outcome(again) == wanted
            with other_defaults():
                assert outcome(reloaded(found, Path(other)), without_sized=True) == lasting


CAPTIONS = 1_200

SMALL = """\
version: 1
name: small
identities: {cat: {image: faces/skater.png, kind: subject}}
prompts: {captions: {file: captions.jsonl}}
"""


def keys(found: LockFile) -> dict[str, Any]:
    return yaml.safe_load(found.text)


def test_every_default_is_in_it(project):
    found = keys(locked(project.load(SMALL + "jobs: [{mode: t2v, prompt: A man., identity: cat}]")))
    assert found["model"] == "tiny"
    assert ROWS["tiny"].defaults.items() <= found["defaults"].items()
    assert (found["defaults"]["retries"], found["defaults"]["vace_scale"], found["output"]["quality"]) == (2, 0.8, 9)
    assert found["output"]["folder"] == str(project.folder / "outputs" / "small")


def test_files_are_absolute_and_called_by_name(project):
    found = keys(locked(project.load(SMALL + "jobs: [{name: a, mode: t2v, prompt: A man., identity: cat}]")))
    image = str(project.folder / "faces" / "skater.png")
    assert found["identities"] == {"cat": {"image": image, "kind": "subject", "on_no_face": "error"}}
    assert found["prompts"] == {"a-man": {"text": "A man."}}
    assert found["jobs"] == [{"name": "a", "mode": "t2v", "identity": "cat", "prompt": "a-man"}]


def test_variables_and_set_are_resolved(project):
    text = SMALL + "jobs: [{name: a, mode: t2v, prompt: desk, seed: 1}]\n"
    project.write("manifest.yaml", text.replace("{captions", '{desk: "A ${WHAT} at a $${desk}.", captions'))
    project.write("captions.jsonl", '{"text": "one"}\n')
    manifest = project.load(None, "jobs.a.seed=5", environ={"WHAT": "cat"})
    again = reloaded(locked(manifest), project.folder / "other")
    (job,) = expanded(again).jobs
    assert (job.prompt, job.seed) == ("A cat at a ${desk}.", 5)


def test_many_captions_stay_one_file_with_the_names_that_they_had(project):
    project.write("captions.jsonl", "\n".join(json.dumps({"text": f"Caption {i}."}) for i in range(CAPTIONS)))
    manifest = project.load(SMALL + "jobs: [{name: a, mode: t2v, prompt: captions, matrix: {seed: 0..2}}]")
    found = locked(manifest)
    assert len(found.files) == 1
    assert len(found.text) < 3_000
    assert keys(found)["jobs"][0] == {"name": "a", "mode": "t2v", "prompt": "captions", "matrix": {"seed": ["0..2"]}}
    assert outcome(reloaded(found, project.folder / "other")) == outcome(manifest)


def test_a_prompt_file_that_a_lock_names_never_changes(project):
    project.write("captions.jsonl", '{"text": "one"}\n{"text": "two"}\n')
    manifest = project.load(SMALL + "jobs: [{mode: t2v, prompt: captions}]")
    before = locked(manifest)
    project.write("captions.jsonl", '{"text": "one"}\n{"text": "three"}\n')
    after = locked(project.load())
    assert not before.files.keys() & after.files.keys()


def test_a_job_on_models_with_other_defaults_says_them_for_each(project):
    jobs = "jobs: [{name: a, mode: t2v, prompt: A man., matrix: {model: [tiny, tiny-2.2], seed: 0..1}}]"
    manifest = project.load(SMALL + jobs)
    found = locked(manifest)
    (job,) = keys(found)["jobs"]
    assert [(row["model"], row["seed"], row["num_inference_steps"]) for row in job["matrix"]["include"]] == [
        ("tiny", 0, 4), ("tiny", 1, 4), ("tiny-2.2", 0, 6), ("tiny-2.2", 1, 6),
    ]  # fmt: skip
    before = outcome(manifest)
    with other_defaults():
        assert outcome(reloaded(found, project.folder / "other")) == before


def test_where_that_would_be_too_many_they_stay_with_the_models(project):
    jobs = "jobs: [{name: a, mode: t2v, prompt: A man., matrix: {model: [tiny, tiny-2.2], seed: 0..9999}}]"
    manifest = project.load(SMALL + jobs)
    found = locked(manifest)
    assert len(found.text) < 3_000
    again = reloaded(found, project.folder / "other")
    assert [variant.values for variant in again.jobs[0].variants()] == [
        variant.values for variant in manifest.jobs[0].variants()
    ]


def test_seeds_that_were_drawn_are_numbers_in_it(project):
    jobs = "jobs: [{name: a, mode: t2v, prompt: A man., seed: random, matrix: {identity: [cat, null]}}]"
    manifest = project.load(SMALL + jobs)
    seeds = [job.seed for job in expanded(manifest).jobs]
    assert len(set(seeds)) == 2
    found = locked(manifest)
    assert [row["seed"] for row in keys(found)["jobs"][0]["matrix"]["include"]] == seeds
    assert drawn_from(written(found, project.folder / "other")) == DRAW.number


def test_many_seeds_are_drawn_again_from_its_number(project):
    project.write("captions.jsonl", "\n".join(json.dumps({"text": f"Caption {i}."}) for i in range(CAPTIONS)))
    manifest = project.load(SMALL + "jobs: [{name: a, mode: t2v, prompt: captions, seed: random}]")
    path = written(locked(manifest), project.folder / "other")
    again = expand(load_manifest(path), Contents(), Draw(drawn_from(path)))
    assert len({job.seed for job in again.jobs}) == CAPTIONS
    assert again.jobs == expanded(manifest).jobs


def test_a_drawn_seed_stays_when_prompts_and_identities_come_in_before(project):
    jobs = "jobs: [{{name: a, mode: t2v, seed: random, matrix: {{identity: [{}], prompt: [{}]}}}}]"
    few = expanded(project.load(SMALL + jobs.format("cat", "A man.")))
    more = expanded(project.load(SMALL + jobs.format("null, cat", "A woman., A man.")))
    assert few.jobs[0] in more.jobs


@pytest.mark.parametrize("content", ["", "# seeds drawn from nothing\n", "\xff\n\n\n\n# seeds drawn from 12\n"])
def test_another_file_has_drawn_no_seeds(tmp_path, content):
    (tmp_path / "manifest.lock.yaml").write_text(content)
    assert drawn_from(tmp_path / "manifest.lock.yaml") == ""
    assert drawn_from(tmp_path / "none") == ""

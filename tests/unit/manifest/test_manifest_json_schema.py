"""The JSON Schema for editors, and the handbook: made from the schema, and equal to what lies in the repository."""

from __future__ import annotations

import jsonschema
import pytest
import yaml

from standin_batch.manifest.handbook import handbook
from standin_batch.manifest.job_keys import JOB_KEYS
from standin_batch.manifest.json_schema import manifest_schema, schema_text
from standin_batch.manifest.schema import ManifestFile

REMAKE = "run `python -m standin_batch.manifest.json_schema`"


@pytest.fixture(scope="module")
def validator():
    schema = manifest_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_in_the_repository_is_this_one(repository):
    assert (repository / "manifests" / "manifest.schema.json").read_text() == schema_text(), REMAKE


def test_the_handbook_in_the_repository_is_this_one(repository):
    assert (repository / "docs" / "manifest.md").read_text() == handbook(), REMAKE


def test_manifests_of_the_repository_fit(repository, validator):
    for path in (repository / "manifests").glob("*.yaml"):
        validator.validate(yaml.safe_load(path.read_text()))


def test_every_key_has_a_description_and_an_example():
    schema = manifest_schema()
    objects = [schema, *(found for found in schema["$defs"].values() if "properties" in found)]
    for found in objects:
        for key, value in found["properties"].items():
            assert value.get("description"), key
            assert value.get("examples"), key


def test_every_key_has_its_line_in_the_handbook():
    text = handbook()
    for key in [
        *ManifestFile.model_fields,
        *JOB_KEYS,
        "matrix",
        "exclude",
        "image",
        "on_no_face",
        "template",
        "max_reseeds",
    ]:
        assert f"\n| `{key}` |" in text, key


TAKEN = [
    "identities: {a: faces/a.jpg, b: {image: x.png, kind: subject}}",
    "loras: {a: x.safetensors, b: {path: x}, c: {high_noise: a, low_noise: b, scale: 0.8}}",
    "videos: {a: x.mp4, b: {path: x}}",
    "prompts: {a: text, b: {text: x}, c: {file: x.csv, field: y}}",
    "include: other.yaml",
    "include: [other.yaml]",
    "output: {quality: 3}",
    "identities:",
    "name: ${NAME}",
    "defaults: {seed: '${SEED}', matrix: {seed: 0..3}, vae_tiled: '${TILED}'}",
    "jobs: [{identity: null, prompt: {text: x}, cfg_scale: {high_noise: 1}, seed: random}]",
    "jobs: [{loras: [a, {a: 0.6}, {path: x}]}]",
    "jobs: [{matrix: {seed: [0..3, 7], loras: [[], [a], [{a: 0.6}]], identity: [a, null], prompt: [a, {file: x}]}}]",
    "jobs: [{matrix: {seed: 0..3, include: [{seed: 3, prompt: x}], exclude: [{seed: 0..1}]}}]",
    "jobs: [{matrix: {seed: 0..3, exclude: [{seed: [1, 2], identity: a, loras: [a]}]}}]",
]

REFUSED = [
    "jbos: []",
    "name: a b",
    "identities: {'a b': x}",
    "identities: {a: {imgae: x}}",
    "output: {quality: 11}",
    "jobs: [{sead: 3}]",
    "jobs: [{seed: -1}]",
    "jobs: [{seed: three}]",
    "jobs: [{width: 850}]",
    "jobs: [{mode: t2w}]",
    "jobs: [{seed: 0..3}]",
    "jobs: [{seed: null}]",
    "jobs: [{vae_tiled: 1}]",
    "jobs: [{matrix: {seed: 3}}]",
    "jobs: [{matrix: {name: [a]}}]",
    "jobs: [{matrix: {seed: []}}]",
    "jobs: [{matrix: {exclude: [{sead: 3}]}}]",
    "defaults: {name: a}",
    "jobs: [{accept: {face_similarity: high}}]",
]


@pytest.mark.parametrize("text", TAKEN)
def test_taken(validator, text):
    validator.validate({"version": 1, **yaml.safe_load(text)})


@pytest.mark.parametrize("text", REFUSED)
def test_refused(validator, text):
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"version": 1, **yaml.safe_load(text)})


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_schema_refuses_the_loader_refuses_too(project, text):
    base = {"version": 1, "jobs": [{"mode": "t2v", "prompt": "a b"}]}
    changed = yaml.safe_load(text)
    if "jobs" in changed:
        changed["jobs"][0] = {**base["jobs"][0], **changed["jobs"][0]}
    assert project.problems(yaml.safe_dump({**base, **changed}, allow_unicode=True))


def test_a_version_is_required(validator):
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"jobs": []})
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"version": 2})

"""A prompt is encoded once for all runs of a user: the next run does without the text encoder, and makes the same."""

from __future__ import annotations

import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file

from standin_batch.digests import cache_folder

PROMPTS = {"long": "A long prompt of several words that no other test has.", "short": "没有别的测试有这个。"}
SMALL = {"num_inference_steps": 2, "num_frames": 5, "width": 64, "height": 64}


@pytest.fixture
def workspace(make_workspace, golden):
    """A workspace with weights of its own."""
    made = make_workspace("remembered")
    shutil.copytree(golden / "weights", made.folder / "weights")
    shutil.rmtree(cache_folder() / "prompts", ignore_errors=True)
    return made


def standin_run(workspace, name, seeds):
    job = {"name": "job", "mode": "t2v", "matrix": {"prompt": list(PROMPTS), "seed": seeds}}
    content = {"output": {"keep_latents": True}, "defaults": SMALL, "prompts": PROMPTS, "jobs": [job]}
    manifest = workspace.manifest(name, {"model": "tiny", **content})
    return workspace.standin("run", manifest, "--json", "--checkpoints", workspace.folder / "weights")


def run(workspace, name, seeds):
    """Latents by prompt and seed, and what was prepared."""
    ran = standin_run(workspace, name, seeds)
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    folder = workspace.folder / "outputs" / name
    made = {
        (record["prompt"], record["seed"]): load_file(folder / record["latents"])["latents"]
        for record in workspace.records(name)
    }
    return made, [event["what"] for event in events if event["event"] == "Prepared"]


def spoil(path):
    """Zeros in the place of weights, in a file that looks as it did: whoever reads it makes another video."""
    status, content = path.stat(), path.read_bytes()
    for tensor in torch.load(path, weights_only=True).values():
        found = tensor.contiguous().view(torch.uint8).numpy().tobytes()
        content = content.replace(found, bytes(len(found)))
    assert content != path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_the_second_run_encodes_nothing_and_makes_the_same_as_one_that_does(workspace):
    _, prepared = run(workspace, "first", [1, 2])
    assert "encoding 3 prompts" in prepared
    encoder = next((workspace.folder / "weights" / "Wan2.1-T2V").glob("models_t5*"))
    shutil.copy2(encoder, workspace.folder / "sound")
    spoil(encoder)
    second, prepared = run(workspace, "second", [3, 4])
    assert "encoding 3 prompts, 3 of them known" in prepared
    shutil.copy2(workspace.folder / "sound", encoder)
    shutil.rmtree(cache_folder() / "prompts")
    third, prepared = run(workspace, "third", [3, 4])
    assert "encoding 3 prompts" in prepared
    assert second.keys() == third.keys()
    assert len(second) == 4
    assert all(second[key].equal(third[key]) for key in third)


def test_what_turns_out_to_be_broken_when_prompts_are_encoded_ends_the_run_and_is_named(workspace):
    tokenizer = workspace.folder / "weights" / "Wan2.1-T2V" / "google" / "umt5-xxl"
    (tokenizer / "tokenizer.json").write_text('{"version": "1.0"}')
    ran = standin_run(workspace, "broken", [1])
    assert ran.returncode == 3
    assert f"the weights in {tokenizer} cannot be loaded" in " ".join(ran.stderr.split())

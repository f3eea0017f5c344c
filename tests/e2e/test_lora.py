"""LoRAs from the command line: every key style is the same LoRA, and one that does not fit is told before the run."""

from __future__ import annotations

import json

import pytest
import torch
from lora_styles import write_styles
from safetensors.torch import load_file, save_file

CASE = "lora_0.7_identity"


@pytest.fixture(scope="module")
def styles(tmp_path_factory, golden):
    return write_styles(golden / "weights" / "loras" / "style.safetensors", tmp_path_factory.mktemp("styles"))


@pytest.fixture(scope="module")
def latents(make_workspace, golden, styles):
    """The latents of the golden case, once for each key style, and once for two halves that add up."""
    workspace = make_workspace("styles")
    files = {name: [{"path": str(path), "scale": 0.7}] for name, path in styles.items()}
    half = {"path": str(styles["kohya"]), "scale": 0.35}
    files["two_halves"] = [half, {**half, "path": str(styles["peft"])}]
    manifest = workspace.manifest("styles", content(golden, files))
    ran = workspace.standin("run", manifest, "--checkpoints", golden / "weights")
    assert ran.returncode == 0, ran.stderr
    folder = workspace.folder / "outputs" / "styles"
    return {record["name"]: load_file(folder / record["latents"])["latents"] for record in workspace.records("styles")}


def content(golden, files, **more):
    cases = json.loads((golden / "cases.json").read_text())["cases"]
    keys = ("negative_prompt", "seed", "height", "width", "num_frames", "num_inference_steps", "cfg_scale")
    job = {"mode": "t2v", "prompt": {"text": cases[CASE]["prompt"]}, **{key: cases[CASE][key] for key in keys}}
    subject = {"image": str(golden / "inputs" / "subject.png"), "kind": "subject"}
    return {
        "output": {"keep_latents": True},
        "jobs": [{"name": name, **job, "identity": subject, "loras": loras, **more} for name, loras in files.items()],
    }


def test_every_style_is_the_golden_case(latents, golden):
    expected = load_file(golden / "expected" / f"{CASE}.safetensors")["latents"]
    assert len(latents) >= 7
    for name, found in latents.items():
        assert ((found - expected).norm() / expected.norm()).item() <= 1e-5, name


def test_every_style_gives_the_same_bits(latents):
    whole = [found for name, found in latents.items() if name != "two_halves"]
    assert all(torch.equal(found, whole[0]) for found in whole)


def test_a_file_that_matches_nothing_stops_before_the_run(workspace, golden, tmp_path):
    path = tmp_path / "flux.safetensors"
    save_file({"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": torch.zeros(4, 64)}, path)
    manifest = workspace.manifest("wrong", content(golden, {"wrong": [str(path)]}))
    ran = workspace.standin("run", manifest, "--checkpoints", golden / "weights")
    assert ran.returncode == 3
    assert "flux.safetensors" in ran.stderr
    assert "cure:" in ran.stderr
    assert workspace.records("wrong") == []


def test_keys_left_over_are_named(workspace, golden, tmp_path, styles):
    path = tmp_path / "i2v.safetensors"
    extra = {f"diffusion_model.blocks.0.cross_attn.k_img.lora_{side}.weight": torch.zeros(4, 4) for side in "AB"}
    save_file({**load_file(styles["lora_A"]), **extra}, path)
    manifest = workspace.manifest("left", content(golden, {"left": [str(path)]}, num_inference_steps=1, num_frames=1))
    ran = workspace.standin("run", manifest, "--checkpoints", golden / "weights")
    assert ran.returncode == 0, ran.stderr
    assert "blocks.0.cross_attn.k_img.lora_A.weight" in ran.stderr
    assert "match nothing" in ran.stderr

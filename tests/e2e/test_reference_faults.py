"""What the reference implementation does wrong, done right: one test for each fault that is known of it.

Where a fault is shown elsewhere in more detail, the test here is the short one that fails on the faulty behaviour.
"""

from __future__ import annotations

import itertools
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from standin_batch.weights.registry import ROWS

SIZE = {"width": 96, "height": 64, "num_frames": 5, "num_inference_steps": 2}


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("faults")


@pytest.fixture
def latents(workspace, manifests, golden, request):
    """Runs jobs in the order written, and gives their latents by name."""
    runs = itertools.count()

    def run(jobs, *options):
        name = f"{re.sub('[^a-z0-9]+', '-', request.node.name)}{next(runs)}"
        manifest = workspace.manifest(name, content(manifests, jobs))
        ran = workspace.standin("run", manifest, *options)
        assert ran.returncode == 0, ran.stderr
        folder = workspace.folder / "outputs" / name
        return {record["name"]: load_file(folder / record["latents"])["latents"] for record in workspace.records(name)}

    return run


def content(manifests, jobs):
    written = [{"name": name, "mode": "t2v", "prompt": "A man sits.", **job} for name, job in jobs.items()]
    return {
        "output": {"keep_latents": True},
        "defaults": SIZE,
        "identities": {
            "astronaut": str(manifests / "faces" / "astronaut.png"),
            "cat": {"image": str(manifests / "faces" / "chelsea.png"), "kind": "subject"},
        },
        "videos": {
            "visitors": str(manifests / "clips" / "visitors.mp4"),
            "wave": str(manifests / "clips" / "wave.mp4"),
        },
        "jobs": [{**job, "priority": -place} for place, job in enumerate(written)],
    }


def refused(workspace, manifests, job):
    ran = workspace.standin("validate", workspace.manifest("refused", content(manifests, {"one": job})))
    assert ran.returncode == 2
    return ran.stderr


SWAP = {"mode": "face_swap", "identity": "cat", "input_video": "visitors", "num_frames": 5, "max_pixels": 16384}


def test_a_job_without_identity_does_not_keep_the_face_of_the_one_before(latents):
    found = latents({"with": {"identity": "cat"}, "without": {}, "none_before": {"seed": 1}})
    alone = latents({"without": {}})
    assert torch.equal(found["without"], alone["without"])
    assert not torch.equal(found["without"], found["with"])


def test_every_mode_runs_on_one_configuration(latents):
    """In the reference only the first of five scripts still runs."""
    control = {"mode": "vace", "identity": "cat", "reference_video": "wave", "num_frames": 5}
    found = latents({"text": {"identity": "cat"}, "control": control, "swap": {**SWAP, "paste": False}})
    assert {name: torch.isfinite(tensor).all().item() for name, tensor in found.items()} == dict.fromkeys(found, True)


def test_the_scale_of_a_lora_counts(latents, manifests):
    style = str(manifests / "loras" / "style.safetensors")
    scaled = {f"at_{scale}": {"loras": [{"path": style, "scale": scale}]} for scale in (0.0, 0.5, 1.0)}
    found = latents({"none": {}, **scaled})
    assert torch.equal(found["at_0.0"], found["none"])
    assert not torch.equal(found["at_0.5"], found["at_1.0"])


def test_false_is_false(workspace, manifests):
    """`--force_background_consistency False` is true there; here a text is no boolean."""
    assert "force_background_consistency" in refused(
        workspace, manifests, {**SWAP, "force_background_consistency": "False"}
    )


@pytest.mark.parametrize("expert", [pytest.param("high", marks=pytest.mark.slow), "low"])
def test_a_face_swap_gives_both_experts_the_identity(workspace, manifests, golden, latents, expert, tmp_path):
    """The low-noise expert never sees it there. Here another adapter for either expert is another video."""
    changed = shutil.copytree(golden / "weights", tmp_path / "weights")
    path = changed / "Stand-In" / f"Stand-In_wan2.2_T2V_A14B_{expert}.ckpt"
    adapter = torch.load(path, weights_only=True)["state_dict"]
    torch.save({"state_dict": {name: tensor * 2 for name, tensor in adapter.items()}}, path)
    job = {"swap": {**SWAP, "model": "tiny-2.2", "paste": False, "num_inference_steps": 4}}
    original = latents(job, "--checkpoints", golden / "weights")
    assert not torch.equal(latents(job, "--checkpoints", changed)["swap"], original["swap"])


@pytest.mark.parametrize("key", ["cfg_merge", "sliding_window_size", "tea_cache_l1_thresh"])
def test_what_loses_the_identity_is_refused(workspace, manifests, key):
    """Merged guidance crashes with an identity there, windows drop it, and TeaCache loses it where experts change."""
    assert f"`{key}`" in refused(workspace, manifests, {key: 1})


@pytest.mark.parametrize(("key", "value", "near"), [("num_frames", 80, "77 and 81"), ("width", 100, "96 and 112")])
def test_a_size_that_cannot_be_is_told_with_the_nearest(workspace, manifests, key, value, near):
    assert near in refused(workspace, manifests, {key: value})


def test_any_length_of_video_is_cut_to_one_that_can_be(workspace, manifests, golden):
    """There 4n frames crash after the VAE's work; 14 frames of 170 x 100 are 13 of 160 x 96 here."""
    control = str(golden / "inputs" / "control.mp4")
    job = {"mode": "vace", "reference_video": control, "num_inference_steps": 1}
    ran = workspace.standin("run", workspace.manifest("cut", content(manifests, {"one": job})))
    assert ran.returncode == 0, ran.stderr
    (record,) = workspace.records("cut")
    assert (record["width"], record["height"], record["num_frames"], record["fps"]) == (160, 96, 13, 16)


def test_a_cap_is_said(workspace, manifests):
    job = {"mode": "vace", "reference_video": "visitors", "max_frames": 9, "max_pixels": 16384}
    ran = workspace.standin("plan", workspace.manifest("capped", content(manifests, {"one": job})))
    assert ran.returncode == 0
    assert "cut from 25 to 9 frames (max_frames)" in ran.stderr
    assert "(max_pixels)" in ran.stderr


def test_without_a_cap_of_the_manifest_there_is_the_model_s():
    assert all({"max_frames", "max_pixels"} <= row.defaults.keys() for row in ROWS.values())


def test_no_face_is_an_error_unless_the_old_way_is_asked_for(workspace, manifests, tmp_path, latents):
    picture = tmp_path / "sky.png"
    Image.fromarray(np.full((64, 64, 3), (120, 160, 230), np.uint8)).save(picture)
    job = {"identity": {"image": str(picture)}}
    ran = workspace.standin("run", workspace.manifest("sky", content(manifests, {"one": job})))
    assert ran.returncode == 1
    assert "on_no_face: whole_image" in ran.stderr
    assert latents({"one": {"identity": {"image": str(picture), "on_no_face": "whole_image"}}})


def test_the_vae_is_not_tiled_unless_asked_for():
    assert not any(row.defaults["vae_tiled"] for row in ROWS.values())

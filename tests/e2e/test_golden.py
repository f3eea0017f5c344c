"""The command line computes what the reference computes, on the same weights."""

from __future__ import annotations

import json

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

CASES = (
    "t2v_identity",
    "t2v_identity_chinese_tall",
    "t2v_identity_no_cfg",
    "t2v_no_identity",
    "wan22_identity",
)
KEYS = ("negative_prompt", "seed", "height", "width", "num_frames", "num_inference_steps", "cfg_scale", "sigma_shift")
MODELS = {"t2v": "tiny", "2.2": "tiny-2.2"}


@pytest.fixture(scope="module")
def ran(make_workspace, golden):
    """All cases in one run; each job is named after its case."""
    workspace = make_workspace("golden")
    cases = json.loads((golden / "cases.json").read_text())["cases"]
    manifest = workspace.manifest(
        "golden",
        {
            "output": {"lossless": True, "keep_latents": True},
            "identities": {"subject": {"image": str(golden / "inputs" / "subject.png"), "kind": "subject"}},
            "jobs": [_job(name, cases[name]) for name in CASES],
        },
    )
    result = workspace.standin("run", manifest, "--checkpoints", golden / "weights")
    assert result.returncode == 0, result.stderr
    return workspace.folder / "outputs" / "golden", {record["name"]: record for record in workspace.records("golden")}


def _job(name, case):
    identity = {"identity": "subject"} if case["identity"] else {}
    values = {key: case[key] for key in KEYS}
    return {
        "name": name,
        "mode": "t2v",
        "model": MODELS[case["kind"]],
        "prompt": {"text": case["prompt"]},
        **identity,
        **values,
    }


@pytest.mark.parametrize("case", CASES)
def test_latents_equal_the_reference(ran, golden, case):
    folder, records = ran
    found = load_file(folder / records[case]["latents"])["latents"]
    expected = load_file(golden / "expected" / f"{case}.safetensors")["latents"]
    assert found.dtype == torch.float32
    assert found.shape == expected.shape
    assert ((found - expected).norm() / expected.norm()).item() <= 1e-5


@pytest.mark.parametrize("case", CASES)
def test_frames_equal_the_reference(ran, golden, case):
    """Equal but for the last bit: a value between two integers may fall to the other side on another processor.

    On the one this was written on, stock DiffSynth decoding the reference's own latents differs in as many values.
    """
    folder, records = ran
    expected = load_file(golden / "expected" / f"{case}.safetensors")["frames"].numpy().astype(int)
    found = _frames(folder / records[case]["video"]).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1
    assert np.mean(found != expected) < 5e-4


def _frames(path):
    reader = imageio_ffmpeg.read_frames(str(path), pix_fmt="rgb24")
    width, height = next(reader)["size"]
    return np.stack([np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader])

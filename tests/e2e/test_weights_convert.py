"""Converting weights once: what is said, what lies on the disk afterwards, and what a kill leaves behind."""

from __future__ import annotations

import json
import os

import pytest
from float32 import float32_copy

from standin_batch.files import sha256_file
from standin_batch.weights.header import read_header

SHARDS = "diffusion_pytorch_model-*.safetensors"
VAE = "Wan2.1-T2V/Wan2.1_VAE.pth"


@pytest.fixture
def weights(workspace, golden):
    """The golden weights in float32, as a folder of checkpoints of the workspace."""
    return float32_copy(golden / "weights", workspace.folder / "weights")


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def convert(workspace, *arguments):
    return workspace.standin("weights", "convert", *arguments, "--checkpoints", "weights")


def test_a_dry_run_lists_what_would_be_written_and_writes_nothing(workspace, weights):
    before = files(weights)
    ran = convert(workspace, "--dry-run")
    assert ran.returncode == 0
    assert f"weights/{VAE} -> weights/{VAE[:-4]}.safetensors" in ran.stdout
    assert len(ran.stdout.splitlines()) == 3 + 3 + 4 + 2 * 3
    assert "16 files" in ran.stderr and "would be written" in ran.stderr
    assert files(weights) == before


def test_everything_is_converted_once(workspace, weights):
    before = {name: sha256_file(weights / name) for name in files(weights)}
    ran = convert(workspace)
    assert ran.returncode == 0 and ran.stdout == ""
    assert "16 files" in ran.stderr and ran.stderr.count("no value changed") == 16
    assert {name: sha256_file(weights / name) for name in before} == before
    shards = sorted(weights.glob(f"**/bfloat16/{SHARDS}"))
    assert len(shards) == 10
    assert {info.dtype for path in shards for info in read_header(path).tensors.values()} == {"BF16"}
    again = convert(workspace)
    assert again.returncode == 0
    assert again.stderr == "nothing to convert; 16 files converted before\n"


@pytest.mark.slow
def test_one_model_alone(workspace, weights):
    assert convert(workspace, "wan2.2-t2v-a14b").returncode == 0
    assert {path.parent.parent.name for path in weights.glob(f"**/bfloat16/{SHARDS}")} == {
        "high_noise_model", "low_noise_model"
    }  # fmt: skip


@pytest.mark.slow
def test_programs_are_told_in_json(workspace, weights):
    first = convert(workspace, "wan2.1-t2v-14b", "--json")
    said = {item["source"]: item for item in json.loads(first.stdout)}
    assert said[f"weights/{VAE}"] == {
        "source": f"weights/{VAE}",
        "target": "weights/Wan2.1-T2V/Wan2.1_VAE.safetensors",
        "bytes": (weights / "Wan2.1-T2V" / "Wan2.1_VAE.safetensors").stat().st_size,
        "state": "converted",
        "exact": True,
        "source_sha256": sha256_file(weights / VAE),
    }
    second = json.loads(convert(workspace, "wan2.1-t2v-14b", "--json").stdout)
    assert {item["state"] for item in second} == {"left"}
    planned = json.loads(convert(workspace, "wan2.2-t2v-a14b", "--json", "--dry-run").stdout)
    assert {item["state"] for item in planned} == {"planned"}


@pytest.mark.slow
def test_rounded_values_are_called_so(workspace, golden):
    float32_copy(golden / "weights", workspace.folder / "weights", rough=True)
    ran = convert(workspace, "wan2.1-t2v-14b")
    assert ran.stderr.count(": rounded") == 6 and ran.stderr.count(": no value changed") == 4


def test_an_unknown_model_is_a_mistake_of_the_command_line(workspace, weights):
    ran = convert(workspace, "wan2.1-t2v-14")
    assert ran.returncode == 2
    assert "did you mean wan2.1-t2v-14b?" in ran.stderr


def test_a_model_made_here_has_nothing_to_convert(workspace):
    ran = workspace.standin("weights", "convert", "tiny")
    assert ran.returncode == 2
    assert "is made on this machine" in ran.stderr


@pytest.mark.parametrize("arguments", [[], ["wan2.1-t2v-14b"]], ids=["any", "one"])
def test_weights_that_are_not_here_are_to_be_downloaded(workspace, arguments):
    ran = workspace.standin("weights", "convert", *arguments, "--checkpoints", "nowhere")
    assert ran.returncode == 3
    assert "cure: standin weights download wan2.1-t2v-14b --checkpoints nowhere" in ran.stderr


def test_a_broken_file_stops_it_before_anything_is_written(workspace, weights):
    (weights / VAE).write_bytes((weights / VAE).read_bytes()[:-100])
    before = files(weights)
    ran = convert(workspace)
    assert ran.returncode == 3
    assert f"weights/{VAE} is cut short" in ran.stderr
    assert f"cure: rm -r weights/{VAE} && standin weights download wan2.1-t2v-14b --checkpoints weights" in ran.stderr
    assert files(weights) == before


@pytest.mark.slow
def test_a_pickle_with_code_is_refused_and_not_run(workspace, weights):
    import torch

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(workspace.folder / "was-run"),)

    torch.save({"w": torch.ones(2), "evil": Evil()}, weights / VAE)
    ran = convert(workspace)
    assert ran.returncode == 3 and "holds code (posix.mkdir)" in ran.stderr
    assert not (workspace.folder / "was-run").exists()


def test_a_kill_leaves_nothing_under_a_final_name_and_the_next_call_clears_up(workspace, weights):
    shard = weights / "Wan2.1-T2V" / "diffusion_pytorch_model-00001-of-00003.safetensors"
    numbers = 100_000_000
    header = json.dumps({"w": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}).encode()
    shard.write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(shard, 8 + len(header) + 4 * numbers)
    folder = shard.parent / "bfloat16"
    process = workspace.start("weights", "convert", "wan2.1-t2v-14b", "--checkpoints", "weights")
    while not list(folder.glob(".tmp-*")):
        assert process.poll() is None, process.stderr.read()
    process.kill()
    process.communicate()
    assert not (folder / shard.name).exists()
    assert list(folder.glob(".tmp-*"))
    assert convert(workspace, "wan2.1-t2v-14b").returncode == 0
    assert (folder / shard.name).stat().st_size > 2 * numbers
    assert not list(folder.glob(".tmp-*"))


@pytest.mark.slow
def test_two_at_once_do_the_work_once(workspace, weights):
    both = [workspace.start("weights", "convert", "--checkpoints", "weights") for _ in range(2)]
    assert [process.communicate() and process.returncode for process in both] == [0, 0]
    assert len(list(weights.glob(f"**/bfloat16/{SHARDS}"))) == 10
    assert convert(workspace).stderr == "nothing to convert; 16 files converted before\n"


def test_help_shows_examples(workspace):
    ran = workspace.standin("weights", "convert", "--help")
    assert ran.returncode == 0
    assert "standin weights convert --dry-run" in ran.stdout


@pytest.fixture
def manifest(workspace, golden):
    """One job of each kind of weights: text to video with an identity, VACE, two experts with a LoRA."""
    subject = {"image": str(golden / "inputs" / "subject.png"), "kind": "subject"}
    loras = [str(golden / "weights" / "loras" / "style.safetensors")]
    jobs = [
        {"name": "text", "mode": "t2v", "identity": subject},
        {"name": "control", "mode": "vace", "reference_image": str(golden / "inputs" / "reference_image.png")},
        {"name": "experts", "mode": "t2v", "model": "tiny-2.2", "loras": loras, "num_inference_steps": 4},
    ]
    defaults = {"width": 64, "height": 64, "num_frames": 5, "num_inference_steps": 2, "prompt": "A man sits."}
    return workspace.manifest("same", {"output": {"keep_latents": True}, "defaults": defaults, "jobs": jobs})


@pytest.mark.slow
def test_videos_are_the_same_to_the_bit_also_when_the_originals_are_gone(workspace, weights, manifest):
    def run(*options):
        ran = workspace.standin("run", manifest, "--checkpoints", "weights", *options)
        assert ran.returncode == 0, ran.stderr
        folder = workspace.folder / "outputs" / "same"
        made = {record["job_id"]: (folder / record["latents"]).read_bytes() for record in workspace.records("same")}
        return ran, made

    _, before = run()
    assert convert(workspace).returncode == 0
    for original in [*weights.glob(f"**/{SHARDS}"), *weights.glob("**/*.pth")]:
        if original.parent.name != "bfloat16":
            original.unlink()
    ran, unchanged = run()
    assert "nothing to do" in ran.stderr, "converting changes no job's id"
    _, after = run("--force")
    assert after == unchanged == before


def test_rounded_weights_alone_are_refused_where_it_would_show(workspace, golden, manifest):
    weights = float32_copy(golden / "weights", workspace.folder / "weights", rough=True)
    assert convert(workspace).returncode == 0
    for original in weights.glob(f"Wan2.1-T2V/{SHARDS}"):
        original.unlink()
    ran = workspace.standin("run", manifest, "--checkpoints", "weights", "--only", "text")
    assert ran.returncode == 3
    assert "rounded to bfloat16" in ran.stderr
    assert workspace.records("same") == []

"""`standin doctor` names what stands in the way of a run, all of it at once, each with the line that cures it."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from sparse import sparse_file, sparse_pickle
from sparse_weights import ROW, linked

from standin_batch.weights.shapes import adapter_shapes

HTML = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 1234\n" % 0
MODEL = "wan2.1-t2v-14b"
SHARD = "Wan2.1-T2V/diffusion_pytorch_model-0000{}-of-00006.safetensors"
AGAIN = f"&& standin weights download {MODEL} --checkpoints "


@pytest.fixture
def manifest(workspace, manifests):
    """Makes a manifest that uses everything of a model: a face, and VACE."""

    def make(model=MODEL, identity=manifests / "faces" / "astronaut.png", mode="vace", **keys):
        who = {} if identity is None else {"identity": {"image": str(identity)}}
        job = {"name": "one", "mode": mode, "prompt": {"text": "A tree."}, **who, **keys}
        return workspace.manifest("all", {"model": model, "jobs": [job]})

    return make


@pytest.fixture
def doctor(workspace, manifest):
    """What `standin doctor --json` finds; its exit code is looked at."""

    def call(*arguments, **keys):
        ran = workspace.standin("doctor", manifest(**keys), *arguments, "--json")
        found = json.loads(ran.stdout)
        assert ran.returncode == (3 if any(each["level"] == "error" for each in found) else 0), ran.stderr
        return found

    return call


def errors(found, *subjects):
    return [each for each in found if each["level"] == "error" and each["subject"] in subjects]


def put(path, content):
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def test_weights_of_true_size_are_sound(doctor, root):
    found = doctor("--checkpoints", root)
    assert errors(found, "weights", "lora", "inputs", "modes", "checkpoints", "output") == []
    assert any(each["subject"] == "weights" and str(root) in each["message"] for each in found)


def test_a_manifest_that_can_run_leaves_with_0(doctor):
    assert errors(doctor(model="tiny", mode="t2v"), "weights", "memory", "output") == []


def cut(root):
    path = root / SHARD.format(2)
    size = path.stat().st_size
    header = path.open("rb").read(200_000)
    put(path, header)
    os.truncate(path, size - 4096)


def remove(name):
    return lambda root: (root / name).unlink()


def replace(name, content):
    return lambda root: put(root / name, content)


def other_shapes(root):
    path = root / SHARD.format(1)
    path.unlink()
    sparse_file(path, {"patch_embedding.weight": (1536, 16, 1, 2, 2)})


def base_in_place_of_vace(root):
    for path in (root / "Wan2.1-VACE").iterdir():
        path.unlink()
    for number in range(1, 7):
        os.link(root / SHARD.format(number), root / "Wan2.1-VACE" / Path(SHARD.format(number)).name)


def adapter_of_wan22(root):
    other = root / "Stand-In" / "Stand-In_wan2.2_T2V_A14B_high.ckpt"
    sparse_pickle(other, adapter_shapes(ROW.sizes, ROW.sizes.adapter_rank))
    other.replace(root / "Stand-In" / "Stand-In_wan2.1_T2V_14B.ckpt")


def nested(root):
    (root / "antelopev2" / "antelopev2").mkdir()
    for path in (root / "antelopev2").glob("*.onnx"):
        path.rename(path.parent / "antelopev2" / path.name)


def text_encoder(content):
    def plant(root):
        put(root / "Wan2.1-T2V" / "models_t5_umt5-xxl-enc-bf16.pth", content)

    return plant


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def trapped(path):
    """A torch file whose pickle runs code."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("trap/data.pkl", pickle.dumps(Trap(str(path)), protocol=2))
        archive.writestr("trap/version", "3\n")
    return file.getvalue()


FAULTS = {
    "a shard that is cut short": (1, cut, "00002-of-00006.safetensors is cut short", AGAIN),
    "a shard that is missing": (
        1,
        remove(SHARD.format(4)),
        "00004-of-00006.safetensors is missing",
        f"standin weights download {MODEL} --checkpoints ",
    ),
    "a base in the place of VACE": (
        2,
        base_in_place_of_vace,
        "Wan2.1-VACE holds no tensors of vace",
        "wan2.1-vace-14b",
    ),
    "a shard of another model": (2, other_shapes, "patch_embedding.weight of shape 1536 x 16", AGAIN),
    "a pointer of Git LFS": (1, replace(SHARD.format(3), POINTER), "00003-of-00006.safetensors is a pointer", AGAIN),
    "a page of HTML": (1, replace(SHARD.format(5), HTML), "00005-of-00006.safetensors is a", AGAIN),
    "an empty file": (1, replace("Wan2.1-T2V/Wan2.1_VAE.pth", b""), "Wan2.1_VAE.pth is empty", AGAIN),
    "the adapter of the other Wan": (1, adapter_of_wan22, "Stand-In_wan2.2_T2V_A14B_high", AGAIN),
    "a text encoder that is no pickle": (
        1,
        text_encoder(b"\x80\x02 nothing of the kind" * 99),
        "models_t5_umt5-xxl-enc-bf16.pth",
        AGAIN,
    ),
    "a tokenizer without words": (
        1,
        remove("Wan2.1-T2V/google/umt5-xxl/tokenizer.json"),
        "umt5-xxl holds neither tokenizer.json",
        f"standin weights download {MODEL} --checkpoints ",
    ),
    "face models one folder too deep": (1, nested, "antelopev2 is one folder too deep", "mv "),
    "a face model that is no ONNX": (2, replace("antelopev2/glintr100.onnx", b"\xff" * 999), "glintr100.onnx", AGAIN),
    "no face detector": (
        3,
        remove("antelopev2/scrfd_10g_bnkps.onnx"),
        "antelopev2 holds no face detector",
        f"standin weights download {MODEL} --checkpoints ",
    ),
    "a parser that was not downloaded": (
        1,
        replace("face-parsing/parsing_bisenet.pth", HTML),
        "parsing_bisenet",
        AGAIN,
    ),
}
"""By what is wrong: which of them are planted together, how, and what has to be said."""


@pytest.fixture(scope="module")
def told(sound, make_workspace, manifests, tmp_path_factory):
    """What is said of each round of faults, all of them planted in one root."""
    found = {}
    for number in sorted({which for which, *_ in FAULTS.values()}):
        root, workspace = linked(sound, tmp_path_factory.mktemp("round") / "root"), make_workspace("round")
        for which, plant, *_ in FAULTS.values():
            if which == number:
                plant(root)
        job = {"name": "one", "mode": "vace", "prompt": {"text": "A tree."}}
        face = {"image": str(manifests / "faces" / "astronaut.png")}
        manifest = workspace.manifest("all", {"model": MODEL, "jobs": [{**job, "identity": face}]})
        ran = workspace.standin("doctor", manifest, "--checkpoints", root, "--json")
        assert ran.returncode == 3, ran.stderr
        found[number] = errors(json.loads(ran.stdout), "weights")
    return found


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault)
def test_a_planted_fault_is_named_with_its_cure(told, fault):
    number, _, said, cure = FAULTS[fault]
    (found,) = (each for each in told[number] if said in each["message"])
    assert cure in found["cure"]


def test_nothing_is_told_but_what_was_planted(told):
    for number, found in told.items():
        assert len(found) == sum(which == number for which, *_ in FAULTS.values())


def test_the_pasted_cure_removes_just_what_is_broken(doctor, root):
    put(root / SHARD.format(3), POINTER)
    (found,) = errors(doctor("--checkpoints", root), "weights")
    removal, _, _ = found["cure"].partition(" && ")
    subprocess.run(removal, shell=True, check=True)
    assert sorted(path.name.split("-")[1] for path in (root / "Wan2.1-T2V").glob("diffusion*")) == [
        "00001", "00002", "00004", "00005", "00006"
    ]  # fmt: skip
    (found,) = errors(doctor("--checkpoints", root), "weights")
    assert "is missing" in found["message"]


def test_moving_nested_face_models_as_it_says_is_all_that_it_takes(doctor, root):
    nested(root)
    (found,) = errors(doctor("--checkpoints", root), "weights")
    subprocess.run(found["cure"], shell=True, check=True)
    assert errors(doctor("--checkpoints", root), "weights") == []


def test_code_in_a_pickle_is_told_and_does_not_run(doctor, root, tmp_path):
    text_encoder(trapped(tmp_path / "sprung"))(root)
    (found,) = errors(doctor("--checkpoints", root), "weights")
    assert "models_t5_umt5-xxl-enc-bf16.pth" in found["message"]
    assert not (tmp_path / "sprung").exists()


def test_what_the_jobs_do_not_use_may_be_broken_or_missing(doctor, root):
    shutil.rmtree(root / "Wan2.1-VACE")
    put(root / "antelopev2/glintr100.onnx", HTML)
    found = doctor("--checkpoints", root, mode="t2v", identity=None)
    assert errors(found, "weights") == []


def test_a_lora_for_another_model(doctor, root, tmp_path):
    save_file({"double_blocks.0.img_attn.qkv.lora_A.weight": torch.zeros(4, 8)}, tmp_path / "flux.safetensors")
    (found,) = errors(doctor("--checkpoints", root, loras=[str(tmp_path / "flux.safetensors")]), "lora")
    assert "flux.safetensors" in found["message"]
    assert found["cure"]


def test_every_lora_that_does_not_fit_is_named(doctor, golden, tmp_path):
    names = [str(tmp_path / name) for name in ("flux.safetensors", "small.safetensors")]
    save_file({"double_blocks.0.img_attn.qkv.lora_A.weight": torch.zeros(4, 8)}, names[0])
    style = load_file(golden / "weights" / "loras" / "style.safetensors")
    save_file({name: tensor[:, :3].contiguous() for name, tensor in style.items()}, names[1])
    found = doctor("--checkpoints", golden / "weights", model="tiny", mode="t2v", identity=None, loras=names)
    assert [any(name in each["message"] for each in errors(found, "lora")) for name in names] == [True, True]


def test_a_picture_that_is_none(doctor, tmp_path):
    put(tmp_path / "ada.jpg", HTML)
    (found,) = errors(doctor(model="tiny", mode="t2v", identity=tmp_path / "ada.jpg"), "inputs")
    assert "ada.jpg" in found["message"]
    assert found["cure"]


def test_everything_that_is_missing_is_listed_at_once_with_one_command_for_it(doctor, workspace):
    found = errors(doctor("--checkpoints", "nowhere"), "weights")
    for what in ("transformer", "text encoder", "VAE", "tokenizer", "VACE", "adapter", "detector", "parser"):
        assert any(what in each["message"] for each in found), what
    assert {each["cure"] for each in found} == {
        f"standin weights download {workspace.folder / 'all.yaml'} --checkpoints nowhere"
    }
    assert not (workspace.folder / "nowhere").exists()


def test_several_faults_are_told_together(doctor, root, tmp_path):
    put(root / SHARD.format(3), POINTER)
    put(root / "antelopev2/glintr100.onnx", HTML)
    (root / "Stand-In" / "Stand-In_wan2.1_T2V_14B.ckpt").unlink()
    put(tmp_path / "ada.jpg", HTML)
    found = errors(doctor("--checkpoints", root, identity=tmp_path / "ada.jpg"), "weights", "inputs")
    for name in ("00003-of-00006", "glintr100.onnx", "Stand-In_wan2.1_T2V_14B.ckpt", "ada.jpg"):
        assert sum(name in each["message"] for each in found) == 1, name


def test_broken_files_are_told_also_where_others_are_missing(doctor, root):
    cut(root)
    (root / SHARD.format(6)).unlink()
    (root / "Wan2.1-T2V" / "Wan2.1_VAE.pth").unlink()
    found = errors(doctor("--checkpoints", root), "weights")
    for said in ("00002-of-00006.safetensors is cut short", "00006-of-00006", "video VAE is missing"):
        assert sum(said in each["message"] for each in found) == 1, said


def test_a_disk_without_room(doctor):
    (found,) = errors(doctor("--checkpoints", "/proc/nowhere"), "checkpoints")
    assert "0.0 GB free" in found["message"]
    assert found["cure"].startswith("df -h /proc")


def test_an_output_folder_that_cannot_be_made(workspace, manifest):
    (workspace.folder / "outputs").write_text("")
    ran = workspace.standin("doctor", manifest(model="tiny", mode="t2v"), "--json")
    assert ran.returncode == 3
    (found,) = errors(json.loads(ran.stdout), "output")
    assert "nothing can be written to outputs/all" in found["message"]


def test_mistakes_in_the_manifest_come_after_the_machine_and_leave_with_2(workspace):
    path = workspace.manifest("wrong", {"model": "tinny", "jobs": []})
    ran = workspace.standin("doctor", path)
    assert ran.returncode == 2
    assert "ffmpeg" in ran.stdout
    assert "tinny" in ran.stderr
    assert ran.stderr == workspace.standin("validate", path).stderr


@pytest.fixture(scope="module")
def trapped_machine(make_workspace, tmp_path_factory):
    """What the doctor finds where packages, driver and ffmpeg are all wrong: in a process with its own environment."""
    folder = make_workspace("trapped").folder
    packages, programs = tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("programs")
    for name, more in {"onnxruntime": "", "torchvision": "Requires-Dist: torch==1.0.0\n"}.items():
        (packages / f"{name}-0.0.1.dist-info").mkdir()
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n"
        (packages / f"{name}-0.0.1.dist-info" / "METADATA").write_text(head + more)
    program(programs / "ffmpeg", "exit 1")
    listed = "NVIDIA GeForce RTX 3070, 8192, 440.33.01, 8.6"
    header = "| NVIDIA-SMI 440.33.01    Driver Version: 440.33.01    CUDA Version: 10.2     |"
    program(programs / "nvidia-smi", f'case "$*" in *driver_version*) echo "{listed}" ;; *name*) '
            f'echo "NVIDIA GeForce RTX 3070, 8192" ;; *) echo "{header}" ;; esac')  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": str(packages),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "IMAGEIO_FFMPEG_EXE": str(programs / "ffmpeg"),
    }
    manifest = folder / "large.yaml"
    manifest.write_text(
        f"version: 1\nname: large\nmodel: {MODEL}\njobs: [{{name: a, mode: t2v, prompt: {{text: Hi}}}}]"
    )
    command = [sys.executable, "-m", "standin_batch", "doctor", str(manifest), "--json"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 3, ran.stderr
    return json.loads(ran.stdout)


def program(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("subject", "level", "said", "cure"),
    [
        ("onnxruntime", "warning", "overwrite each other", "pip uninstall -y onnxruntime &&"),
        ("torchvision", "error", "built for torch 1.0.0", 'pip install --upgrade "torch==1.0.0"'),
        ("ffmpeg", "error", "does not work", "unset IMAGEIO_FFMPEG_EXE"),
        ("memory", "error", "does not fit into the 8.6 GB of NVIDIA GeForce RTX 3070", "standin plan "),
    ],
)
def test_a_trap_of_the_machine_is_named_with_its_cure(trapped_machine, subject, level, said, cure):
    found = [each for each in trapped_machine if each["subject"] == subject and said in each["message"]]
    assert [each["level"] for each in found if cure in each["cure"]] == [level]


def test_a_driver_that_is_too_old_for_torch(trapped_machine):
    assert any("440.33.01" in each["message"] for each in trapped_machine if each["subject"] == "driver")
    found = errors(trapped_machine, "driver", "gpu")
    assert len(found) == 1
    # A torch without CUDA, as on many build machines, is in the way by itself.
    wanted = "ubuntu-drivers install" if torch.version.cuda else "install --force-reinstall torch"
    assert wanted in found[0]["cure"]

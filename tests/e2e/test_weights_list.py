"""`standin weights list` shows what is here of every model: whole, broken, linked, converted, or missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from standin_batch.weights.conversions import Converted, remember
from standin_batch.weights.ledger import Entry, Ledger, now

MODEL = "wan2.1-t2v-14b"
TRANSFORMER = "transformer"


@pytest.fixture
def listed(workspace):
    """What `standin weights list --json` says of each set, by what it is."""

    def call(*arguments):
        ran = workspace.standin("weights", "list", *arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        return {held["what"]: held for held in json.loads(ran.stdout)}

    return call


def test_an_empty_machine_lists_every_model_with_what_it_needs(workspace, listed):
    found = listed("--checkpoints", "nowhere")
    assert {held["state"] for held in found.values()} == {"missing"}
    assert found["face parser (BiSeNet)"]["used_by"] == [MODEL, "wan2.2-t2v-a14b"]
    assert found["transformer"]["bytes_needed"] == 57_153_966_336
    assert not (workspace.folder / "nowhere").exists()


def test_weights_that_are_here_are_listed_with_their_size_and_place(listed, root):
    found = listed(MODEL, "--checkpoints", root)
    assert {held["state"] for held in found.values()} == {"here"}
    transformer = found[TRANSFORMER]
    assert len(transformer["files"]) == 6
    assert transformer["bytes"] == sum(path.stat().st_size for path in (root / "Wan2.1-T2V").glob("diffusion*"))
    assert transformer["folder"] == str(root / "Wan2.1-T2V")


def test_a_manifest_lists_just_what_it_uses(workspace, listed, root):
    job = {"name": "a", "mode": "t2v", "prompt": {"text": "A tree."}}
    path = workspace.manifest("plain", {"model": MODEL, "jobs": [job]})
    assert set(listed(path, "--checkpoints", root)) == {
        "transformer", "text encoder (umT5-XXL)", "video VAE", "tokenizer"
    }  # fmt: skip


def test_what_is_broken_says_why_and_what_to_do(workspace, listed, root):
    shards = sorted((root / "Wan2.1-T2V").glob("diffusion*"))
    shards[2].unlink()
    shards[2].write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    shards[4].unlink()
    held = listed(MODEL, "--checkpoints", root)[TRANSFORMER]
    assert held["state"] == "broken"
    assert held["absent"] == [shards[4].name]
    (fault,) = held["faults"]
    assert fault["path"] == str(shards[2])
    assert f"standin weights download {MODEL}" in fault["cure"]
    shown = workspace.standin("weights", "list", MODEL, "--checkpoints", root)
    assert shown.returncode == 0
    assert f"{shards[2]} is a pointer" in shown.stdout


def test_a_file_that_is_not_as_it_was_downloaded_is_broken(listed, root):
    path = root / "Wan2.1-T2V" / "google/umt5-xxl/tokenizer.json"
    file = path.relative_to(root).as_posix()
    Ledger(root).add(Entry(file, "Wan2.1-T2V", "", "", path.stat().st_size + 1, "0" * 64, now()))
    held = listed(MODEL, "--checkpoints", root)["tokenizer"]
    assert held["state"] == "broken"
    assert held["faults"][0]["path"] == str(path)


def test_links_are_told_with_where_they_lead(listed, root, tmp_path):
    path = root / "antelopev2" / "glintr100.onnx"
    path.rename(tmp_path / "elsewhere.onnx")
    path.symlink_to(tmp_path / "elsewhere.onnx")
    held = listed(MODEL, "--checkpoints", root)["face detector and embedder"]
    assert held["links"] == {str(path): str(tmp_path / "elsewhere.onnx")}
    assert held["state"] == "here"


def test_a_link_that_leads_nowhere_is_a_missing_file(listed, root, tmp_path):
    path = root / "Stand-In" / "Stand-In_wan2.1_T2V_14B.ckpt"
    path.unlink()
    path.symlink_to(tmp_path / "gone.ckpt")
    assert listed(MODEL, "--checkpoints", root)["identity adapter"]["state"] == "missing"


def test_what_was_converted_is_told(workspace, listed, root):
    original = sorted((root / "Wan2.1-T2V").glob("diffusion*"))[0]
    path = original.parent / "bfloat16" / original.name
    path.parent.mkdir()
    path.write_bytes(original.open("rb").read(1 << 20))
    remember(original.name, Converted(path, "0" * 64, True, original.stat().st_size, original.stat().st_mtime_ns))
    held = listed(MODEL, "--checkpoints", root)[TRANSFORMER]
    assert held["converted"] == {original.name: {"path": str(path), "exact": True}}
    assert "converted" in workspace.standin("weights", "list", MODEL, "--checkpoints", root).stdout


def test_made_models_are_listed_by_their_own_folder(workspace, listed):
    assert {held["source"] for held in listed("tiny").values()} == {"made on this machine"}
    shown = workspace.standin("weights", "list").stdout
    assert "tiny-2.2" in shown


def test_a_made_model_is_not_missed_among_weights_of_others(listed, root):
    assert all("tiny" not in held["used_by"] for held in listed("--checkpoints", root).values())


def test_an_unknown_name_is_a_wrong_command_line(workspace):
    ran = workspace.standin("weights", "list", "wan2.1-t2v-14")
    assert ran.returncode == 2
    assert f"did you mean {MODEL}?" in ran.stderr


def test_nothing_heavy_is_imported(root):
    command = [sys.executable, "-X", "importtime", "-m", "standin_batch", "weights", "list", "--checkpoints", str(root)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})
    assert ran.returncode == 0, ran.stderr
    imported = {line.split("|")[-1].strip().split(".")[0] for line in ran.stderr.splitlines() if "import time:" in line}
    assert imported.isdisjoint({"torch", "diffsynth", "onnxruntime", "insightface", "cv2"})

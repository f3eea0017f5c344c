"""Broken, foreign and misplaced weight files: each is named with what is wrong and with a line that cures it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from float32 import float32_copy
from safetensors.torch import load_file, save_file
from sparse import sparse_model, sparse_shards

from standin_batch.digests import DigestCache
from standin_batch.weights.convert import conversions_of, convert_all, converted
from standin_batch.weights.cure import get_again
from standin_batch.weights.ledger import Entry, Ledger
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS
from standin_batch.weights.shapes import dit_shapes, vace_shapes
from standin_batch.weights.tiny_faces import write_face_models
from standin_batch.weights.verify import Fault, verify_model

TINY, TINY22, DEMO = ROWS["tiny"], ROWS["tiny-2.2"], ROWS["demo"]
WAN21, WAN22 = ROWS["wan2.1-t2v-14b"], ROWS["wan2.2-t2v-a14b"]
SHARD = "Wan2.1-T2V/diffusion_pytorch_model-00002-of-00003.safetensors"
T5 = "Wan2.1-T2V/models_t5_umt5-xxl-enc-bf16.pth"
VAE = "Wan2.1-T2V/Wan2.1_VAE.pth"
ADAPTER = "Stand-In/Stand-In_wan2.1_T2V_14B.ckpt"
TOKENIZER = "Wan2.1-T2V/google/umt5-xxl"
TOKENS = f"{TOKENIZER}/tokenizer.json"
SCRFD, GLINTR = "antelopev2/scrfd_10g_bnkps.onnx", "antelopev2/glintr100.onnx"
PARSER = "face-parsing/parsing_bisenet.pth"
FILES = (SHARD, T5, VAE, ADAPTER, TOKENS, SCRFD, GLINTR, PARSER)
BINARY = tuple(name for name in FILES if name != TOKENS)

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9975123456\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>429 Too Many Requests</title></head></html>\n"


@pytest.fixture(scope="session")
def whole(tmp_path_factory, golden):
    """The golden weights and the tiny face models; not to be changed."""
    root = tmp_path_factory.mktemp("whole")
    shutil.copytree(golden / "weights", root, dirs_exist_ok=True)
    write_face_models(root)
    return root


@pytest.fixture
def root(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """Both 14B rows at their true sizes, as holes; not to be changed."""
    root = sparse_model(tmp_path_factory.mktemp("large"), WAN21)
    return sparse_model(root, WAN22)


@pytest.fixture
def sparse(large, tmp_path):
    """A tree of links to the 14B files."""
    root = tmp_path / "sparse"
    for path in large.rglob("*"):
        if path.is_file():
            target = root / path.relative_to(large)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    return root


def faults(root, row=TINY, modules=("vace",)):
    return verify_model(locate(row, root, [name for name in modules if name in row.modules]), row)


def only(root, row=TINY, modules=("vace",)):
    (fault,) = faults(root, row, modules)
    return fault


def spoil(path, content):
    """Replace a file, which may be a link to one that others use."""
    path.unlink()
    path.write_bytes(content)


def rewrite(path, change):
    """Change the tensors of a safetensors file."""
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


@pytest.mark.parametrize("row", [TINY, TINY22], ids=lambda row: row.name)
def test_whole_files_have_no_faults(whole, row):
    assert faults(whole, row) == ()


@pytest.mark.parametrize("row", [WAN21, WAN22], ids=lambda row: row.name)
def test_files_of_the_true_sizes_have_no_faults_and_take_no_time(large, row):
    files = locate(row, large)
    if row.modules:
        shards = tuple(sorted((large / "Wan2.1-VACE").glob("*.safetensors")))
        files = type(files)(**{**vars(files), "modules": {"vace": shards}})
    start = time.monotonic()
    assert verify_model(files, row) == ()
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (LFS, "is a pointer of Git LFS, not the file itself"),
        (PAGE, "is a web page, not the file: the server answered in words"),
        (b"Entry not found", "holds words, not weights: 'Entry not found'"),
        (bytes(1 << 16), "begins with zeros only: it was never written whole"),
    ],
    ids=["empty", "LFS pointer", "web page", "refusal", "zeros"],
)
def test_what_a_server_or_git_left_in_place_of_a_file_is_named(root, name, content, message):
    spoil(root / name, content)
    fault = only(root, modules=())
    assert (fault.path, fault.message) == (root / name, message)


@pytest.mark.parametrize("name", [TOKENS, f"{TOKENIZER}/spiece.model"])
@pytest.mark.parametrize("content", [b"", LFS, PAGE], ids=["empty", "LFS pointer", "web page"])
def test_a_tokenizer_that_is_none_is_named(root, name, content):
    (root / name).write_bytes(content)
    assert only(root, modules=()).path == root / name


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0.4, 0.999])
def test_a_file_cut_short_is_named(root, name, kept):
    content = (root / name).read_bytes()
    spoil(root / name, content[: int(len(content) * kept)])
    fault = only(root, modules=())
    assert fault.path == root / name
    assert "cut short" in fault.message


@pytest.mark.parametrize("name", BINARY)
def test_noise_is_no_file_of_any_kind(root, name):
    spoil(root / name, b"\xfe\xdc" * 50_000)
    fault = only(root, modules=())
    assert fault.path == root / name
    assert fault.message.startswith("is no ")


@pytest.mark.parametrize("name", [T5, VAE, ADAPTER, PARSER])
def test_a_pickle_with_code_is_named_and_not_run(root, tmp_path, name):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "was-run"),)

    torch.save({"w": torch.ones(2), "evil": Evil()}, root / name)
    fault = only(root, modules=())
    assert fault.path == root / name and "holds code (posix.mkdir)" in fault.message
    assert not (tmp_path / "was-run").exists()


def test_a_missing_shard_is_told_from_the_names_of_the_others(root):
    (root / SHARD).unlink()
    fault = only(root, modules=())
    assert fault.path == root / SHARD
    assert fault.message == "is missing; 2 other shards are here"
    assert "rm" not in fault.cure


def test_a_missing_shard_is_told_from_the_index(root):
    shards = sorted((root / "Wan2.1-T2V").glob("*.safetensors"))
    renamed = [path.rename(path.with_name(f"diffusion_pytorch_model{n}.safetensors")) for n, path in enumerate(shards)]
    index = {"weight_map": {name: path.name for path in renamed for name in load_file(path)}}
    (root / "Wan2.1-T2V" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    assert faults(root, modules=()) == ()
    renamed[1].unlink()
    assert only(root, modules=()).path == renamed[1]


def test_shards_of_two_sets_are_told_apart(root):
    shutil.copy(root / SHARD, root / "Wan2.1-T2V" / "diffusion_pytorch_model-00001-of-00002.safetensors")
    fault = only(root, modules=())
    assert fault.path == root / "Wan2.1-T2V"
    assert fault.message == "holds shards of several sets: -of-00002 and -of-00003"


def test_several_faults_are_told_at_once(root):
    for name in FILES:
        spoil(root / name, b"")
    assert {fault.path for fault in faults(root, modules=())} == {root / name for name in FILES}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("blocks.2.ffn.0.weight"), "has no tensor blocks.2.ffn.0.weight"),
        (
            lambda t: t.update({"blocks.2.ffn.0.weight": torch.ones(200, 96)}),
            "has blocks.2.ffn.0.weight of shape 200 x 96 in place of 192 x 96",
        ),
        (
            lambda t: t.update({"blocks.4.modulation": torch.ones(1, 6, 96)}),
            "has a tensor blocks.4.modulation too many",
        ),
        (lambda t: t.update({"img_emb.proj.0.weight": torch.ones(9)}), "has a tensor img_emb.proj.0.weight too many"),
    ],
    ids=["one less", "another width", "one block more", "an image-to-video model"],
)
def test_the_first_tensor_that_differs_is_named(root, change, message):
    rewrite(root / SHARD, change)
    fault = only(root, modules=())
    assert fault.message == f"{message}: it is not of tiny"


def test_the_small_model_is_none_of_14b(root):
    faults_found = verify_model(locate(TINY, root), WAN21, faces=False)
    assert "patch_embedding.weight of shape 96 x 16 x 1 x 2 x 2 in place of 5120 x 16" in faults_found[0].message
    assert {fault.path.name for fault in faults_found[1:]} == {
        "models_t5_umt5-xxl-enc-bf16.pth", "Wan2.1_VAE.pth", "Stand-In_wan2.1_T2V_14B.ckpt"
    }  # fmt: skip


def test_a_vace_checkpoint_without_vace_is_named(root):
    shutil.rmtree(root / "Wan2.1-VACE")
    shutil.copytree(root / "Wan2.1-T2V", root / "Wan2.1-VACE")
    fault = only(root)
    assert fault.path == root / "Wan2.1-VACE"
    assert fault.message == "holds no tensors of vace: it is a base alone"


def test_vace_blocks_of_another_size_are_named(sparse):
    for path in (sparse / "Wan2.1-VACE").iterdir():
        path.unlink()
    other = vace_shapes(type(WAN21.sizes)(**{**vars(WAN21.sizes), "vace_layers": 7}))
    shards = sparse_shards(sparse / "Wan2.1-VACE", {**dit_shapes(WAN21.sizes), **other}, 7)
    files = locate(WAN21, sparse)
    files = type(files)(**{**vars(files), "modules": {"vace": shards}})
    (fault,) = verify_model(files, WAN21)
    assert fault.message == "has no tensor vace_blocks.7.after_proj.weight: it is not of wan2.1-t2v-14b"


def test_a_missing_shard_of_vace_is_told(root):
    gone = root / "Wan2.1-VACE" / "diffusion_pytorch_model-00003-of-00003.safetensors"
    files = locate(TINY, root, ["vace"])
    gone.unlink()
    files = type(files)(**{**vars(files), "modules": {"vace": tuple(sorted(gone.parent.glob("*.safetensors")))}})
    assert [fault.path for fault in verify_model(files, TINY)] == [gone]


def test_a_text_encoder_of_another_size_is_named(root):
    tensors = torch.load(root / T5, weights_only=True)
    tensors["more"] = torch.ones(7)
    torch.save(tensors, root / T5)
    assert only(root, modules=()).message == "holds 115,271 numbers in place of 115,264: it is not of tiny"


@pytest.mark.parametrize(("name", "tensor"), [(T5, "token_embedding.weight"), (VAE, "decoder.conv1.weight")])
def test_another_models_pickle_is_named(root, name, tensor):
    shutil.copy(root / ADAPTER, root / name)
    assert only(root, modules=()).message == f"has no tensor {tensor}: it is something else"


@pytest.mark.parametrize("wrong", ["Stand-In_wan2.2_T2V_A14B_high.ckpt", "Stand-In_wan2.2_T2V_A14B_low.ckpt"])
def test_a_renamed_adapter_of_the_other_version_is_known_by_its_inner_name(root, wrong):
    shutil.copy(root / "Stand-In" / wrong, root / ADAPTER)
    fault = only(root, modules=())
    assert fault.path == root / ADAPTER
    assert fault.message == f"was saved as {wrong[:-5]}, not the adapter for base of tiny"


def test_adapters_of_high_and_low_noise_that_were_swapped_are_known(root):
    high, low = (root / "Stand-In" / f"Stand-In_wan2.2_T2V_A14B_{noise}.ckpt" for noise in ("high", "low"))
    shutil.copy(high, low)
    fault = only(root, TINY22)
    assert fault.path == low
    assert fault.message.endswith("A14B_high, not the adapter for low_noise of tiny-2.2")


def test_an_adapter_that_its_makers_saved_under_another_name_is_no_fault(root):
    content = torch.load(root / ADAPTER, weights_only=True)
    torch.save(content, root / "epoch-12.ckpt")
    shutil.copy(root / "epoch-12.ckpt", root / ADAPTER)
    assert faults(root, modules=()) == ()


def test_an_adapter_of_the_other_version_is_known_by_the_ledger(sparse):
    entry = Entry(ADAPTER, "Stand-In 2.2", "BowenXue/Stand-In", "c0ffee", 1, "0" * 64, "2025-01-01T00:00:00+00:00")
    Ledger(sparse).add(entry)
    fault = only(sparse, WAN21, modules=())
    assert fault.message.startswith("was downloaded as Stand-In 2.2, not the adapter for base")
    Ledger(sparse).add(Entry(**{**vars(entry), "source": "Stand-In 2.1"}))
    assert faults(sparse, WAN21, modules=()) == ()


def test_an_adapter_of_another_width_is_named(root):
    content = torch.load(root / ADAPTER, weights_only=True)
    content["state_dict"]["blocks.1.self_attn.k_loras.up.weight"] = torch.ones(64, 128)
    torch.save(content, root / ADAPTER)
    message = "has blocks.1.self_attn.k_loras.up.weight of shape 64 x 128 in place of 96 x 128"
    assert only(root, modules=()).message == f"{message}: it is no Stand-In adapter of tiny"


def test_an_adapter_of_another_rank_is_as_good(root):
    content = torch.load(root / ADAPTER, weights_only=True)["state_dict"]
    for name, tensor in content.items():
        content[name] = tensor[:64].clone() if "down" in name else tensor[:, :64].clone()
    torch.save(content, root / ADAPTER)
    assert faults(root, modules=()) == ()


def test_a_tokenizer_of_words_is_no_json(root):
    (root / TOKENS).write_text("Entry not found")
    assert only(root, modules=()).message == "is cut short or no JSON"


def test_a_tokenizer_folder_without_a_tokenizer_is_named(root):
    (root / TOKENS).unlink()
    fault = only(root, modules=())
    assert fault.path == root / TOKENIZER
    assert fault.message == "holds neither tokenizer.json nor spiece.model"


def test_face_models_one_folder_too_deep_are_named_with_the_move_that_cures_it(root):
    folder = root / "antelopev2"
    nested = folder.rename(root / "inner")
    folder.mkdir()
    nested.rename(folder / "antelopev2")
    (fault, *_) = faults(root, modules=())
    assert fault.path == folder and fault.message.startswith("is one folder too deep")
    subprocess.run(fault.cure, shell=True, check=True)
    assert faults(root, modules=()) == ()


@pytest.mark.parametrize(("name", "what"), [(SCRFD, "detector"), (GLINTR, "embedder")])
def test_a_missing_face_model_is_named(root, name, what):
    (root / name).unlink()
    fault = only(root, modules=())
    assert fault.path == root / "antelopev2" and f"holds no face {what}" in fault.message


def test_faces_are_left_out_when_nobody_needs_them(root):
    spoil(root / SCRFD, b"")
    assert verify_model(locate(TINY, root), TINY, faces=False) == ()


def test_parts_that_not_every_job_needs_are_not_missed(root):
    for name in ("antelopev2", "face-parsing", "Stand-In"):
        shutil.rmtree(root / name)
    assert faults(root, modules=()) == ()


def test_a_folder_of_the_parser_without_it_is_named(root):
    (root / PARSER).unlink()
    assert only(root, modules=()) == Fault(root / PARSER, "is missing", faults(root, modules=())[0].cure)


def test_weights_of_something_else_are_no_face_parser(root):
    torch.save({"w": torch.ones(3)}, root / PARSER)
    assert "is no face parser" in only(root, modules=()).message


def test_a_link_to_nothing_is_named(root, tmp_path):
    (root / SHARD).unlink()
    (root / SHARD).symlink_to(tmp_path / "cleaned-cache")
    fault = only(root, modules=())
    assert fault.message == f"is a link to {tmp_path / 'cleaned-cache'}, which is not there"


def test_the_cure_removes_what_is_broken_and_fetches_it_again(sparse):
    broken = sparse / "Wan2.1-T2V" / "diffusion_pytorch_model-00004-of-00006.safetensors"
    spoil(broken, LFS)
    fault = only(sparse, WAN21, modules=())
    checkpoints = shlex.quote(str(sparse))
    assert fault.cure == f"rm -r {broken} && standin weights download wan2.1-t2v-14b --checkpoints {checkpoints}"


@pytest.mark.parametrize("ours", [True, False])
def test_the_cure_of_a_linked_file_removes_what_it_links_to_only_below_the_root(sparse, tmp_path, ours):
    broken = sparse / "Wan2.1-T2V" / "diffusion_pytorch_model-00004-of-00006.safetensors"
    blob = (sparse if ours else tmp_path) / "blob"
    spoil(broken, LFS)
    broken.rename(blob)
    broken.symlink_to(blob)
    cure = only(sparse, WAN21, modules=()).cure
    assert (str(blob) in cure) is ours, "a file of somebody else's stays"
    assert cure.startswith(f"rm -r {broken} ")


def test_the_cure_for_the_folder_of_the_row_names_no_folder(sparse, monkeypatch):
    (sparse.parent / "checkpoints").symlink_to(sparse)
    monkeypatch.chdir(sparse.parent)
    spoil(sparse / "Wan2.1-T2V" / "Wan2.1_VAE.pth", b"")
    (fault,) = verify_model(locate(WAN21, None), WAN21)
    assert fault.cure == "rm -r checkpoints/Wan2.1-T2V/Wan2.1_VAE.pth && standin weights download wan2.1-t2v-14b"


def test_a_model_made_here_is_made_again(whole, tmp_path, monkeypatch):
    shutil.copytree(whole, tmp_path / "checkpoints" / "tiny")
    monkeypatch.chdir(tmp_path)
    spoil(tmp_path / "checkpoints" / "tiny" / VAE, b"")
    (fault,) = verify_model(locate(TINY, None), TINY)
    assert fault.cure.startswith("rm -r checkpoints/tiny")


@pytest.fixture
def halved(golden, tmp_path):
    """The golden weights in float32, converted."""
    root = float32_copy(golden / "weights", tmp_path / "float32")
    cache = DigestCache(tmp_path / "digests.jsonl")
    assert len(list(convert_all(conversions_of(TINY, root, cache), cache))) == 10
    return root


def test_converted_files_are_looked_at_too(halved):
    assert faults(halved) == ()
    path = converted((halved / SHARD).parent)[(halved / SHARD).name].path
    spoil(path, b"\xff" * path.stat().st_size)
    fault = only(halved)
    assert fault.path == path and "is no safetensors file" in fault.message


def test_a_conversion_of_another_file_is_named(halved):
    rewrite(halved / SHARD, lambda tensors: tensors.update({"more": torch.ones(99)}))
    (foreign, stale) = faults(halved, modules=())
    assert foreign.path == halved / SHARD and "has a tensor more too many" in foreign.message
    assert stale.path == halved / "Wan2.1-T2V" / "bfloat16" / (halved / SHARD).name
    assert "was converted from another file" in stale.message


def test_a_broken_conversion_is_made_again_not_downloaded(halved):
    path = converted(halved / "Wan2.1-T2V")["Wan2.1_VAE.pth"].path
    path.write_bytes(path.read_bytes()[:-1])
    cure = get_again(WAN21, halved, [path])
    assert cure == f"rm -r {path} && standin weights convert wan2.1-t2v-14b --checkpoints {halved}"
    assert get_again(WAN21, halved, [halved / VAE]).endswith(
        f"standin weights download {WAN21.name} --checkpoints {halved}"
    )


def test_what_comes_with_the_repository_is_taken_from_there():
    own = Path("checkpoints/demo")
    assert get_again(DEMO, own, [own / VAE]) == "git checkout -- checkpoints/demo/Wan2.1-T2V/Wan2.1_VAE.pth"
    for told in (get_again(DEMO, own, missing=own / VAE), get_again(DEMO, Path("/data"), [Path("/data") / VAE])):
        assert "CLONE/checkpoints/demo with --checkpoints" in told


def test_verifying_imports_neither_torch_nor_numpy_s_friends():
    code = (
        "import sys, standin_batch.weights.verify;"
        "print(*{'torch', 'cv2', 'onnx', 'onnxruntime', 'safetensors', 'insightface'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"

"""Full size: files that DiffSynth and the registry take for the real ones, and a table that invents nothing."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

from benchmarks.common import Row
from benchmarks.full import clips, page, table
from benchmarks.full.parts import is_known, parts, row_of
from benchmarks.full.write import size, write
from standin_batch.run.measured import Measured
from standin_batch.weights.header import tensor_shapes
from standin_batch.weights.locate import locate
from standin_batch.weights.verify import verify_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("fullsize")
    assert write(made, row_of("tiny"), "cpu", lambda _: None) == size_on_disk(made)
    return made


def size_on_disk(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.parent.name != "umt5-xxl")


def test_names_and_shapes_at_14b_are_those_of_the_published_files():
    row = row_of("14b")
    recognised = [part for part in parts(row) if part.model_hash]
    assert [is_known(part) for part in recognised] == [True, True, True]
    counted = [
        sum(math.prod(shape) for shapes in part.files.values() for shape in shapes.values()) for part in recognised
    ]
    assert counted == [row.sizes.dit_parameters, row.sizes.text_encoder_parameters, row.sizes.vae_parameters]


def test_it_fits_a_disk_of_64_gb():
    assert size(row_of("14b")) < 45e9


def test_the_registry_finds_nothing_wrong_with_what_is_written(folder):
    row = row_of("tiny")
    files = locate(row, folder / "checkpoints")
    assert len(files.experts[0].shards) == 6
    assert verify_model(files, row, faces=False) == ()


def test_what_is_there_is_not_written_again(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    assert write(folder, row_of("tiny"), "cpu", lambda _: None) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")} == before


def test_a_file_that_was_cut_is_written_anew(folder):
    shard = sorted(folder.rglob("diffusion*.safetensors"))[2]
    whole = shard.read_bytes()
    shard.rename(shard.with_name(f".building-{shard.name}"))
    shard.with_name(f".building-{shard.name}").write_bytes(whole[:100])
    assert write(folder, row_of("tiny"), "cpu", lambda _: None) == len(whole)
    assert shard.read_bytes() == whole
    assert not list(folder.rglob(".building*"))


def test_values_keep_the_variance(folder):
    from safetensors.torch import load_file

    shards = sorted(folder.rglob("diffusion*.safetensors"))
    tensors = {name: tensor.float() for shard in shards for name, tensor in load_file(shard).items()}
    assert set(tensors) == set(tensor_shapes(shards))
    weight = tensors["blocks.1.ffn.0.weight"]
    assert float(weight.std()) == pytest.approx(1 / math.sqrt(weight.shape[1]), rel=0.05)
    assert set(tensors["blocks.1.self_attn.norm_q.weight"].tolist()) == {1.0}
    assert 0 < float(tensors["blocks.1.ffn.0.bias"].std()) < 0.03


def test_a_table_of_nothing_says_of_every_row_that_it_was_not_measured(tmp_path):
    rows = table.rows(tmp_path)
    assert [row.what for row in rows if row.value is not None] == []
    told = " ".join(row.what for row in rows)
    for topic in ("CFG step", "floor", "stock", "reference", "peak memory", "loading", "LoRA", "not denoising", "fp8"):
        assert topic in told


def test_the_page_has_every_row_of_the_table(docs, tmp_path):
    found = (docs / "performance.md").read_text()
    for row in table.rows(tmp_path):
        assert f"| {row.what.strip()} |" in found


def test_a_page_is_filled_between_its_marks(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    page.fill(path, [Row("a step", 5.2, "s", most=6.0), Row("floor / step", least=0.8)], "On a GPU.")
    table_of = "| what | bar | came out |\n| --- | --- | --- |\n| a step | <= 6 | 5.2 s |\n"
    between = f"\nOn a GPU.\n\n{table_of}| floor / step | >= 0.8 | not measured |\n"
    assert path.read_text() == f"before\n{page.BEGIN}{between}{page.END}\nafter\n"


def test_loading_is_what_the_run_has_noted_of_it(tmp_path):
    measured = Measured(tmp_path / "throughput.jsonl")
    assert clips.load_seconds(tmp_path) is None
    measured.add_load("cpu", ("tiny", "float32"), 0.5)
    with measured.path.open("a") as file:
        file.write('{"device": "cpu", "run": {}, "seconds": 13.8}\n')
    assert clips.load_seconds(tmp_path) == 0.5


def test_why_a_speed_up_was_not_measured_stands_in_its_row(tmp_path):
    clips.say_failed(tmp_path, "fp8", "there is no torchao")
    row = next(row for row in table.rows(tmp_path) if row.what.startswith("fp8"))
    assert (row.value, row.note) == (None, "there is no torchao")


@pytest.mark.slow
def test_the_whole_way_through_the_command_line(folder, tmp_path):
    fullsize(folder, "manifest", "--steps", "3")
    fullsize(folder, "run", "--device", "cpu")
    fullsize(folder, "run", "--device", "cpu", "--name", "tiled", "--", "--set", "defaults.vae_tiled=true")
    fullsize(folder, "stock", "--device", "cpu")
    (tmp_path / "page.md").write_text(f"{page.BEGIN}\n{page.END}\n")
    fullsize(folder, "report", "--json", tmp_path / "table.json", "--fill", tmp_path / "page.md")
    assert "| floor / step | >= 0.8 | 0." in (tmp_path / "page.md").read_text()
    found = {row["what"].strip(): row["value"] for row in json.loads((tmp_path / "table.json").read_text())["rows"]}
    measured = {what for what, value in found.items() if value != "not measured"}
    assert measured >= {"a CFG step, exact", "floor / step", "exact step / stock DiffSynth's", "putting a LoRA on"}
    assert measured >= {"loading / reading again", "share of a 3-step clip that is not denoising"}
    assert "tiled: denoising a clip" in measured
    assert found["peak memory"] == found["fp8: denoising a clip"] == "not measured"


def fullsize(folder, step, *arguments):
    command = [sys.executable, "-m", "benchmarks.fullsize", step, folder, "--scale", "tiny", *arguments]
    ran = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr

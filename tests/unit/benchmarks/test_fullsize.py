"""Full size: files that DiffSynth and the registry take for the real ones, and a table that invents nothing."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys

import pytest

import benchmarks.fullsize
from benchmarks.common import BenchmarkError, Row
from benchmarks.full import clips, page, table, wheels
from benchmarks.full.parts import is_known, parts, row_of
from benchmarks.full.steps import take
from benchmarks.full.write import size, write
from standin_batch.errors import NotReadyError, UsageError
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
    for topic in ("CFG step", "floor", "stock", "peak memory", "loading", "LoRA", "not denoising", "fp8"):
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
    measured.add_run("cpu", [], False, {"denoising": 400.0}, 1.0)
    assert clips.load_seconds(tmp_path) is None
    measured.add_load("cpu", ("tiny", "float32"), 0.5)
    measured.add_run("cpu", [], False, {"denoising": 400.0, "loading": 30.0}, 1.0)
    assert clips.load_seconds(tmp_path) == 0.5


RECORD = {
    **{"name": clips.CLIPS, "model": "tiny", "width": 64, "height": 64, "num_frames": 5, "num_inference_steps": 2},
    **{"seconds": {"denoise": 4.0, "decode": 1.0}, "peak_memory": None, "finished_at": "2026-01-31"},
    **{"identity": "chelsea", "seed": 0},
}


def exact_run(folder, *calls):
    """A run that made one clip, and was killed before it could tell."""
    records = folder / clips.RUNS / clips.EXACT / "output/records"
    records.mkdir(parents=True)
    (records / "a.json").write_text(json.dumps({**RECORD, "latents": None}))
    for number, call in enumerate(calls):
        (records.parent.parent / f"call-{number}.json").write_text(json.dumps(call))
    return {row.what.strip(): row.value for row in table.rows(folder)}


def test_a_clip_counts_even_if_nothing_was_kept_of_its_call(tmp_path):
    found = exact_run(tmp_path)
    assert (found["a CFG step, exact"], found["a clip"]) == (2.0, 5.0)
    assert found["floor / step"] is found["rate of a matrix product"] is None


def test_what_was_measured_before_a_run_that_was_killed_counts(tmp_path):
    before = {"matmul_flop_per_second": 1e12, "reading": {"bytes": 1, "first_seconds": 3.0, "again_seconds": 1.0}}
    found = exact_run(tmp_path, {"further": [], **before})
    assert found["rate of a matrix product"] == 1.0
    assert 0 < found["floor / step"] < 1
    assert found["reading the same bytes plainly, first"] == 3.0
    assert found["loading the weights and encoding two prompts"] is None


def test_why_a_speed_up_was_not_measured_stands_in_its_row(tmp_path):
    clips.say_failed(tmp_path, "fp8", "there is no torchao")
    row = next(row for row in table.rows(tmp_path) if row.what.startswith("fp8"))
    assert (row.value, row.note) == (None, "there is no torchao")


def test_all_that_cannot_be_imported_is_named_at_once():
    there, missing = {"json": "Python"}, {"no_such_module": "no-such-wheel", "json.nothing": "other-wheel"}
    wheels.check(there)
    with pytest.raises(NotReadyError) as raised:
        wheels.check({**there, **missing})
    assert raised.value.message.startswith("2 of 3 libraries")
    assert [wheel in raised.value.message for wheel in missing.values()] == [True, True]


def test_the_help_lists_every_wheel():
    told = {word.strip(",;.") for word in benchmarks.fullsize.__doc__.split()}
    assert set(wheels.WHEELS.values()) <= told


@pytest.mark.parametrize("step", ["manifest", "run", "stock", "report"])
def test_a_folder_that_is_not_there_is_an_error(step, tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        take([step, str(tmp_path / "nothing")], None)


def test_the_minutes_count_from_the_start_of_the_step(tmp_path, monkeypatch):
    arguments = argparse.Namespace(device="cpu", minutes=8)
    monkeypatch.setattr(clips.time, "monotonic", lambda: 1000.0)
    assert clips.options(tmp_path, arguments, begun=900.0)[-2:] == ["--max-time", "380s"]
    with pytest.raises(BenchmarkError, match="took all of 8 min"):
        clips.options(tmp_path, arguments, begun=500.0)


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
    assert measured >= {
        "a CFG step, exact",
        "floor / step",
        "exact step / stock DiffSynth's, as it comes",
        "putting a LoRA on",
    }
    assert measured >= {"loading / reading again", "share of a 3-step clip that is not denoising"}
    assert "tiled: denoising a clip" in measured
    assert found["peak memory"] == found["fp8: denoising a clip"] == "not measured"


def fullsize(folder, step, *arguments):
    command = [sys.executable, "-m", "benchmarks.fullsize", step, folder, "--scale", "tiny", *arguments]
    ran = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr

"""The index: three files with one row for each finished video, from the records alone."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from datetime import datetime, timezone

import pyarrow.parquet as pq
import pytest

from standin_batch.output.columns import COLUMNS, KINDS
from standin_batch.output.index import index_schema, is_stale, read_index, write_index
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import Record

RECORD = {
    "job_id": "",
    "name": "portraits",
    "also": ["second"],
    "prompt": "一个女人举起双手",
    "identity": None,
    "loras": [{"name": "ghibli", "files": {"all": "ab"}, "scale": 0.5}],
    "seed": 2**63 - 1,
    "fps": 25,
    "cfg_scale": [4.0, 3],
    "vae_tiled": False,
    "params": {"vace_scale": 0.8},
    "seconds": {"denoise": 1.5, "decode": 0.25},
    "finished_at": "2026-01-02T03:04:05+00:00",
}


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


def write_record(layout, job_id, video="videos/{}.mp4", with_video=True, **changes):
    layout.records.mkdir(exist_ok=True)
    video = video.format(job_id)
    record = {**RECORD, "job_id": job_id, "video": video, **changes}
    layout.record(job_id).write_text(json.dumps(record))
    if with_video:
        (layout.folder / video).parent.mkdir(parents=True, exist_ok=True)
        (layout.folder / video).touch()
    return record


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_file_has_a_row_for_each_record(layout):
    written = [write_record(layout, job_id) for job_id in ("a", "b")]
    assert write_index(layout) == 2
    assert lines(layout.index) == written
    assert [row["file_name"] for row in lines(layout.metadata)] == ["videos/a.mp4", "videos/b.mp4"]
    assert pq.read_table(layout.parquet)["job_id"].to_pylist() == ["a", "b"]


def test_types_are_real(layout):
    write_record(layout, "a")
    write_index(layout)
    (row,) = pq.read_table(layout.parquet).to_pylist()
    assert (row["seed"], row["fps"], row["cfg_scale"], row["vae_tiled"]) == (2**63 - 1, 25.0, [4.0, 3.0], False)
    assert (row["also"], row["loras"], row["lora_scales"]) == (["second"], ["ghibli"], [0.5])
    assert (row["seconds"], json.loads(row["seconds_by_phase"])) == (1.75, RECORD["seconds"])
    assert row["finished_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert row["identity"] is None


def test_an_empty_index_has_the_same_schema(layout):
    assert write_index(layout) == 0
    empty = pq.read_schema(layout.parquet)
    write_record(layout, "a")
    write_index(layout)
    assert empty.equals(pq.read_schema(layout.parquet))
    assert empty.names == index_schema().names


def test_values_of_another_kind_are_null(layout):
    wrong = {"seed": "three", "fps": None, "cfg_scale": [None], "loras": 3, "finished_at": "yesterday", "also": "x"}
    write_record(layout, "a", **wrong, prompt="\ud800", width=True, peak_memory=2**70)
    write_index(layout)
    (row,) = pq.read_table(layout.parquet).to_pylist()
    assert {row[key] for key in ("seed", "fps", "finished_at", "width", "peak_memory")} == {None}
    assert (row["cfg_scale"], row["loras"], row["also"]) == (None, None, None)


def test_metadata_begins_with_the_path_and_the_prompt(layout):
    write_record(layout, "a")
    write_index(layout)
    (row,) = lines(layout.metadata)
    assert list(row)[:2] == ["file_name", "text"]
    assert (row["text"], row["identity"], row["name"]) == (RECORD["prompt"], "", "portraits")


@pytest.mark.parametrize("video", ["../{}.mp4", "/tmp/{}.mp4", "videos/../../{}.mp4"])
def test_a_video_outside_of_the_folder_is_no_video(layout, video):
    write_record(layout, "a", video, with_video=False)
    (layout.folder.parent / "a.mp4").touch()
    assert write_index(layout) == 0


def test_what_is_not_done_has_no_row(layout):
    write_record(layout, "gone", with_video=False)
    write_record(layout, "renamed")
    layout.record("renamed").rename(layout.record("other"))
    layout.record("broken").write_text('{"job_id": "broken", "video"')
    layout.record("list").write_text("[]")
    (layout.records / ".tmp-1-x.json").write_text("{}")
    assert write_index(layout) == 0


def test_nothing_is_left_half_written(layout):
    write_record(layout, "a")
    write_index(layout)
    assert not list(layout.folder.glob(".tmp-*"))


def test_what_looks_like_another_clip_says_so_and_rejected_clips_come_last(layout):
    write_record(layout, "a", scores={"perceptual_hash": "0" * 48}, accepted=False)
    write_record(layout, "b", scores={"perceptual_hash": "0" * 47 + "1"})
    write_record(layout, "c", scores={"perceptual_hash": "f" * 48})
    write_record(layout, "d")
    write_index(layout)
    rows = pq.read_table(layout.parquet).to_pylist()
    assert {row["job_id"]: row["near_duplicate_of"] for row in rows} == {"a": "b", "b": None, "c": None, "d": None}
    assert not any("near_duplicate_of" in record for record in lines(layout.index)), "records stay as they are"


def test_of_clips_that_look_alike_the_exact_one_is_the_first(layout):
    for job_id, speed in (("a", "teacache 0.1"), ("b", "exact"), ("c", "fp8")):
        write_record(layout, job_id, scores={"perceptual_hash": "0" * 48}, speed=speed)
    rejected = {"speed": "exact", "accepted": False}
    write_record(layout, "0", scores={"perceptual_hash": "0" * 48}, **rejected)
    found = {row["job_id"]: row["near_duplicate_of"] for row in read_index(layout).to_pylist()}
    assert found == {"0": "b", "a": "b", "b": None, "c": "b"}


def test_reading_the_index_writes_nothing(layout):
    write_record(layout, "a")
    before = set(layout.folder.rglob("*"))
    table = read_index(layout)
    assert set(layout.folder.rglob("*")) == before
    write_index(layout)
    assert table.equals(pq.read_table(layout.parquet))


def test_every_field_of_a_record_is_in_a_column():
    in_columns = {column.field or column.name for column in COLUMNS if not column.derived}
    assert in_columns == {field.name for field in fields(Record)}


def test_the_documentation_lists_the_columns(manifests):
    text = (manifests.parent / "docs" / "index.md").read_text(encoding="utf-8")
    listed = [line for line in text.partition("| column |")[2].splitlines() if line.startswith("| `")]
    assert listed == [f"| `{column.name}` | {KINDS[column.kind]} | {column.about} |" for column in COLUMNS]


@pytest.mark.parametrize("name", ["index", "metadata", "parquet"])
def test_an_index_is_stale_when_a_file_is_missing_or_records_are_newer(layout, name):
    write_record(layout, "a")
    assert is_stale(layout)
    write_index(layout)
    path = getattr(layout, name)
    for of_file, of_records in ((1, 0), (0, 1)):
        os.utime(path, (of_file, of_file))
        os.utime(layout.records, (of_records, of_records))
        assert is_stale(layout) is (of_file < of_records)
    path.unlink()
    assert is_stale(layout)

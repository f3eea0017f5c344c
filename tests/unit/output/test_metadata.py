"""`metadata.jsonl` as the real `datasets` reads it: every row, every type, every value."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from datasets import Value, Video, load_dataset
from records import make_record, make_scores, write_records

from standin_batch.output.columns import COLUMNS
from standin_batch.output.index import write_index
from standin_batch.output.layout import OutputLayout
from standin_batch.output.metadata import FIRST_ROWS, METADATA
from standin_batch.output.split_words import is_taken_for_split, told_apart


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path / "outputs" / "some-test-set")


def load(layout, tmp_path, **options):
    write_index(layout)
    found = load_dataset("videofolder", data_dir=str(layout.folder), cache_dir=str(tmp_path / "cache"), **options)
    return found["train"].cast_column("video", Video(decode=False))


def names(rows, layout):
    return [Path(row["video"]["path"]).relative_to(layout.folder).as_posix() for row in rows]


def test_every_value_is_the_records(layout, tmp_path):
    random = Random(1)
    lora = {"name": "ghibli", "scale": 0.6, "files": {"all": "ab"}}
    records = [make_record(i, who=who, scores=make_scores(random)) for i, who in enumerate(("ada", None, "grace"))]
    records[1] |= {"loras": [lora], "accept": ["motion >= 1"], "accepted": True, "attempt_of": "0" * 16, "scores": {}}
    write_records(layout, records)
    rows = load(layout, tmp_path)
    assert names(rows, layout) == [record["video"] for record in records]
    for row, record in zip(rows, records, strict=True):
        assert row["text"] == record["prompt"]
        for column in METADATA:
            value, expected = row[column.name], column.cell(record)
            if column.kind in ("texts", "numbers"):
                value = json.loads(value)
            elif column.kind == "time":
                expected = expected.replace(tzinfo=None)
            elif column.kind == "text":
                expected = expected or ""
            assert value == expected, column.name


def test_only_what_is_in_the_index_alone_is_left_out():
    left_out = {column.name for column in COLUMNS} - {column.name for column in METADATA}
    texts = {column.name for column in COLUMNS if column.kind == "json"}
    assert left_out == texts | {"file_name", "prompt"}


def test_rejected_clips_strangers_and_other_files_are_no_rows(layout, tmp_path):
    records = write_records(layout, [make_record(i) for i in range(3)])
    write_records(layout, [make_record(3, accepted=False)])
    (layout.folder / "videos" / "stranger.mp4").write_bytes(b"mp4")
    for name in ("posters/a.webp", "gallery.html", ".standin/subjects/a.png", "manifest.lock.yaml", "report/a.svg"):
        (layout.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (layout.folder / name).write_bytes(b"x")
    assert names(load(layout, tmp_path), layout) == [record["video"] for record in records]
    assert pq.read_table(layout.parquet).num_rows == 4, "the index has them all"


def test_types_are_seen_however_late_the_first_value_comes(layout, tmp_path):
    """`datasets` makes types of the first 10 MB."""
    long = {"negative_prompt": "一" * 4000}
    early = [make_record(i, **long, scores={}) for i in range(1000)]
    late = make_record(1000, **long, scores={"motion": 1.5}, peak_memory=2**40, accepted=True, fps=24)
    write_records(layout, [*early, late])
    rows = load(layout, tmp_path)
    assert layout.metadata.stat().st_size > 11 << 20
    assert rows.features["motion"] == rows.features["fps"] == Value("float64")
    assert (rows.features["peak_memory"], rows.features["accepted"]) == (Value("int64"), Value("bool"))
    assert [row for row in rows if row["motion"] is not None] == [rows[0]]
    assert (rows[0]["seed"], rows[0]["motion"], rows[0]["peak_memory"]) == (1000, 1.5, 2**40)
    assert sorted(rows["seed"]) == list(range(1001))
    assert FIRST_ROWS < 1000


def test_texts_that_look_like_dates_stay_texts_or_stay_away(layout, tmp_path):
    dated = [make_record(i, manifest="2026-01-02", name=name) for i, name in enumerate(("2026-01-02", "portraits"))]
    write_records(layout, dated)
    rows = load(layout, tmp_path)
    assert rows["name"] == ["2026-01-02", "portraits"]
    assert "manifest" not in rows.features, "every one of them would come back as a time"
    assert rows[0]["finished_at"] == datetime(2026, 11, 22, 14, 8, 45)


def test_names_that_are_taken_for_splits_are_known(layout, tmp_path):
    """What `datasets` does with them; reading the metadata alone always works."""
    write_records(layout, [make_record(0, prompt="test"), make_record(1, prompt="desk")])
    write_index(layout)
    cache = str(tmp_path / "cache")
    by_names = load_dataset("videofolder", data_dir=str(layout.folder), cache_dir=cache)
    assert {split: rows.num_rows for split, rows in by_names.items()} == {"test": 1}
    assert load(layout, tmp_path, data_files="metadata.jsonl").num_rows == 2


@pytest.mark.parametrize("name", ["test/a.mp4", "a-test-0.mp4", "a/dev_1/b.mp4", "val", "x 2train.mp4", "eval.mp4"])
def test_a_name_with_a_word_of_its_own_is_taken_for_a_split(name):
    assert is_taken_for_split(name)
    assert not is_taken_for_split(told_apart(name))
    assert told_apart(name).lower() == name


@pytest.mark.parametrize("name", ["tests/a.mp4", "contest.mp4", "Test.mp4", "training_1a/trainer.mp4"[9:], "deval.mp4"])
def test_other_names_are_not(name):
    assert not is_taken_for_split(name)
    assert told_apart(name) == name


def test_an_empty_folder_has_an_empty_file(layout):
    layout.folder.mkdir(parents=True)
    assert write_index(layout) == 0
    assert layout.metadata.read_text() == ""

"""Data sets: what is written, as the real `datasets` loads it, and what is never written over."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import Video, load_dataset
from records import RECORD, make_record, make_scores, picture_of, write_records

from standin_batch.errors import UsageError
from standin_batch.output.export import ExportOptions, export
from standin_batch.output.layout import OutputLayout
from standin_batch.output.metadata import METADATA
from standin_batch.output.people import Picture, keep_person
from standin_batch.output.selection import Wish, select
from standin_batch.output.split import parse_split

PEOPLE = ("ada", "grace", "edith", None)


@pytest.fixture
def layout(tmp_path):
    """Sixteen clips: three people and nobody, one of each rejected."""
    layout, random = OutputLayout(tmp_path / "outputs" / "set"), Random(0)
    records = [
        make_record(i, who=PEOPLE[i % 4], prompt=("test", "desk")[i % 2], scores=make_scores(random), accepted=i < 12)
        for i in range(16)
    ]
    write_records(layout, records)
    return layout


@pytest.fixture
def target(tmp_path):
    return tmp_path / "sets" / "exported"


def load(target, *how):
    found = load_dataset(*(how or ("videofolder",)), data_dir=None if how else str(target), cache_dir=f"{target}-cache")
    return {split: rows.cast_column("video", Video(decode=False)) for split, rows in found.items()}


def written(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def records(layout):
    return {path.stem: json.loads(path.read_text()) for path in layout.records.iterdir()}


def test_every_split_loads_with_the_values_of_the_records(layout, target):
    export(select(layout, Wish(split=parse_split("identity:0.5"))), target, ExportOptions(captions=True))
    splits, made = load(target), records(layout)
    assert set(splits) == {"train", "validation"}
    assert sum(rows.num_rows for rows in splits.values()) == 12
    for split, rows in splits.items():
        for row in rows:
            record = made[row["job_id"]]
            video = Path(row["video"]["path"])
            assert video.parent == target / split / "videos"
            assert video.samefile(layout.folder / record["video"])
            assert video.with_suffix(".txt").read_text() == record["prompt"] == row["text"]
            scores = {column.name: column.cell(record) for column in METADATA if column.field == "scores"}
            assert {name: row[name] for name in scores} == scores
            same = ("seed", "name", "prompt_name", "width", "fps", "accepted", "attempt", "model", "finished_at")
            expected = {**record, "finished_at": row["finished_at"]}
            assert {name: row[name] for name in same} == {name: expected[name] for name in same}
            assert row["identity"] == (record["identity"] or "")


def test_the_folder_loads_by_its_card_and_a_new_one_is_not_taken_for_the_old(layout, target):
    export(select(layout, Wish()), target, ExportOptions(captions=True))
    assert load(target, str(target))["train"].num_rows == 12
    export(select(layout, Wish("identity = 'ada'")), target, ExportOptions(force=True))
    assert load(target, str(target))["train"].num_rows == 3
    assert load(target)["train"].num_rows == 3


def seen(who, models=RECORD["weights"]["face"]):
    """A photograph as face models saw it."""
    return Picture(picture_of(who), models)


def test_nobody_is_in_two_splits(layout, target):
    looks = {"ada": [1.0, 0.0, 0.0], "edith": [0.9, 0.2, 0.0], "grace": [0.0, 0.0, 2.0]}
    for who, embedding in looks.items():
        keep_person(layout, seen(who), np.array(embedding, np.float32))
    export(select(layout, Wish(split=parse_split("identity:0.7"))), target, ExportOptions())
    index = pq.read_table(target / "index.parquet").to_pylist()
    splits = {}
    for row in index:
        splits.setdefault(row["identity"], set()).add(row["split"])
    assert splits["ada"] == splits["edith"] != splits["grace"]
    assert len(splits["ada"]) == 1


def test_a_condition_does_not_part_what_clips_outside_of_it_tie_together(layout):
    """Ada and grace are one by a clip with the name of the one and the photograph of the other."""
    tie = make_record(20, who="ada", prompt="tie", accepted=False, identity_sha256=picture_of("grace"))
    write_records(layout, [tie])
    assert select(layout, Wish("identity IN ('ada', 'grace')")).identities == {"": 1}
    assert select(layout, Wish("identity IN ('ada', 'edith') AND prompt_name != 'tie'")).identities == {"": 2}


def test_only_what_the_same_face_models_saw_is_compared(layout):
    """The tiny models take everybody for one; later ones, in the same folder, see better."""
    records = [make_record(30 + i, who=who, weights={"face": "real"}) for i, who in enumerate(("bea", "cleo", "dora"))]
    write_records(layout, records)
    for who, embedding in {"bea": [1.0, 0.0], "cleo": [0.0, 1.0], "dora": [0.9, 0.1]}.items():
        keep_person(layout, seen(who), np.array([1.0, 0.0], np.float32))
        keep_person(layout, seen(who, "real"), np.array(embedding, np.float32))
    assert select(layout, Wish("identity IN ('bea', 'cleo', 'dora')")).identities == {"": 2}


def test_what_the_same_face_models_see_later_replaces_what_they_saw(layout):
    for embedding in ([0.0, 1.0], [1.0, 0.0]):
        keep_person(layout, seen("ada"), np.array(embedding, np.float32))
    keep_person(layout, seen("edith"), np.array([1.0, 0.0], np.float32))
    assert select(layout, Wish("identity IN ('ada', 'edith')")).identities == {"": 1}


@pytest.mark.parametrize("broken", ["", "[]", "{}", '["a"]', "[NaN]", "[[1], [2, 3]]"])
def test_what_is_no_embedding_changes_nothing(layout, broken):
    for who in ("ada", "edith"):
        keep_person(layout, seen(who), np.array([1.0], np.float32))
    for path in layout.people.iterdir():
        path.write_text(broken)
    assert select(layout, Wish()).identities == {"": 3}
    assert select(layout, Wish()).unknown == 3


def test_rows_are_chosen_by_condition_and_rejected_ones_on_request(layout):
    assert select(layout, Wish()).rows == 12
    assert select(layout, Wish(rejected_too=True)).rows == 16
    assert select(layout, Wish("identity = 'ada'", rejected_too=True)).rows == 4
    with pytest.raises(UsageError, match="none of the 16 clips"):
        select(layout, Wish("seed > 99"))


def test_the_index_has_all_columns_and_the_paths_of_the_data_set(layout, target):
    export(select(layout, Wish(split=parse_split("identity:0.5"))), target, ExportOptions())
    for row in pq.read_table(target / "index.parquet").to_pylist():
        assert (target / row["file_name"]).is_file()
        assert json.loads(row["weights"]) == records(layout)[row["job_id"]]["weights"]


def test_pictures_of_identities_come_along_once_for_each_split(layout, target, tmp_path):
    picture = tmp_path / "0123.png"
    picture.write_bytes(b"png")
    options = ExportOptions(reference_of=lambda row: picture if row["identity"] == "ada" else None)
    done = export(select(layout, Wish(split=parse_split("identity:0.5"))), target, options)
    assert (done.references, done.without_reference) == (1, 6)
    for split, rows in load(target).items():
        for row in rows:
            assert row["reference"] == ("references/ada-0123.png" if row["identity"] == "ada" else "")
            assert not row["reference"] or (target / split / row["reference"]).read_bytes() == b"png"


def test_videos_are_linked_or_copied_as_wished(layout, target, tmp_path):
    assert export(select(layout, Wish()), target, ExportOptions()).linked == 12
    assert export(select(layout, Wish()), tmp_path / "copied", ExportOptions(copy=True)).copied == 12
    (video, *_) = (tmp_path / "copied" / "videos").iterdir()
    assert video.stat().st_nlink == 1


def test_where_links_are_impossible_videos_are_copied(layout, target, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert export(select(layout, Wish()), target, ExportOptions()).copied == 12


def test_a_column_that_one_split_cannot_have_is_in_the_index_only(tmp_path, target):
    layout = OutputLayout(tmp_path / "outputs")
    write_records(layout, [make_record(i, who=who, scores={}) for i, who in enumerate(("ada", "grace"))])
    write_records(layout, [make_record(2, who="ada", scores={"motion": 1.0})])
    done = export(select(layout, Wish(split=parse_split("identity:0.5"))), target, ExportOptions())
    assert done.only_in_index == ("motion",)
    assert {rows.num_rows for rows in load(target).values()} == {1, 2}
    assert "motion" in pq.read_schema(target / "index.parquet").names


def test_the_output_folder_stays_as_it_is(layout, target):
    before = written(layout.folder)
    export(select(layout, Wish()), target, ExportOptions(captions=True))
    assert written(layout.folder) == before
    assert [path.name for path in target.parent.iterdir()] == ["exported"]


def test_an_export_that_fails_leaves_nothing_and_the_old_one_as_it_was(layout, target):
    export(select(layout, Wish()), target, ExportOptions())
    before, selection = written(target), select(layout, Wish())
    next(layout.videos.rglob("*-11-*.mp4")).unlink()
    with pytest.raises(Exception, match="cannot be written"):
        export(selection, target, ExportOptions(force=True))
    assert written(target) == before
    assert [path.name for path in target.parent.iterdir()] == ["exported"]


def test_what_a_killed_export_left_is_removed(layout, target):
    left = target.parent / ".tmp-4194305-exported" / "new"
    left.mkdir(parents=True)
    export(select(layout, Wish()), target, ExportOptions())
    assert [path.name for path in target.parent.iterdir()] == ["exported"]


def test_only_a_data_set_is_replaced_and_only_by_force(layout, target):
    export(select(layout, Wish()), target, ExportOptions())
    with pytest.raises(UsageError, match="holds a data set already"):
        export(select(layout, Wish()), target, ExportOptions())
    (target / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds notes\.txt"):
        export(select(layout, Wish()), target, ExportOptions(force=True))
    (target / "export.json").unlink()
    with pytest.raises(UsageError, match="something else"):
        export(select(layout, Wish()), target, ExportOptions(force=True))


@pytest.mark.parametrize("inside", ["", "videos", "new/sets", ".."])
def test_a_data_set_is_no_part_of_the_output_folder(layout, inside):
    with pytest.raises(UsageError, match="in one another"):
        export(select(layout, Wish()), layout.folder / inside, ExportOptions(force=True))


def test_a_link_does_not_lead_into_the_output_folder(layout, target):
    target.parent.mkdir()
    target.symlink_to(layout.folder)
    with pytest.raises(UsageError, match="in one another"):
        export(select(layout, Wish()), target, ExportOptions(force=True))


def test_the_card_tells_the_hub_and_the_reader(layout, target):
    lora = {"name": "ghibli", "scale": 0.6, "files": {"all": "ab" * 32}}
    real = {"model": "wan2.1-t2v-14b", "weights": {"base": "cd" * 32, "face": "ef" * 32}, "loras": [lora]}
    write_records(layout, [make_record(0, scores={"motion": 1.0}, **real)])
    export(select(layout, Wish("motion >= 0", parse_split("identity:0.5"))), target, ExportOptions(captions=True))
    _, front, text = (target / "README.md").read_text().split("---\n", 2)
    head = yaml.safe_load(front)
    assert (head["license"], head["size_categories"]) == ("other", ["n<1K"])
    assert [each["split"] for each in head["configs"][0]["data_files"]] == ["train", "validation"]
    for told in ("generated by AI", "consent", "`motion >= 0`", "`torch 2.15.0`", "`ghibli`", "ab" * 32, "cd" * 32):
        assert told in text
    assert "| [antelopev2](<https://huggingface.co/DIAMONIK7777/antelopev2>) | face | non-commercial" in text

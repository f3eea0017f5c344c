"""`standin dataset export`: the quick start's clips as a data set, and five thousand of them in time."""

from __future__ import annotations

import json
import time
from random import Random

import pytest
from datasets import Video, load_dataset
from records import make_record, make_scores, write_records

from standin_batch.output.index import write_index
from standin_batch.output.layout import OutputLayout

CLIPS = 5_000


def export(workspace, *arguments):
    return workspace.standin("dataset", "export", *arguments)


def test_a_run_becomes_a_data_set(quickstart, workspace, tmp_path):
    source = quickstart[0].folder / "outputs" / "quickstart"
    before = {path for path in source.rglob("*") if path.is_file()}
    ran = export(
        workspace, source, "--to", "set", "--split", "identity:0.5", "--captions", "--references", "--copy", "--json"
    )
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["rows"], told["copied"], told["references"]) == (0, 8, 8, 2)
    assert told["splits"] == {split: {"rows": 4, "identities": 1} for split in ("train", "validation")}
    splits = load_dataset("videofolder", data_dir=str(workspace.folder / "set"), cache_dir=str(tmp_path))
    for split, rows in splits.items():
        for row in rows.cast_column("video", Video(decode=False)):
            picture = workspace.folder / "set" / split / row["reference"]
            assert row["identity"] in picture.name
            assert picture.read_bytes() in [path.read_bytes() for path in (source / ".standin/subjects").iterdir()]
    assert {path for path in source.rglob("*") if path.is_file()} == before


def test_a_dry_run_counts_and_writes_nothing(quickstart, workspace):
    source = quickstart[0].folder / "outputs" / "quickstart"
    ran = export(workspace, source, "--where", "identity = 'cat'", "--dry-run")
    assert (ran.returncode, "4 rows; nothing was written" in ran.stderr) == (0, True)
    assert not (workspace.folder / "set").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name one with --to DIR"),
        (("--to", "set", "--where", "identty = 'ada'"), "did you mean identity?"),
        (("--to", "set", "--where", "seed > 99"), "none of the 8 clips"),
        (("--to", "set", "--split", "identity:0.8,0.1,0.1"), "2 of `identity` cannot be in 3 splits"),
        (("--to", "set", "--split", "identity"), "write identity:0.9"),
        (("--to", "."), "something else than a data set"),
    ],
)
def test_what_cannot_be_exported_is_told(quickstart, workspace, arguments, told):
    ran = export(workspace, quickstart[0].folder / "outputs" / "quickstart", *arguments)
    assert ran.returncode == 2
    assert told in " ".join(ran.stderr.split())


def test_the_columns_are_shown_without_a_folder(workspace):
    ran = export(workspace, "--columns")
    assert ran.returncode == 0
    assert "face_similarity" in ran.stdout


def test_the_index_warns_of_names_that_are_taken_for_splits(workspace):
    layout = OutputLayout(workspace.folder / "outputs")
    write_records(layout, [make_record(0, prompt="test"), make_record(1)])
    ran = workspace.standin("dataset", "index", "outputs")
    assert ran.returncode == 0
    assert 'data_files="metadata.jsonl"' in " ".join(ran.stderr.split())


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Five thousand clips of fifty people."""
    layout, random = OutputLayout(tmp_path_factory.mktemp("many") / "outputs"), Random(0)
    records = [make_record(i, who=f"person {i % 50}", scores=make_scores(random)) for i in range(CLIPS)]
    write_records(layout, records)
    return layout


@pytest.mark.timing
def test_five_thousand_rows_are_indexed_in_ten_seconds(many):
    began = time.perf_counter()
    assert write_index(many) == CLIPS
    assert time.perf_counter() - began < 10


@pytest.mark.timing
def test_five_thousand_rows_are_filtered_and_exported_in_twenty_seconds(many, workspace, tmp_path):
    began = time.perf_counter()
    condition = ("--where", "face_similarity >= 0.35", "--split", "identity:0.9")
    ran = export(workspace, many.folder, "--to", tmp_path / "set", *condition, "--captions", "--json")
    assert time.perf_counter() - began < 20
    told = json.loads(ran.stdout)
    splits = load_dataset("videofolder", data_dir=str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in splits.items()} == {
        split: each["rows"] for split, each in told["splits"].items()
    }
    assert 4_000 < told["rows"] < CLIPS


def test_a_run_is_reported(quickstart, workspace):
    source = quickstart[0].folder / "outputs" / "quickstart"
    ran = workspace.standin("dataset", "report", source, "--to", "notes.md", "--json")
    summary = json.loads(ran.stdout)["summary"]
    assert (ran.returncode, summary["clips"], summary["failed"]) == (0, 8, 0)
    assert "| clips | 8 |" in (workspace.folder / "notes.md").read_text()
    assert (workspace.folder / "notes" / "phases.svg").is_file()
    assert not (source / "report.md").exists()


def test_a_report_is_markdown(quickstart, workspace):
    ran = workspace.standin("dataset", "report", quickstart[0].folder / "outputs" / "quickstart", "--to", "notes.html")
    assert (ran.returncode, "ends in .md" in ran.stderr) == (2, True)

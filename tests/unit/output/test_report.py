"""The report: numbers that are the records', links that lead somewhere, plots that are the same each time."""

from __future__ import annotations

import json
import re
from random import Random
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from records import make_record, make_scores, write_records

from standin_batch.output.failed import FailedJob
from standin_batch.output.layout import OutputLayout
from standin_batch.output.markdown import code, escaped, link, table
from standin_batch.output.report import write_report
from standin_batch.output.report_text import size, span

FAILURES = [
    FailedJob(str(i), f"portraits · bob · seed {i}", "no face in bob|s.jpg", "input", "another") for i in range(12)
]


@pytest.fixture
def layout(tmp_path):
    layout, random = OutputLayout(tmp_path / "outputs" / "set"), Random(0)
    records = [
        make_record(
            i,
            who=("ada", "小明", None)[i % 3],
            prompt=("desk", "wave")[i % 2],
            scores=make_scores(random) if i % 3 < 2 else {"sharpness": 1.0},
            accepted=(i % 4 != 0) if i % 3 < 2 else None,
            attempt_of=f"{i:016x}" if i % 3 < 2 else None,
        )
        for i in range(24)
    ]
    records[5]["scores"]["perceptual_hash"] = records[7]["scores"]["perceptual_hash"] = "0" * 48
    write_records(layout, records)
    return layout


def links(text):
    return [unquote(path) for path in re.findall(r"\]\(<([^>]*)>\)", text)]


def test_a_report_tells_what_was_made_and_what_failed(layout):
    facts = write_report(layout, FAILURES)
    text = layout.report.read_text(encoding="utf-8")
    assert (facts.summary.clips, facts.summary.rejected, facts.summary.failed) == (24, 4, 12)
    for told in (
        "| clips | 20 |",
        "| rejected | 4 |",
        "| failed jobs | 12 |",
        "no face in bob\\|s.jpg",
        "; and 2 more",
    ):
        assert told in text
    assert "| `tiny` | 160 x 96 x 9 | exact | 24 | 0.5 |  |" in text
    assert re.search(r"\| 小明 \| \d \| \d \| 0\.\d{3} \|", text)
    assert "`torch 2.15.0`" in text


def test_best_and_worst_are_told_by_the_likeness_of_clips_that_are_not_rejected(layout):
    facts = write_report(layout, [])
    values = [clip.value for clip in (*facts.best, *reversed(facts.worst))]
    assert facts.ranked_by == "face_similarity"
    assert values == sorted(values, reverse=True)
    assert len(facts.best) == len(facts.worst) == 5


def test_without_people_clips_are_ranked_by_sharpness_and_without_scores_not_at_all(tmp_path):
    layout = OutputLayout(tmp_path)
    write_records(layout, [make_record(i, who=None, scores={"sharpness": float(i)}) for i in range(3)])
    assert write_report(layout, []).ranked_by == "sharpness"
    write_records(layout, [make_record(i, who=None) for i in range(3)])
    assert write_report(layout, []).ranked_by == ""
    assert "No clip has scores." in layout.report.read_text()
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["phases.svg"], "older plots are gone"


def test_clips_that_look_the_same_are_named(layout):
    (pair,) = write_report(layout, []).near_duplicates
    assert [clip.label.rpartition(" ")[2] for clip in pair] == ["7", "5"]


@pytest.mark.parametrize("to", [None, "elsewhere/deep/notes.md"])
def test_every_link_leads_to_a_file(layout, tmp_path, to):
    path = layout.report if to is None else tmp_path / to
    write_report(layout, FAILURES, None if to is None else path)
    found = links(path.read_text(encoding="utf-8"))
    assert len(found) > 10
    assert all((path.parent / name).is_file() for name in found)


def test_plots_are_whole_and_the_same_each_time(layout):
    folder = layout.report.with_suffix("")
    write_report(layout, [])
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_report(layout, [])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert set(first) == {"phases.svg", "scores.svg", "by-identity.svg"}
    assert all(ElementTree.fromstring(content).tag.endswith("svg") for content in first.values())
    assert "小明" in first["by-identity.svg"].decode()


def test_of_nothing_there_is_a_report_too(tmp_path):
    write_report(OutputLayout(tmp_path), [])
    assert "| clips | 0 |" in (tmp_path / "report.md").read_text()


def test_cells_and_links_hold_anything():
    odd = "a|b\n*c* <d> [e](f) `g`"
    row = table(("x",), [(escaped(odd),)]).splitlines()[2]
    assert re.findall(r"(?<!\\)\|", row) == ["|", "|"]
    assert "|" not in code(odd)
    assert unquote(link("x", "a|b <c>#d.mp4")[5:-2]) == "a|b <c>#d.mp4"


def test_numbers_are_written_as_people_write_them():
    assert [span(it) for it in (4.2, 185, 7800)] == ["4.2 s", "3 min 05 s", "2 h 10 min"]
    assert [size(it) for it in (812, 4.2e6, 7e13)] == ["812 B", "4.2 MB", "70.0 TB"]


def test_rejected_clips_count_also_when_they_were_dropped(layout):
    before = write_report(layout, []).summary
    for path in layout.records.iterdir():
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["accepted"] is False:
            (layout.folder / record["video"]).unlink()
            path.write_text(json.dumps({**record, "video_bytes": 0, "video_sha256": None}), encoding="utf-8")
    after = write_report(layout, []).summary
    assert (after.clips, after.rejected, after.seconds) == (before.clips, before.rejected, before.seconds)
    assert after.acceptance == before.acceptance

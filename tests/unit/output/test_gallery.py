"""The gallery: one page from the records alone, small, and nothing in it can break out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources

import numpy as np
import pytest
from gallery_folder import failure_of, make_folder, record_of
from PIL import Image

from standin_batch.files import write_atomic
from standin_batch.output.failed import FailedJob
from standin_batch.output.gallery import Throttle, write_gallery
from standin_batch.output.gallery.page import safe_json
from standin_batch.output.layout import OutputLayout
from standin_batch.output.poster import MAX_HEIGHT, MAX_WIDTH, make_posters, write_poster
from standin_batch.output.subject_key import recorded_key
from standin_batch.run.failure import FailureKind

HOSTILE = "</script><script>alert(1)</script><!--<script>&\u2028\u2029 ]]> {{script}} \ud800"


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path / "faces")


@pytest.fixture
def rng():
    import random

    return random.Random(0)


def put(layout, number, rng, *, with_video=True, **changes):
    """Write the record of job `number`, and a file in place of its video."""
    record = {**json.loads(record_of(number, rng).to_json()), **changes}
    write_atomic(layout.record(record["job_id"]), json.dumps(record))
    if with_video:
        write_atomic(layout.folder / record["video"], b"")
    return record


def data(layout):
    """What the page knows: its head, its failed jobs, and its rows."""
    text = layout.gallery.read_text(encoding="utf-8")
    (block,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    found = json.loads(block)
    total = found["head"]["completed"]
    columns = {column["name"]: cells(column, total) for column in found["columns"]}
    rows = [{name: column[row] for name, column in columns.items()} for row in range(total)]
    return found["head"], found["failed"], rows


def cells(column, total):
    if "constant" in column:
        return [column["constant"]] * total
    return column["cells"] if "cells" in column else [column["values"][code] for code in column["codes"]]


def test_each_finished_video_is_a_row(layout, rng):
    records = [put(layout, number, rng) for number in range(6)]
    assert write_gallery(layout, (), running=False) == 6
    head, _, rows = data(layout)
    assert (head["name"], head["completed"]) == ("faces", 6)
    written = {record["job_id"]: record for record in records}
    for row in rows:
        record = written[row["job_id"]]
        assert row["prompt"] == record["prompt"]
        assert row["file_name"] == record["video"]
        assert row["face_similarity"] == pytest.approx(record["scores"]["face_similarity"], abs=1e-4)
        assert row["size"] == "208 × 120"
        assert row["accepted"] is record["accepted"]


def test_a_video_that_is_gone_has_no_row(layout, rng):
    put(layout, 0, rng)
    put(layout, 1, rng, with_video=False)
    put(layout, 2, rng, with_video=False, video="../faces/records/0000000000000000.json")
    assert write_gallery(layout, (), running=False) == 1


def test_an_empty_folder_has_a_page(layout):
    assert write_gallery(layout, (), running=False) == 0
    assert data(layout) == ({**data(layout)[0], "completed": 0, "name": "faces"}, [], [])


def test_each_key_of_a_mode_is_a_column(layout, rng):
    put(layout, 0, rng, params={"vace_scale": 0.5})
    put(layout, 1, rng, params={"denoising_strength": 0.6, "boxes": [1, 2]})
    write_gallery(layout, (), running=False)
    rows = sorted(data(layout)[2], key=lambda row: row["params.vace_scale"] is None)
    assert [row["params.vace_scale"] for row in rows] == [0.5, None]
    assert [row["params.denoising_strength"] for row in rows] == [None, 0.6]
    assert rows[1]["params.boxes"] == "1, 2"


def test_a_seed_keeps_all_its_digits(layout, rng):
    put(layout, 0, rng, seed=2**63 - 1)
    write_gallery(layout, (), running=False)
    assert data(layout)[2][0]["seed"] == "9223372036854775807"


def test_records_of_another_version_are_shown_as_far_as_they_go(layout, rng):
    wrong = {"scores": {"sharpness": float("nan")}, "loras": 3, "seconds": None, "params": None, "weights": "x"}
    put(layout, 0, rng, **wrong, width="wide")
    assert write_gallery(layout, (), running=False) == 1
    (row,) = data(layout)[2]
    assert not {"sharpness", "loras", "seconds", "size", "reference"} & row.keys()


@pytest.mark.parametrize("field", ["prompt", "identity", "name", "prompt_name", "negative_prompt", "device"])
def test_no_text_of_a_record_ends_the_data(layout, rng, field):
    put(layout, 0, rng, **{field: HOSTILE})
    write_gallery(layout, (FailedJob("a" * 16, HOSTILE, HOSTILE, "input", HOSTILE),), running=False)
    text = layout.gallery.read_text(encoding="utf-8")
    assert "alert(1)</script" not in text
    assert text.count("<script") == 2
    _, failed, (row,) = data(layout)
    assert row[field] == failed[0]["error"] == HOSTILE.replace("\ud800", "?")


def test_a_folder_with_a_hostile_name_has_an_ordinary_title(tmp_path, rng):
    layout = OutputLayout(tmp_path / "<img src=x onerror=alert(1)>{{data}}")
    put(layout, 0, rng)
    write_gallery(layout, (), running=False)
    assert "<img" not in layout.gallery.read_text()
    assert data(layout)[0]["name"] == layout.folder.name


def test_json_in_a_page_has_nothing_that_html_or_javascript_would_take_for_its_own():
    text = safe_json({"text": HOSTILE})
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == {"text": HOSTILE}


def test_the_policy_names_the_one_script_and_the_style_by_their_digests(layout):
    write_gallery(layout, (), running=False)
    text = layout.gallery.read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for kind, content in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_asks_the_network_for_nothing(layout, rng):
    put(layout, 0, rng)
    write_gallery(layout, (), running=False)
    text = layout.gallery.read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"']+", text) == ["http://www.w3.org/2000/svg"]  # the name of a namespace
    assert re.findall(r'(?:src|href)="[^"]*"', text) == ['href="data:,"']


def test_only_while_a_run_is_at_work_the_page_may_load_another_script(layout):
    write_gallery(layout, (), running=True, total=8, now=2.0)
    assert "'strict-dynamic'" in layout.gallery.read_text(encoding="utf-8")
    write_gallery(layout, (), running=False, total=8, now=3.0)
    assert "'strict-dynamic'" not in layout.gallery.read_text(encoding="utf-8")


def test_pages_that_are_open_hear_of_each_newer_one(layout, rng):
    def told():
        (call,) = re.fullmatch(r"standinGallery\((.*)\);\n", layout.gallery_news.read_text()).groups()
        return json.loads(call)

    write_gallery(layout, (), running=True, done=0, total=2, now=10.0)
    first = told()
    put(layout, 0, rng)
    write_gallery(layout, (failure_of(0),), running=False, done=1, total=2, now=11.5)
    assert first == {"version": 10_000, "running": True, "completed": 0, "failed": 0, "done": 0, "total": 2}
    assert told() == {"version": 11_500, "running": False, "completed": 1, "failed": 1, "done": 1, "total": 2}
    assert data(layout)[0] == {"name": "faces", **told()}


def test_failed_jobs_come_as_they_were_given(layout):
    jobs = (failure_of(0), failure_of(1))
    write_gallery(layout, jobs, running=False)
    assert [FailedJob(**job) for job in data(layout)[1]] == list(jobs)


def test_only_pictures_that_are_there_are_shown(layout, rng):
    records = [put(layout, number, rng) for number in (0, 1)]
    write_poster(layout.poster(records[0]["job_id"]), np.zeros((96, 160, 3), np.uint8))
    key = recorded_key(records[1])
    write_atomic(layout.subjects / f"{key}.png", b"")
    write_gallery(layout, (), running=False)
    rows = {row["job_id"]: row for row in data(layout)[2]}
    assert [rows[record["job_id"]]["has_poster"] for record in records] == [True, False]
    assert [rows[record["job_id"]]["reference"] for record in records] == [None, f".standin/subjects/{key}.png"]


def test_two_thousand_rows_are_well_below_a_megabyte(tmp_path):
    layout, failures = make_folder(tmp_path / "many", 2_000)
    assert write_gallery(layout, failures, running=False) == 2_000
    assert layout.gallery.stat().st_size < 900_000


def test_nothing_is_left_half_written(layout, rng):
    put(layout, 0, rng)
    write_gallery(layout, (), running=True)
    assert not list(layout.folder.rglob(".tmp-*"))


def test_a_throttle_lets_the_first_write_through_and_keeps_a_pause_after_it():
    throttle = Throttle()
    assert throttle.is_due(0.0)
    throttle.wrote(0.0, 0.1)
    assert not throttle.is_due(10.0)
    assert throttle.is_due(10.1)


def test_writes_that_take_long_come_so_seldom_that_they_cost_a_twentieth():
    throttle, now, writing = Throttle(), 0.0, 0.0
    while now < 3600:
        if throttle.is_due(now):
            throttle.wrote(now, now + 4.0)
            now, writing = now + 4.0, writing + 4.0
        now += 1.0
    assert writing / now == pytest.approx(0.05, abs=0.005)


def test_a_poster_is_small_and_keeps_its_shape(tmp_path):
    for height, width in ((480, 832), (832, 480), (96, 160)):
        path = tmp_path / f"{width}.webp"
        write_poster(path, np.full((height, width, 3), 200, np.uint8))
        with Image.open(path) as image:
            assert image.format == "WEBP"
            assert image.width <= MAX_WIDTH
            assert image.height <= MAX_HEIGHT
            assert image.width / image.height == pytest.approx(width / height, rel=0.02)


def test_missing_posters_show_the_middle_frame(tmp_path):
    layout, _ = make_folder(tmp_path / "few", 13)
    kept = {path.name: np.array(Image.open(path).convert("RGB"), int) for path in layout.posters.iterdir()}
    for path in list(layout.posters.iterdir()):
        path.unlink()
    told = []
    records = [json.loads(path.read_text()) for path in sorted(layout.records.iterdir())]
    assert make_posters(layout, records, told.append) == (13, ())
    assert told == list(range(1, 14))
    for path in layout.posters.iterdir():  # those before were made of the frames themselves
        assert np.abs(np.array(Image.open(path).convert("RGB"), int) - kept[path.name]).mean() < 4
    assert make_posters(layout, records) == (0, ())


def test_a_video_that_is_none_has_no_poster_and_is_named(layout, rng):
    record = put(layout, 0, rng)
    assert make_posters(layout, [record]) == (0, (record["job_id"],))
    assert not layout.poster(record["job_id"]).exists()


def test_every_kind_of_failure_has_words():
    text = resources.files("standin_batch.output.gallery").joinpath("assets", "failed.js").read_text(encoding="utf-8")
    assert {kind.value for kind in FailureKind} == set(re.findall(r"(\w+): \"", text.partition("};")[0]))

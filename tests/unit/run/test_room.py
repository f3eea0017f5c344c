"""Room on the disk: what a clip takes, and whether it is there."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from jobs import make_job

from standin_batch.files import DiskFullError
from standin_batch.output.store import OutputOptions
from standin_batch.run.room import MARGIN, Room

JOB = make_job(shape=(832, 480, 81))
PIXELS = 832 * 480 * 81


def room(tmp_path, bytes_per_pixel=None, **options):
    usual = {"template": "{job_id}", "quality": 9, "lossless": False, "keep_latents": False}
    return Room(tmp_path, OutputOptions(**{**usual, **options}), bytes_per_pixel)


@pytest.fixture
def disk(monkeypatch):
    """A disk with so many bytes left."""

    def has(free):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))

    return has


def test_what_was_measured_here_counts_before_what_is_assumed(tmp_path):
    assert room(tmp_path, 0.1).clip_bytes(JOB) == pytest.approx(0.1 * PIXELS)
    assert room(tmp_path).clip_bytes(JOB) > room(tmp_path, 0.1).clip_bytes(JOB)
    assert room(tmp_path, lossless=True).clip_bytes(JOB) == 3 * PIXELS


def test_latents_that_are_kept_count(tmp_path):
    latents = 4 * 16 * 21 * 60 * 104
    more = room(tmp_path, keep_latents=True).clip_bytes(JOB) - room(tmp_path).clip_bytes(JOB)
    assert more == pytest.approx(latents, rel=0.05)


def test_a_clip_needs_room_for_itself_and_for_what_is_saved_on_the_way(tmp_path, disk):
    found = room(tmp_path)
    needed = found.clip_bytes(JOB) + found.work_bytes(JOB) + MARGIN
    disk(needed)
    found.check(JOB)
    disk(needed - 1)
    with pytest.raises(DiskFullError, match="left, and a clip"):
        found.check(JOB)


def test_a_disk_that_will_not_do_for_all_is_told(tmp_path, disk):
    found = room(tmp_path)
    disk(10 * found.clip_bytes(JOB))
    assert found.shortage([JOB] * 10) == ""
    assert "these videos take" in found.shortage([JOB] * 11)

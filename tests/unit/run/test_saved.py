"""What is saved of a job on its way, and when it counts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from standin_batch.output.layout import OutputLayout
from standin_batch.run.keeper import Every
from standin_batch.run.saved import Saved, forget_saved, progress, read_saved, write_saved

MADE_BY = {"standin_batch": "1", "torch": "2", "device": "cpu"}
SAVED = Saved(
    job_id="0123",
    made_by=MADE_BY,
    step=3,
    steps=20,
    latents=torch.randn(1, 16, 2, 4, 4).to(torch.bfloat16),
    frames=None,
    seconds={"denoise": 1.5},
    peak_memory=None,
    memory="offload",
    report={"frames": {"found": [0, 1]}},
    warnings=("no face in frames 2-4",),
)


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


def test_it_is_read_as_it_was_written_to_the_bit(layout):
    write_saved(layout, SAVED)
    found = read_saved(layout, "0123", MADE_BY)
    assert found.latents.dtype is torch.bfloat16
    assert found.latents.equal(SAVED.latents)
    assert replace(found, latents=None) == replace(SAVED, latents=None)


def test_frames_that_could_not_be_written_are_kept_too(layout):
    frames = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3), np.uint8)
    write_saved(layout, replace(SAVED, frames=frames, step=20))
    assert np.array_equal(read_saved(layout, "0123", MADE_BY).frames, frames)


def test_other_software_or_another_device_begins_anew(layout):
    write_saved(layout, SAVED)
    for other in ({**MADE_BY, "torch": "3"}, {**MADE_BY, "device": "NVIDIA H200"}):
        assert read_saved(layout, "0123", other) is None


def test_how_far_it_is_can_be_told_without_torch(layout):
    write_saved(layout, SAVED)
    found = progress(layout, "0123")
    assert (found.step, found.steps) == (3, 20)
    assert found.bytes == layout.saved_state("0123").stat().st_size


@pytest.mark.parametrize("content", [b"", b"{}", b"\0" * 100, b"\xff" * 100])
def test_what_cannot_be_read_does_not_count(layout, content):
    layout.saved.mkdir(parents=True)
    layout.saved_state("0123").write_bytes(content)
    assert read_saved(layout, "0123", MADE_BY) is None
    assert progress(layout, "0123") is None


def test_nor_does_one_that_is_cut_short_or_anothers(layout):
    write_saved(layout, SAVED)
    whole = layout.saved_state("0123").read_bytes()
    layout.saved_state("0123").write_bytes(whole[:-1])
    assert read_saved(layout, "0123", MADE_BY) is None
    layout.saved_state("9999").write_bytes(whole)
    assert read_saved(layout, "9999", MADE_BY) is None


def test_forgetting_what_is_not_there_is_no_mistake(layout):
    forget_saved(layout, "0123")
    write_saved(layout, SAVED)
    forget_saved(layout, "0123")
    assert progress(layout, "0123") is None


def test_the_metadata_is_json_that_people_can_read(layout):
    write_saved(layout, SAVED)
    raw = layout.saved_state("0123").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["saved"])["step"] == 3


@pytest.mark.parametrize(
    ("written", "steps", "seconds", "due"),
    [(5, 4, 1e9, False), (5, 5, 0, True), ("30s", 1000, 29, False), ("30s", 1, 30, True), ("1h", 1, 1800, False)],
)
def test_how_often_is_a_number_of_steps_or_a_length_of_time(written, steps, seconds, due):
    assert Every.of(written).is_due(steps, seconds) is due

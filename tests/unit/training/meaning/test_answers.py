"""The clips of an output folder: found by the names of their jobs in the index that a run leaves."""

from __future__ import annotations

import json

import numpy as np
import pytest

from standin_batch.output.video import write_video
from training.meaning.answers import MeaningError, answers

CLIP = np.arange(5 * 16 * 16 * 3, dtype=np.uint8).reshape(5, 16, 16, 3)


@pytest.fixture
def output(tmp_path):
    write_video(tmp_path / "videos" / "one.mp4", CLIP, 8, lossless=True, metadata={})
    row = {"name": "one", "also": ["another"], "video": "videos/one.mp4"}
    (tmp_path / "index.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def test_a_clip_is_found_by_each_of_its_names(output):
    found = answers(output, ["another", "one"])
    assert list(found) == ["another", "one"]
    assert all(np.array_equal(clip, CLIP) for clip in found.values())


def test_what_is_missing_is_named(output):
    with pytest.raises(MeaningError, match="no clip of two, three"):
        answers(output, ["one", "two", "three"])


def test_a_folder_without_an_index_was_never_run(tmp_path):
    with pytest.raises(MeaningError) as caught:
        answers(tmp_path, ["one"])
    assert "run the manifest first" in caught.value.hint

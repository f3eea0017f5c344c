"""What a batch took, told by its parts."""

from __future__ import annotations

import json

import pytest

from benchmarks.batch import batch_rows
from benchmarks.calls import Call, Finished


def test_the_parts_of_a_batch_are_all_of_it(tmp_path):
    (tmp_path / "records").mkdir()
    record = {"seconds": {"denoise": 6.0, "decode": 2.0}, "finished_at": "2026-01-31"}
    (tmp_path / "records/a.json").write_text(json.dumps(record))
    times = {"JobStarted": 5.0, "JobCompleted": 14.0, "RunFinished": 16.0}
    events = [{"event": name, "time": 100.0 + at} for name, at in times.items()]
    found = {row.what: row.value for row in batch_rows([Call(Finished(20.0, 0.0, 0, 100.0, ""), events, tmp_path)])}
    assert [found[name] for name in found if name.startswith("  ")] == pytest.approx([5.0, 8.0, 2.0, 4.0, 1.0])
    assert sum(found[name] for name in found if name.startswith("  ")) == pytest.approx(found["the batch"])

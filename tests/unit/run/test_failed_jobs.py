"""Which jobs of an output folder failed and are not done, by its journals."""

from __future__ import annotations

from contextlib import closing

import pytest

from standin_batch.output.layout import OutputLayout
from standin_batch.run.failed_jobs import failed_jobs
from standin_batch.run.journal import Journal, State


@pytest.fixture
def layout(tmp_path):
    found = OutputLayout(tmp_path)
    found.records.mkdir()
    with closing(Journal(found.journals)) as journal:
        journal.write("a", "job a", State.FAILED, "no face", kind="input", hint="use another photograph")
        journal.write("b", "job b", State.FAILED, "full", kind="disk_full")
        journal.write("c", "job c", State.FAILED, "out of memory")
        journal.write("c", "job c", State.COMPLETED)
        journal.write("d", "job d", State.CANCELLED, "stopped")
    return found


def test_jobs_whose_latest_attempt_failed_the_latest_first(layout):
    first, second = failed_jobs(layout)
    assert (first.job_id, first.label, first.kind) == ("b", "job b", "disk_full")
    assert (second.error, second.hint) == ("no face", "use another photograph")
    assert first.at >= second.at > 0


def test_a_job_that_was_done_since_has_not_failed(layout):
    layout.record("b").touch()
    assert [job.job_id for job in failed_jobs(layout)] == ["a"]


def test_jobs_that_the_manifest_no_longer_has_are_left_out(layout):
    layout.owned.write_text("b\nc\n")
    assert [job.job_id for job in failed_jobs(layout)] == ["b"]


def test_a_folder_without_journals_has_none(tmp_path):
    assert failed_jobs(OutputLayout(tmp_path)) == ()

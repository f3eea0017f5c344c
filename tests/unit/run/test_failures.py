"""Which jobs have failed and have no clip, by the journals and the records."""

from __future__ import annotations

from records import make_record, write_records

from standin_batch.output.layout import OutputLayout
from standin_batch.output.summary import Failure
from standin_batch.run.failures import read_failures
from standin_batch.run.journal import Journal, State


def test_what_failed_and_was_not_made_since(tmp_path):
    layout = OutputLayout(tmp_path)
    journal = Journal(layout.journals)
    for job_id in ("b", "a", "stranger", f"{7:016x}"):
        journal.write(job_id, f"job {job_id}", State.FAILED, "no face", kind="input", hint="another picture")
    journal.write("stopped", "job stopped", State.CANCELLED, "stopped")
    journal.write("again", "job again", State.FAILED, "no face")
    journal.write("again", "job again", State.RUNNING)
    journal.close()
    write_records(layout, [make_record(7)])
    assert [failure.job_id for failure in read_failures(layout)] == ["a", "b", "stranger"]
    layout.owned.write_text("a\nb\n")
    told = ("input", "no face", "another picture")
    assert read_failures(layout) == (Failure("a", "job a", *told), Failure("b", "job b", *told))


def test_without_journals_nothing_has_failed(tmp_path):
    assert read_failures(OutputLayout(tmp_path)) == ()

"""Why a job stands where it stands: its state, its attempts, and what the next run does."""

from __future__ import annotations

import pytest

from standin_batch.plan.reason import Reason
from standin_batch.run.failure import LASTING, FailureKind
from standin_batch.run.job_facts import JobFacts
from standin_batch.run.journal import Entry, State
from standin_batch.run.saved import Progress
from standin_batch.run.why import explain

RECORD = {
    "job_id": "a",
    "video": "videos/a.mp4",
    "seconds": {"denoise": 3.5, "decode": 1.0},
    "finished_at": "2026-01-01T00:00:10+00:00",
}


def entry(at, state, error="", **fields):
    return Entry(float(at), "a", "job a", state, error, 1, **fields)


def told(*entries, **facts):
    return explain(JobFacts("a", "job a", entries=entries, **facts))


def test_a_job_with_record_and_video_is_done():
    found = told(entry(0, State.RUNNING), entry(10, State.COMPLETED), record=RECORD, has_video=True)
    assert (found.state, found.video, found.seconds) == ("COMPLETED", "videos/a.mp4", {"denoise": 3.5, "decode": 1.0})
    assert found.at == 1767225610.0
    assert [(one.state, one.seconds) for one in found.attempts] == [("COMPLETED", 10.0)]


def test_a_failure_after_the_video_was_made_does_not_undo_it():
    found = told(entry(20, State.FAILED, "no", kind="io"), record=RECORD, has_video=True, reason=Reason.FORCED)
    assert (found.state, found.error, found.reason) == ("COMPLETED", "", None)


def test_of_a_crew_the_worker_is_told():
    crew = {"worker": "w0", "host": "node1"}
    begun = entry(0, State.RUNNING, **crew)
    assert told(begun, at_work=True).told == "at work now, by worker w0 on node1"
    assert "cut off when worker w0 was killed" in told(begun).told
    found = told(begun, entry(9, State.RUNNING, worker="w1"), entry(20, State.FAILED, "no", kind="io", worker="w1"))
    assert [attempt.worker for attempt in found.attempts] == ["w0", "w1"]


def test_a_failed_job_says_kind_message_cure_and_every_attempt():
    found = told(
        entry(0, State.RUNNING, attempt=1),
        entry(5, State.REQUEUED, "a pipe broke", kind="encoding", hint="is there room?", attempt=1),
        entry(6, State.RUNNING, attempt=2),
        entry(8, State.FAILED, "it broke again", kind="encoding", hint="try another disk", attempt=2),
    )
    assert (found.state, found.kind, found.error, found.cure) == (
        "FAILED",
        "encoding",
        "it broke again",
        "try another disk",
    )
    assert [(one.at, one.state, one.seconds, one.error) for one in found.attempts] == [
        (0, "REQUEUED", 5, "a pipe broke"),
        (6, "FAILED", 2, "it broke again"),
    ]


@pytest.mark.parametrize("kind", FailureKind)
def test_what_the_next_run_does_with_a_failure_follows_the_policy(kind):
    found = told(entry(5, State.FAILED, "no", kind=kind.value))
    assert ("--retry-failed" in found.told) == (kind in LASTING)
    assert ("tries it again" in found.told) != ("leaves it out" in found.told) or kind in LASTING


def test_a_failure_before_the_job_began_is_an_attempt_without_a_length():
    (attempt,) = told(entry(5, State.FAILED, "no face", kind="input")).attempts
    assert (attempt.at, attempt.seconds, attempt.error) == (5, None, "no face")


def test_a_stopped_job_says_from_where_it_goes_on():
    entries = (entry(0, State.RUNNING), entry(9, State.CANCELLED))
    found = told(*entries, saved=Progress(12, 20, 1000))
    assert (found.state, found.saved.step) == ("CANCELLED", 12)
    assert found.told == "stopped at step 12 of 20; the next run goes on from there"
    assert "begins it anew" in told(*entries).told
    assert "after all of its 20 steps" in told(*entries, saved=Progress(20, 20, 1000)).told


def test_a_job_of_a_killed_process_was_cut_off():
    found = told(entry(0, State.RUNNING), saved=Progress(4, 20, 1000))
    assert (found.state, found.attempts[-1].state, found.attempts[-1].seconds) == ("CANCELLED", "CANCELLED", None)
    assert "killed" in found.told
    assert "step 4 of 20" in found.told


def test_a_job_that_waited_for_its_next_attempt_when_its_process_ended_is_not_waiting_any_more():
    entries = (entry(0, State.RUNNING), entry(5, State.REQUEUED, "no", kind="io"))
    assert told(*entries, at_work=True).state == "REQUEUED"
    assert told(*entries).state == "CANCELLED"


def test_a_beginning_after_a_beginning_says_that_the_first_was_cut_off():
    found = told(entry(0, State.RUNNING), entry(10, State.RUNNING), at_work=True)
    assert [one.state for one in found.attempts] == ["CANCELLED", "RUNNING"]
    assert (found.state, found.at) == ("RUNNING", 10)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "no run has come to it yet"),
        ({"reason": Reason.NEW}, "no run has come to it yet"),
        ({"reason": Reason.changed("seed 1 -> 2")}, "(seed 1 -> 2)"),
        ({"reason": Reason.OUTPUT_MISSING}, "its video is not"),
        ({"record": RECORD}, "its video is not"),
        ({"entries": (entry(9, State.COMPLETED),)}, "its record is gone"),
    ],
)
def test_a_job_that_has_no_video_says_why_it_would_run(facts, said):
    found = explain(JobFacts("a", "job a", **facts))
    assert (found.state, found.video, found.at) == ("PENDING", None, None)
    assert said in found.told


def test_the_reason_of_the_plan_is_told_in_its_own_words_too():
    assert told(reason=Reason.changed("fps 25 -> 30")).reason == "changed: fps 25 -> 30"

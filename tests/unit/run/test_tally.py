"""The tally: what a run amounts to, by its events alone."""

from __future__ import annotations

from standin_batch.output.failed import FailedJob
from standin_batch.run.done import NONE_ACCEPTED
from standin_batch.run.events import JobCompleted, JobFailed, JobRejected, JobReseeded, JobStarted
from standin_batch.run.tally import Tally


def completed(job_id):
    return JobCompleted(job_id, "label", "videos/a.mp4", 1.0)


def test_it_counts_what_is_told_before_it_is_told_on():
    tally, told = Tally({"a", "b", "c"}), []
    tell = tally.listening(lambda event: told.append((event, len(tally.made), tally.remaining)))
    started, made = JobStarted("a", "label", 4), completed("a")
    tell(started)
    tell(made)
    assert told == [(started, 0, 3), (made, 1, 2)]


def test_a_clip_that_is_told_of_twice_was_made_once():
    tally = Tally({"a", "b"})
    for event in (completed("a"), completed("a")):
        tally.see(event)
    assert list(tally.made) == ["a"] and tally.remaining == 1


def test_a_failed_job_is_not_made_any_more():
    tally = Tally({"a", "b"})
    tally.see(JobFailed("a", "first", "no face", "another picture", "input"))
    assert tally.failed == {"a"} and tally.remaining == 1
    assert tally.failures == [FailedJob("a", "first", "no face", "input", "another picture")]


def test_that_no_clip_was_accepted_is_told_but_no_failure_of_a_job():
    tally = Tally({"a"})
    tally.see(completed("a"))
    tally.see(JobRejected("a", "first", "too little motion"))
    tally.see(JobFailed("a", "first", "motion 0.2, and 0.5 is asked for", "", "not_accepted"))
    assert tally.rejected == {"a"} and not tally.failed and tally.remaining == 0
    assert [failure.error for failure in tally.failures] == [NONE_ACCEPTED]


def test_an_attempt_is_one_more_job_once():
    tally = Tally({"a"})
    assert tally.adds("b") and not tally.adds("b")
    tally.see(JobReseeded("b", "first, attempt 2", 1, 7))
    assert tally.remaining == 2


def test_a_clip_that_was_not_planned_hides_none_that_was():
    tally = Tally({"a"})
    tally.see(completed("of another driver"))
    assert tally.remaining == 1

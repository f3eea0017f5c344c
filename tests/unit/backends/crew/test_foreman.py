"""The foreman: what it makes of what workers tell; the crew is a script, as the real one is other processes."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace

import pytest
from desks import make_desk
from jobs import make_job

from standin_batch.backends.crew.foreman import FRUITLESS, Foreman
from standin_batch.backends.crew.lost import STRIKES
from standin_batch.backends.crew.news import DIED, Gone, Joined, Made, Told
from standin_batch.errors import NotReadyError
from standin_batch.plan.cost import CostModel
from standin_batch.plan.deck import Deck
from standin_batch.plan.planner import make_plan
from standin_batch.run import events
from standin_batch.run.journal import State
from standin_batch.run.journals import history
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.stopping import Stopped

MACHINE = Joined("node", "cpu")
DEAD = Gone("it was killed", DIED)


class Script:
    """A crew whose workers do what `acts` says: given a worker and the ids of its parcel, the news that follow."""

    advice = "look"

    def __init__(self, acts, workers=("w1", "w2")):
        self.acts, self.workers = acts, workers
        self.news, self.given, self.stopped, self.hired, self.alive = deque(), [], [], 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def hire(self, most):
        while self.alive < most and self.hired < len(self.workers):
            self.news.append((self.workers[self.hired], MACHINE))
            self.hired, self.alive = self.hired + 1, self.alive + 1

    def hear(self, seconds):
        heard = [self.news.popleft()] if self.news else []
        self.alive -= sum(isinstance(news, Gone) for _, news in heard)
        return heard

    def give(self, worker, plan, ahead):
        jobs = [item.job for item in plan.to_run]
        self.given.append((worker, [job.job_id for job in jobs]))
        self.news.extend((worker, news) for news in self.acts(self, worker, jobs))

    def receive(self, sent):
        raise AssertionError("nothing is sent here")

    def stop(self, reason):
        self.stopped.append(reason)
        if reason:
            self.news.extend((worker, Gone(reason)) for worker in self.workers[: self.hired])

    def comes_back(self, worker):
        """One more worker is hired in place of one that has gone."""
        self.workers = (*self.workers, worker)


def begins(job):
    return Told(events.JobStarted(job.job_id, job.label, job.num_inference_steps))


def ends(job):
    return Told(events.JobCompleted(job.job_id, job.label, "videos/a.mp4", 1.0))


def fails(job, kind="input"):
    return Told(events.JobFailed(job.job_id, job.label, "it cannot be", "", kind))


def makes_all(crew, worker, jobs):
    return [news for job in jobs for news in (begins(job), ends(job))] + [Made()]


@pytest.fixture
def told():
    return []


@pytest.fixture
def desk(tmp_path, told):
    return make_desk(tmp_path, told)


def foreman(jobs, crew, desk, max_failures=None, again=lambda: None):
    plan = make_plan(jobs, {})
    desk.tally.planned |= {job.job_id for job in jobs}
    return Foreman(plan, lambda plan: Deck(plan, CostModel(), 2), crew, desk, max_failures, again)


def jobs(number=6):
    return [make_job(seed) for seed in range(number)]


def named(told, kind):
    return [event for event in told if isinstance(event, kind)]


def test_every_job_is_made_once_and_its_worker_is_told(desk, told):
    crew = Script(makes_all)
    foreman(jobs(), crew, desk).work()
    assert sorted(desk.tally.made) == sorted(job.job_id for job in jobs())
    assert {event.worker for event in named(told, events.JobCompleted)} == {"w1", "w2"}
    assert sorted(job_id for _, ids in crew.given for job_id in ids) == sorted(desk.tally.made)
    assert crew.stopped == [""]


def test_the_jobs_of_a_worker_that_dies_are_made_by_another(desk, told):
    def acts(crew, worker, some):
        return [begins(some[0]), DEAD] if worker == "w1" else makes_all(crew, worker, some)

    crew = Script(acts)
    foreman(jobs(), crew, desk).work()
    assert len(desk.tally.made) == 6
    assert {event.worker for event in named(told, events.JobCompleted)} == {"w2"}
    (requeued,) = named(told, events.JobRequeued)
    assert "it was killed" in requeued.error
    entries = history(desk.store.layout.journals, requeued.job_id)
    assert [entry.state for entry in entries] == [State.REQUEUED]


def test_a_job_that_workers_die_of_again_and_again_fails_and_the_others_are_made(desk, told):
    (poison, *_) = jobs()
    names = [f"w{number}" for number in range(1, STRIKES + 2)]

    def acts(crew, worker, some):
        made = []
        for job in some:
            made.append(begins(job))
            if job.job_id == poison.job_id:
                return [*made, DEAD]
            made.append(ends(job))
        return [*made, Made()]

    foreman(jobs(), Script(acts, names), desk).work()
    assert len(desk.tally.made) == 5 and desk.tally.failed == {poison.job_id}
    (failed,) = named(told, events.JobFailed)
    assert f"{STRIKES} workers" in failed.error


def test_a_lost_device_is_no_failure_of_the_job_at_work(desk, told):
    def acts(crew, worker, some):
        if worker == "w1":
            return [begins(some[0]), fails(some[0], "device"), Gone("the GPU fell off the bus", "device")]
        return makes_all(crew, worker, some)

    foreman(jobs(), Script(acts), desk).work()
    assert len(desk.tally.made) == 6 and not named(told, events.JobFailed)


def test_where_nothing_comes_of_any_worker_the_run_ends_with_their_fault(desk, told, monkeypatch):
    monkeypatch.setattr("standin_batch.backends.crew.foreman.FIRST_PAUSE", 0.0)
    names = [f"w{number}" for number in range(20)]
    crew = Script(lambda crew, worker, some: [Gone("no room on this GPU", "machine", "use a larger one")], names)
    with pytest.raises(NotReadyError, match="no room") as raised:
        foreman(jobs(), crew, desk).work()
    assert raised.value.hint == "use a larger one"
    assert len(named(told, events.WorkerLeft)) >= FRUITLESS


def test_a_full_disk_ends_the_run(desk):
    def acts(crew, worker, some):
        return [begins(some[0]), fails(some[0], "disk_full"), Gone("no room", "disk_full")]

    with pytest.raises(RunEnded, match="disk_full"):
        foreman(jobs(), Script(acts), desk).work()


def test_so_many_failures_end_the_run_as_may_be(desk):
    def acts(crew, worker, some):
        return [news for job in some for news in (begins(job), fails(job))] + [Made()]

    with pytest.raises(RunEnded, match="max_failures"):
        foreman(jobs(), Script(acts), desk, max_failures=2).work()


def test_failed_jobs_end_and_are_not_given_again(desk):
    def acts(crew, worker, some):
        return [news for job in some for news in (begins(job), fails(job))] + [Made()]

    crew = Script(acts)
    foreman(jobs(), crew, desk).work()
    assert len(desk.tally.failed) == 6
    assert sorted(job_id for _, ids in crew.given for job_id in ids) == sorted(desk.tally.failed)


def test_a_stop_waits_until_what_is_at_work_is_saved(desk, told):
    def acts(crew, worker, some):
        desk.stop.request("Ctrl-C")
        return [begins(some[0])]

    crew = Script(acts, ("w1",))
    labour = foreman(jobs(), crew, desk)
    with pytest.raises(Stopped):
        labour.work()
    assert crew.stopped == ["Ctrl-C"]
    assert [event.why for event in named(told, events.WorkerLeft)] == [""]


def test_what_no_worker_could_note_any_more_the_driver_notes(desk, told):
    """As after a second Ctrl-C."""

    class Interrupted(Script):
        def hear(self, seconds):
            if not self.news and self.given:
                raise Stopped("Ctrl-C")
            return super().hear(seconds)

    labour = foreman(jobs(), Interrupted(lambda crew, worker, some: [begins(some[0])], ("w1",)), desk)
    with pytest.raises(Stopped):
        labour.work()
    labour.left("Ctrl-C")
    begun = named(told, events.JobStarted)[0].job_id
    entries = history(desk.store.layout.journals, begun)
    assert [entry.state for entry in entries] == [State.CANCELLED] and "begins anew" in entries[0].error


def test_it_ends_when_workers_leave_jobs_as_their_time_is_over(desk):
    crew = Script(lambda crew, worker, some: [Made(out_of_time=True)])
    foreman(jobs(), crew, desk).work()
    assert desk.tally.out_of_time and desk.tally.remaining == 6


def test_texts_of_what_may_follow_are_sent_along(desk):
    seen = []

    class Noting(Script):
        def give(self, worker, plan, ahead):
            seen.append((len(plan.to_run), ahead))
            super().give(worker, plan, ahead)

    texts = [replace(make_job(seed), prompt=f"text {seed}", job_id=f"{seed:016x}") for seed in range(12)]
    foreman(texts, Noting(makes_all, ("w1",)), desk).work()
    first_parcel, ahead = seen[0]
    assert first_parcel < 12 and set(ahead) & {f"text {seed}" for seed in range(12)}


def test_what_a_worker_has_made_and_could_not_tell_any_more_is_made_once(desk, told):
    layout = desk.store.layout

    def acts(crew, worker, some):
        if worker == "w2":
            return makes_all(crew, worker, some)
        layout.videos.mkdir(parents=True)
        (layout.videos / "a.mp4").write_bytes(b"video")
        layout.records.mkdir()
        record = {"job_id": some[0].job_id, "video": "videos/a.mp4", "seconds": {"denoise": 2.0}, "accepted": None}
        layout.record(some[0].job_id).write_text(json.dumps(record))
        return [begins(some[0]), DEAD]

    crew = Script(acts)
    foreman(jobs(), crew, desk).work()
    (first, (saved, *_)), *_ = crew.given
    assert first == "w1"
    assert [event.job_id for event in named(told, events.JobCompleted)].count(saved) == 1
    assert saved not in [job_id for _, ids in crew.given[1:] for job_id in ids]
    assert not named(told, events.JobRequeued)


def test_attempts_whose_worker_died_are_planned_anew_and_made(desk):
    late = make_job(100)
    plans = iter([make_plan([late], {}), None])
    crew = Script(makes_all)
    foreman(jobs(), crew, desk, again=lambda: next(plans)).work()
    assert late.job_id in desk.tally.made and len(desk.tally.made) == 7


def test_what_nothing_comes_of_is_not_planned_anew_for_ever(desk):
    plan = make_plan([make_job(100)], {})

    def acts(crew, worker, some):
        return [Made()] if some[0].job_id == "0100" else makes_all(crew, worker, some)

    foreman(jobs(), Script(acts), desk, again=lambda: plan).work()
    assert len(desk.tally.made) == 6


def saves(job, step=2):
    return Told(events.JobSaved(job.job_id, step, job.num_inference_steps))


def test_workers_that_die_do_not_end_the_run_of_those_that_live(desk, monkeypatch):
    monkeypatch.setattr("standin_batch.backends.crew.foreman.FIRST_PAUSE", 0.0)
    names = [f"w{number}" for number in range(FRUITLESS + 1)]
    slow = []

    def acts(crew, worker, some):
        if worker == names[0] and not slow:
            slow.extend(some)
            return [begins(some[0])]
        if worker == names[0]:
            return makes_all(crew, worker, some)
        if worker == names[-1]:
            crew.news.extend((names[0], news) for job in slow for news in (begins(job), ends(job)))
            crew.news.append((names[0], Made()))
        return [DEAD]

    foreman(jobs(), Script(acts, names), desk).work()
    assert len(desk.tally.made) == 6


def test_workers_that_go_again_and_again_from_a_long_clip_are_no_fault_of_it(desk, told):
    """As on machines that are taken away every hour: each has saved more of it."""
    names = [f"w{number}" for number in range(STRIKES + 2)]

    def acts(crew, worker, some):
        if worker == names[-1]:
            return makes_all(crew, worker, some)
        return [begins(some[0]), saves(some[0]), DEAD]

    foreman(jobs(1), Script(acts, names), desk).work()
    assert len(desk.tally.made) == 1 and not named(told, events.JobFailed)


def test_what_is_told_behind_the_end_of_a_run_is_heard(desk):
    class AllAtOnce(Script):
        def hear(self, seconds):
            found = list(self.news)
            self.news.clear()
            return found

    def acts(crew, worker, some):
        return [begins(some[0]), fails(some[0]), *makes_all(crew, worker, some[1:])]

    crew = AllAtOnce(acts, ("w1", "w2"))
    with pytest.raises(RunEnded, match="max_failures"):
        foreman(jobs(), crew, desk, max_failures=1).work()
    assert desk.tally.failed and crew.stopped == ["max_failures"]
    assert len(desk.tally.failed) + len(desk.tally.made) == sum(len(ids) for _, ids in crew.given)


def test_a_failure_while_it_stops_does_not_keep_others_from_being_saved(desk, told):
    class Stubborn(Script):
        def stop(self, reason):
            self.stopped.append(reason)
            self.news.extend([("w1", fails(begun["w1"])), ("w1", Gone(reason)), ("w2", Gone(reason))])

    begun = {}

    def acts(crew, worker, some):
        begun[worker] = some[0]
        if len(begun) == 2:
            desk.stop.request("Ctrl-C")
        return [begins(some[0])]

    with pytest.raises(Stopped):
        foreman(jobs(), Stubborn(acts), desk, max_failures=1).work()
    assert {event.worker for event in named(told, events.WorkerLeft)} == {"w1", "w2"}

"""What a run learns of memory: jobs as large as one that ran out of it begin where that one ended."""

from __future__ import annotations

from jobs import make_job

from standin_batch.plan.memory import Profile
from standin_batch.run.ladder import Ladder

MEDIUM = make_job(shape=(160, 96, 9))


def test_jobs_as_large_and_larger_begin_where_it_ended():
    ladder = Ladder(Profile.RESIDENT)
    ladder.learn(MEDIUM, Profile.OFFLOAD)
    assert ladder.profile_for(make_job(7, shape=(160, 96, 9))) is Profile.OFFLOAD
    assert ladder.profile_for(make_job(7, shape=(320, 96, 9))) is Profile.OFFLOAD


def test_smaller_ones_and_other_kinds_begin_as_usual():
    ladder = Ladder(Profile.RESIDENT)
    ladder.learn(MEDIUM, Profile.LOWEST)
    assert ladder.profile_for(make_job(shape=(64, 96, 9))) is Profile.RESIDENT
    assert ladder.profile_for(make_job(mode="vace")) is Profile.RESIDENT
    assert ladder.profile_for(make_job(who="ada")) is Profile.RESIDENT


def test_nobody_begins_above_the_usual():
    ladder = Ladder(Profile.OFFLOAD)
    assert ladder.profile_for(MEDIUM) is Profile.OFFLOAD

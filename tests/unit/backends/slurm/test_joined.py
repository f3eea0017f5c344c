"""Whether an array that is at work makes what somebody wants who comes later, and what of it is left for that."""

from __future__ import annotations

import pytest
import yaml
from records import write_records

from standin_batch.backends.slurm.array import Array, jobs_of
from standin_batch.backends.slurm.running import check_same
from standin_batch.run.lock import LockedError
from standin_batch.run.plan_manifest import Selection, plan_manifest


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """What is planned of ten jobs; some may be made by now."""
    monkeypatch.chdir(tmp_path)
    job = {"name": "clip", "mode": "t2v", "prompt": {"text": "a tree"}, "matrix": {"seed": "0..9"}}
    content = {"version": 1, "name": "trees", "output": {"folder": "out"}, "defaults": {"model": "tiny"}, "jobs": [job]}
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(content))

    def plan(made=(), **selection):
        found = plan_manifest(path, Selection(**selection))
        write_records(found.store.layout, [{"job_id": job_id, "video": f"videos/{job_id}.mp4"} for job_id in made])
        return plan_manifest(path, Selection(**selection))

    return plan


def array_of(planned, forced=False):
    return Array("standin-a", "12", (jobs_of(planned.plan),), forced)


def refused(array, planned):
    with pytest.raises(LockedError, match="makes another plan") as caught:
        check_same(array, planned)
    return "scancel 12" in caught.value.hint


def test_the_same_command_finds_its_array_though_some_of_it_is_made(planned):
    array = array_of(planned())
    check_same(array, planned(made=jobs_of(planned().plan)[:3]))


def test_also_with_a_limit_by_which_other_jobs_would_be_next(planned):
    array = array_of(planned(limit=4))
    made, *left = array.shards[0]
    now = planned(made=[made], limit=4)
    assert set(jobs_of(now.plan)) > set(left), "a fifth job takes the place of the first"
    check_same(array, now)
    assert set(jobs_of(now.whole()[0].only(array.jobs))) == set(left)


def test_one_that_makes_more_or_less_is_another(planned):
    assert refused(array_of(planned()), planned(limit=4))
    assert refused(array_of(planned(limit=4)), planned())
    assert refused(Array("standin-a", "12", (("0" * 16,),)), planned())


def test_so_is_one_that_makes_anew_what_is_there_and_one_that_does_not(planned):
    assert refused(array_of(planned()), planned(force=True))
    assert refused(array_of(planned(force=True), forced=True), planned())
    check_same(array_of(planned(force=True), forced=True), planned(force=True))

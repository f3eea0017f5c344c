"""Which job is meant by an id, the beginning of one, or words of a label."""

from __future__ import annotations

import pytest
from jobs import make_job

from standin_batch.errors import ExitCode, UsageError
from standin_batch.plan.planner import make_plan
from standin_batch.plan.reason import Reason
from standin_batch.run.which_job import Candidates, matching
from standin_batch.speed import Speed
from standin_batch.weights.content import MISSING

LABELS = {
    "3f0c11": "portraits · ada · desk · seed 1",
    "3f0d22": "portraits · ada · desk · seed 11",
    "77aa33": "portraits · ada-lovelace · beach · ghibli 0.6 · seed 1",
    "adaada": "swap · no identity · hands · seed 2",
}


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("3f0c11", ["3f0c11"]),
        ("3f0c", ["3f0c11"]),
        ("3f0", ["3f0c11", "3f0d22"]),
        ("portraits · ada · desk · seed 1", ["3f0c11"]),
        ("Desk 1", ["3f0c11"]),
        ("seed 11", ["3f0d22"]),
        ("desk", ["3f0c11", "3f0d22"]),
        ("ada", ["3f0c11", "3f0d22"]),
        ("adaa", ["adaada"]),
        ("lovelace", ["77aa33"]),
        ("GHIB bea", ["77aa33"]),
    ],
)
def test_a_job_is_meant_by_its_id_or_its_label(wanted, meant):
    assert list(matching(wanted, Candidates(LABELS))) == meant


@pytest.mark.parametrize("wanted", ["nobody", "", " ", "·", "desk beach"])
def test_what_no_job_answers_to_is_a_usage_error(wanted):
    with pytest.raises(UsageError) as raised:
        matching(wanted, Candidates(LABELS))
    assert raised.value.exit_code is ExitCode.USAGE
    assert "portraits · ada · desk · seed 1" in raised.value.hint


def test_what_was_probably_meant_is_said():
    with pytest.raises(UsageError) as raised:
        matching("swap · no identity · handz · seed 2", Candidates(LABELS))
    assert raised.value.hint == "did you mean `swap · no identity · hands · seed 2`?"
    with pytest.raises(UsageError, match="no job answers") as raised:
        matching("ada", Candidates({}))
    assert raised.value.hint


def test_what_the_manifest_had_once_is_meant_only_where_none_of_its_jobs_is():
    twice = {"old": "portraits · ada · seed 1", "new": "portraits · ada · seed 1", "gone": "swap · seed 3"}
    assert matching("ada", Candidates(twice, owned={"new"})) == ("new",)
    assert matching("old", Candidates(twice, owned={"new"})) == ("old",)
    assert matching("swap", Candidates(twice, owned={"new"})) == ("gone",)


def test_a_plan_adds_the_jobs_that_no_run_has_come_to():
    new, done = make_job(1, prompt="desk"), make_job(2, prompt="beach")
    jobs = Candidates.of_plan({"0002": done.label, "old": "job · old"}, make_plan([new, done], {"0002": None}))
    assert jobs.labels == {"0001": new.label, "0002": done.label, "old": "job · old"}
    assert (jobs.owned, jobs.reasons) == ({"0001", "0002"}, {"0001": Reason.NEW})


def test_without_its_weights_a_job_is_the_one_that_the_folder_knows():
    known, new = (make_job(n, prompt=f"p{n}", weights={"base": f"{MISSING}tiny/base"}) for n in (1, 2))
    jobs = Candidates.of_plan({"ran": known.label}, make_plan([known, new], {}))
    assert matching(known.label, jobs) == ("ran",)
    assert matching(new.label, jobs) == ("0002",)


def test_a_job_is_meant_by_its_speed():
    jobs = {one.job_id: one.label for one in (make_job(1), make_job(2, speed=Speed(cache=0.1, fp8=True)))}
    for wanted in ("teacache", "fp8", "job 0.1"):
        assert matching(wanted, Candidates(jobs)) == ("0002",)

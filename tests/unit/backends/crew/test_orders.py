"""Orders: enough of a plan to know which weights it needs, and no more."""

from __future__ import annotations

import pickle

from jobs import make_job

from standin_batch.backends.crew.orders import plan_of, samples_of


def test_of_many_jobs_one_of_each_kind_is_enough():
    jobs = [make_job(seed, who=who, lora=lora) for seed in range(50) for who in (None, "ada", "bea") for lora in "xyz"]
    samples = list(samples_of(jobs))
    assert [job.subject is not None for job in samples] == [False, True]


def test_kinds_differ_by_what_decides_the_weights():
    jobs = [
        make_job(),
        make_job(model="tiny-2.2", cfg_scale=(4.0, 3.0)),
        make_job(dtype="bfloat16"),
        make_job(mode="vace"),
        make_job(weights={"base": "another"}),
    ]
    assert len(list(samples_of(jobs))) == len(jobs)


def test_a_plan_of_them_says_which_modules_each_base_needs():
    jobs = [make_job(), make_job(mode="vace", weights={"base": "merged"}), make_job(1)]
    modules = plan_of(samples_of(jobs)).modules
    assert modules[("tiny", "merged")] == ("vace",) and modules[("tiny", "tiny/base")] == ()


def test_samples_carry_no_loras_so_they_are_small():
    (sample,) = samples_of([make_job(lora="ghibli")])
    assert sample.loras == () and len(pickle.dumps(sample)) < 4000

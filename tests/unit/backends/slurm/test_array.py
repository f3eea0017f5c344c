"""What is written down of an array, and whose workers are whose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jobs import make_job

from standin_batch.attempts import attempts
from standin_batch.backends.crew.orders import plan_of
from standin_batch.backends.slurm.array import Array, forget, jobs_of, worker_name, workers_of, write, written
from standin_batch.job import job_id
from standin_batch.manifest.manifest import Acceptance
from standin_batch.output.layout import OutputLayout

ARRAY = Array("standin-a-1", "12", (("1", "2"), ("3",)))


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


def test_what_is_written_is_read_until_it_is_forgotten(layout):
    assert written(layout) is None
    write(layout, ARRAY)
    assert written(layout) == ARRAY
    assert ARRAY.jobs == {"1", "2", "3"}
    forget(layout, ARRAY)
    assert written(layout) is None


def test_another_array_is_not_forgotten(layout):
    write(layout, ARRAY)
    forget(layout, Array("standin-a-2", "13", ()))
    assert written(layout) == ARRAY


@pytest.mark.parametrize("content", ["", "[]", '{"name": "a"}', '{"name": "a", "id": "1", "shards": 3}'])
def test_a_broken_file_tells_of_none(layout, content):
    write(layout, ARRAY)
    layout.array.file.write_text(content)
    assert written(layout) is None


def test_workers_are_found_by_array_and_rank_in_the_order_in_which_slurm_started_them(layout):
    mine = [worker_name("12", rank, restarts) for rank, restarts in ((0, 0), (1, 0), (1, 2), (1, 10), (10, 0))]
    for name in (*mine, worker_name("1", 2), worker_name("123", 0), "ray-1"):
        layout.worker(name).folder.mkdir(parents=True)
    assert list(workers_of(layout, "12").items()) == list(zip(mine, (0, 1, 1, 1, 10), strict=True))
    assert list(workers_of(layout, "12", rank=1)) == mine[1:4]


def test_a_job_is_known_by_its_first_attempt_once():
    asking = make_job(1, accept=Acceptance((), best_of=3))
    first, *others = attempts(replace(asking, job_id=job_id(asking)))
    assert jobs_of(plan_of([*others, make_job(2)])) == (first.job_id, "0002")

"""`--set PATH=VALUE`."""

from __future__ import annotations

import pytest

TEXT = """\
version: 1
model: tiny-2.2
prompts: {desk: At a desk, walk: He walks}
jobs:
  - {name: a, mode: t2v, prompt: desk}
  - {name: a.b, mode: t2v, prompt: desk, seed: 7}
  - name: m
    mode: t2v
    matrix:
      prompt: [desk, walk]
      seed: 0..3
      exclude: [{seed: 1}]
      include: [{prompt: walk, seed: 9, fps: 3}]
"""


def seeds(project, *sets: str) -> dict[str, list[object]]:
    return {job.name: [variant.values["seed"] for variant in job.variants()] for job in project.load(TEXT, *sets).jobs}


def test_a_key_of_a_job(project):
    assert seeds(project, "jobs.a.seed=3")["a"] == [3]


def test_the_longest_name_is_meant(project):
    assert seeds(project, "jobs.a.b.seed=3") == {**seeds(project), "a.b": [3]}


def test_an_axis_is_replaced_everywhere(project):
    assert seeds(project, "jobs.m.seed=5")["m"] == [5, 5, 5]
    assert seeds(project, "jobs.m.seed=[5, 6]")["m"] == [5, 6, 5, 6, 9]
    assert seeds(project, "jobs.m.seed=1..2")["m"] == [2, 2, 9]


def test_a_range_makes_an_axis_where_there_was_none(project):
    assert seeds(project, "jobs.a.seed=0..2")["a"] == [0, 1, 2]


def test_the_last_one_wins(project):
    assert seeds(project, "jobs.a.seed=1", "jobs.a.seed=2")["a"] == [2]


def test_anything_else(project):
    manifest = project.load(
        TEXT, "output.quality=3", "name=other", "defaults.width=64", "prompts.new=Fresh text", "jobs.a.prompt=new"
    )
    assert (manifest.name, manifest.output.quality) == ("other", 3)
    (variant,) = manifest.jobs[0].variants()
    assert (variant.values["width"], variant.values["prompt"].text) == (64, "Fresh text")


def test_into_a_map_and_into_a_list(project):
    manifest = project.load(TEXT, "jobs.a.cfg_scale.high_noise=9", "jobs.m.matrix.include.0.seed=8")
    assert next(manifest.jobs[0].variants()).values["cfg_scale"] == (9.0, 3.0)
    assert [variant.values["seed"] for variant in manifest.jobs[2].variants()][-1] == 8


def test_a_value_may_hold_equals_signs(project):
    manifest = project.load(TEXT, "jobs.a.prompt='a = b'")
    assert next(manifest.jobs[0].variants()).values["prompt"].text == "a = b"


@pytest.mark.parametrize(
    ("option", "column", "message"),
    [
        ("jobs.a.seed=abc", 13, "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not 'abc'"),
        ("jobs.a.sead=4", 1, "job `a` has no key `sead`"),
        ("jobs.c.seed=1", 1, "there is no job `c`"),
        ("jobs.a=3", 1, "`jobs.a` is a whole job"),
        ("jobs=3", 1, "there is no job ``"),
        ("jobs.m.prompt.text=x", 1, "`prompt` has an axis in the matrix, so nothing below it can be set"),
        ("jobs.m.matrix.include.7.seed=1", 1, "`7` is no item of a list of 1"),
        ("seed=4", 1, "a manifest has no key `seed`"),
        ("modle=tiny", 1, "a manifest has no key `modle`"),
        ("jobs.a.seed", 1, "`--set` takes PATH=VALUE"),
        ("=4", 1, "`--set` takes PATH=VALUE"),
        ("jobs.a.seed=[1", 13, "this `[` is not closed"),
        ("jobs.a.seed=!!python/name:os.system x", 13, "tag `!!python/name:os.system` is not allowed"),
        ("jobs.a.prompt={file: no.txt}", 22, "the prompt file 'no.txt' does not exist"),
        ("output.quality=11", 16, "`quality` must be a whole number from 1 to 10, not 11"),
    ],
)
def test_mistakes_are_told_at_the_option(project, option, column, message):
    (problem,) = project.problems(TEXT, option)
    assert (problem.where, problem.column, problem.message) == (f"--set {option}", column, message)
    assert problem.source_line == option


def test_mistakes_in_options_and_file_come_together(project):
    messages = [
        found.message
        for found in project.problems(TEXT.replace("seed: 7", "seed: x"), "jobs.c.seed=1", "output.quality=0")
    ]
    assert len(messages) == 3

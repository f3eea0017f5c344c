"""A product over any keys: ranges, combinations left out and added, and in which order."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin_batch.manifest.matrix import Axis, Grid

TABLES = "identities: {lecun: faces/lecun.jpg, skater: faces/skater.png}\nprompts: {desk: At a desk, walk: He walks}\n"


def rows(project, matrix: str, *keys: str, more: str = "", sets: tuple[str, ...] = ()) -> list[tuple[object, ...]]:
    text = f"version: 1\n{TABLES}jobs: [{{name: a, mode: t2v, {more}matrix: {{{matrix}}}}}]\n"
    return [
        tuple(getattr(found.values[key], "name", found.values[key]) for key in keys)
        for found in project.variants(text, *sets)
    ]


def test_the_first_key_changes_slowest(project):
    assert rows(project, "seed: [1, 2], prompt: [desk, walk]", "seed", "prompt") == [
        (1, "desk"),
        (1, "walk"),
        (2, "desk"),
        (2, "walk"),
    ]


def test_ranges_include_both_ends_also_inside_of_lists(project):
    assert rows(project, "prompt: [desk], seed: 0..3", "seed") == [(0,), (1,), (2,), (3,)]
    assert rows(project, "prompt: [desk], seed: [7, 1..2, random]", "seed") == [(7,), (1,), (2,), ("random",)]
    assert rows(project, "prompt: [desk], seed: 5..5", "seed") == [(5,)]
    assert rows(project, "prompt: [desk], cfg_scale: 1..3", "cfg_scale") == [(1.0,), (2.0,), (3.0,)]
    assert rows(project, "prompt: [desk], priority: -1..1", "priority") == [(-1,), (0,), (1,)]


def test_any_key_has_an_axis(project):
    found = rows(
        project, "prompt: [desk], model: [tiny, tiny-2.2], identity: [lecun, null]", "model", "identity", "cfg_scale"
    )
    assert found == [
        ("tiny", "lecun", 5.0),
        ("tiny", None, 5.0),
        ("tiny-2.2", "lecun", (4.0, 3.0)),
        ("tiny-2.2", None, (4.0, 3.0)),
    ]


def test_an_axis_of_modes_gives_each_its_own_keys(project):
    text = (
        "version: 1\n"
        "jobs: [{prompt: A man walks., identity: faces/lecun.jpg, input_video: clips/woman.mp4, vace_scale: 0.3,"
        " matrix: {mode: [t2v, vace, face_swap]}}]\n"
    )
    plain, vace, swap = (variant.values for variant in project.variants(text))
    assert "vace_scale" not in plain and vace["vace_scale"] == 0.3 and "vace_scale" not in swap
    assert swap["input_video"].name == "woman"


def test_exclude_drops_what_matches_all_of_its_keys(project):
    axes = "identity: [lecun, skater], prompt: [desk, walk], seed: 0..1"
    matrix = f"{axes}, exclude: [{{identity: skater, prompt: desk}}, {{seed: 1, prompt: walk}}]"
    assert rows(project, matrix, "identity", "prompt", "seed") == [
        ("lecun", "desk", 0),
        ("lecun", "desk", 1),
        ("lecun", "walk", 0),
        ("skater", "walk", 0),
    ]


def test_exclude_takes_ranges_and_several_values(project):
    assert rows(project, "prompt: [desk], seed: 0..5, exclude: [{seed: 0..2}, {seed: [4, 5]}]", "seed") == [(3,)]


def test_exclude_compares_what_names_stand_for(project):
    file = "loras/ghibli.safetensors"
    matrix = f"prompt: [desk], loras: [[], [{file}], [{{{file}: 0.5}}]], exclude: [{{loras: [{{{file}: 0.5}}]}}]"
    assert [len(loras) for (loras,) in rows(project, matrix, "loras")] == [0, 1]


def test_include_adds_whole_combinations_afterwards(project):
    matrix = (
        "prompt: [desk], seed: 0..1, exclude: [{seed: 0}], include: [{prompt: walk, seed: 0, num_inference_steps: 2}]"
    )
    assert rows(project, matrix, "prompt", "seed", "num_inference_steps") == [("desk", 1, 4), ("walk", 0, 2)]


def test_a_matrix_of_included_combinations_alone(project):
    assert rows(project, "include: [{seed: 3}, {seed: 4}]", "seed", more="prompt: desk, ") == [(3,), (4,)]


def test_a_matrix_wins_over_the_job(project):
    assert rows(project, "seed: [1, 2]", "seed", more="prompt: desk, seed: 9, ") == [(1,), (2,)]


def test_a_matrix_in_the_defaults_gives_way_to_a_jobs_own_keys(project):
    text = (
        "version: 1\ndefaults: {mode: t2v, prompt: A man walks., matrix: {seed: 0..1, priority: [1, 2]}}\n"
        "jobs: [{name: a}, {name: b, seed: 7}, {name: c, matrix: {seed: [8]}}]\n"
    )
    found = [
        (variant.values["name"], variant.values["seed"], variant.values["priority"])
        for variant in project.variants(text)
    ]
    assert found == [
        *[("a", seed, priority) for seed in (0, 1) for priority in (1, 2)],
        *[("b", 7, priority) for priority in (1, 2)],
        *[("c", 8, priority) for priority in (1, 2)],
    ]


@pytest.mark.parametrize(
    ("matrix", "messages"),
    [
        ("seed: 3", ["in a matrix `seed` must be a list of values, not 3"]),
        ("seed: '0..3'", ["in a matrix `seed` must be a list of values, not '0..3'"]),
        ("seed: 3..1", ["the range 3..1 is empty: it ends before it begins"]),
        ("seed: 0..9999999", ["the range 0..9999999 has 10,000,000 values; at most 1,000,000"]),
        ("seed: []", ["`seed` has no values, so nothing would be made"]),
        (
            "seed: [1, two, 3, four]",
            [
                "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not 'two'",
                "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not 'four'",
            ],
        ),
        ("width: 16..18", ["`width` is 17, which is not a multiple of 16"]),
        ("seeds: [1]", ["`matrix` has no key `seeds`"]),
        ("name: [x, y]", ["`matrix` has no key `name`"]),
        ("seed: [1], exclude: {seed: 1}", ["`exclude` must be a list of mappings, not a mapping"]),
        ("seed: [1], exclude: [1]", ["an item of `exclude` must be a mapping, not 1"]),
        ("seed: [1], exclude: [{fps: 3}]", ["`exclude` names `fps`, which this matrix does not vary"]),
        ("seed: [1], exclude: [{sede: 3}]", ["an item of `exclude` has no key `sede`"]),
        ("seed: [1], exclude: [{seed: 1}]", ["every combination is excluded, so nothing would be made"]),
        (
            "seed: [1], include: [{seed: x}]",
            ["`seed` must be a whole number, 0 or more, below 2^63, or `random`, not 'x'"],
        ),
        (
            "seed: 0..999, priority: 1..1000, cfg_scale: [1, 2]",
            ["job `a` asks for 2,000,000 videos (seed 1,000 x priority 1,000 x cfg_scale 2); at most 1,000,000"],
        ),
    ],
)
def test_mistakes(project, matrix, messages):
    assert project.job_problems(f"matrix: {{{matrix}}}") == messages


def test_a_matrix_is_a_mapping(project):
    assert project.job_problems("matrix: [1]") == ["`matrix` must be a mapping, not a list"]


def test_an_exclusion_of_nothing_is_a_warning(project):
    manifest = project.load("version: 1\njobs: [{mode: t2v, prompt: a b, matrix: {seed: [1], exclude: [{seed: 2}]}}]\n")
    assert [found.message for found in manifest.warnings] == [
        "`seed` is never this in the matrix, so nothing is excluded"
    ]
    assert manifest.jobs[0].size == 1


def grids() -> st.SearchStrategy[Grid]:
    axes = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(
        lambda sizes: tuple(Axis(f"k{i}", tuple(range(size)), ()) for i, size in enumerate(sizes))
    )

    def with_exclusions(made: tuple[Axis, ...]) -> st.SearchStrategy[Grid]:
        one = st.dictionaries(
            st.sampled_from([axis.key for axis in made]), st.frozensets(st.integers(0, 3), min_size=1), min_size=1
        )
        return st.lists(one, max_size=5).map(lambda exclusions: Grid(made, tuple(exclusions)))

    return axes.flatmap(with_exclusions)


@given(grids())
def test_the_combinations_are_the_product_less_the_excluded(grid):
    whole = [
        dict(zip([axis.key for axis in grid.axes], values, strict=True))
        for values in itertools.product(*(axis.values for axis in grid.axes))
    ]
    kept = [
        row
        for row in whole
        if not any(all(row[key] in places for key, places in item.items()) for item in grid.exclusions)
    ]
    assert list(grid.combinations()) == kept
    assert grid.count() == len(kept)


def test_many_exclusions_over_many_combinations_do_not_multiply():
    axes = tuple(Axis(f"k{i}", tuple(range(60)), ()) for i in range(3))
    grid = Grid(axes, tuple({"k0": {i % 60}, "k1": {i % 59}, "k2": {i % 53}} for i in range(10_000)))
    began = time.monotonic()
    assert 0 < grid.count() < 60**3
    assert time.monotonic() - began < 20

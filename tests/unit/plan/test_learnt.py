"""What earlier runs teach of the next one's time."""

from __future__ import annotations

import pytest

from standin_batch.plan.learnt import LAST, Line, fitted, learnt, overhang


def job(whole=2.0, switch=0.0, kept=0.5, kind="a"):
    return {"kind": kind, "kept_kind": f"{kind} kept", "whole": whole, "switch": switch, "kept": kept}


def run(jobs=4, kind="a", kept_seconds=2.0, counts=(), **parts):
    return {
        "run": parts,
        "kept_seconds": kept_seconds,
        "counts": {"clips": jobs, **dict(counts)},
        "jobs": {kind: jobs},
        "kept": {f"{kind} kept": jobs},
        "texts": [],
    }


def test_a_kind_takes_what_the_last_of_it_took():
    found = learnt([*[job(100.0)] * LAST, *[job(2.0)] * LAST, job(7.0, kind="b")])
    assert found.jobs == {"a": 2.0, "b": 7.0}
    assert found.kept == {"a kept": 0.5, "b kept": 0.5}


def test_of_two_the_lower_counts_as_the_first_has_filled_caches():
    assert learnt([job(9.0), job(2.0)]).jobs == {"a": 2.0}


def test_what_is_no_job_and_grows_with_nothing_is_paid_once():
    found = learnt([*[job()] * 4, run(denoise=8.0, start=1.0, torch=2.0, finish=0.5, load=77.0)])
    assert found.once_seconds(["a"]) == pytest.approx(3.5), "loading is measured for each model"


def test_what_jobs_took_more_than_their_kind_is_paid_once():
    assert learnt([*[job()] * 4, run(denoise=11.0)]).once_seconds(["a"]) == pytest.approx(3.0)


def test_what_only_the_first_run_has_paid_is_forgotten_with_the_second():
    whole = {"jobs": 1, "kept_seconds": 0.0, "start": 1.0}
    first, second = ([job(seconds), run(denoise=seconds, **whole)] for seconds in (30.0, 10.0))
    assert (learnt(first).jobs, learnt(first).once_seconds(["a"])) == ({"a": 30.0}, 1.0)
    found = learnt([*first, *second])
    assert (found.jobs, found.once_seconds(["a"])) == ({"a": 10.0}, 1.0)


def test_a_run_with_jobs_of_which_no_clip_was_noted_teaches_nothing():
    assert learnt([*[job()] * 4, run(kind="b", denoise=99.0), run(denoise=8.0, start=1.0)]).once_seconds(["a"]) == 1.0


def test_switches_of_loras_are_counted_by_their_number():
    notes = [*[job(switch=0.1)] * 3, job(whole=7.0, switch=5.1), run(denoise=7.6, switch=5.4, counts={"loras": 1})]
    found = learnt(notes)
    assert found.counted_seconds({"loras": 2}) == {"loras": pytest.approx(10.0)}
    assert found.once_seconds(["a"]) == pytest.approx(0.0, abs=1e-9)


def test_saving_grows_with_the_number_of_clips():
    found = learnt([*[job()] * 4, run(denoise=8.0, save=0.4)])
    assert found.counted_seconds({"clips": 10}) == {"clips": pytest.approx(1.0)}
    assert found.counted_seconds({"identities": 1}) == {}, "nothing is known of it"


def test_prompts_grow_with_their_number_above_loading_their_encoder():
    notes = [run(denoise=8.0, prompt=seconds, counts={"prompts": number}) for number, seconds in ((1, 3.0), (5, 5.0))]
    found = learnt([*[job()] * 4, *notes])
    assert found.counted_seconds({"prompts": 9}) == {"prompts": 7.0}
    assert found.counted_seconds({"prompts": 0}) == {"prompts": 0.0}


def test_prompts_that_were_remembered_teach_nothing_of_encoding():
    encoded, remembered = (run(denoise=8.0, prompt=p, counts={"prompts": n}) for n, p in ((3, 3.0), (0, 0.25)))
    found = learnt([*[job()] * 4, encoded, remembered, remembered])
    assert found.counted_seconds({"prompts": 3}) == {"prompts": 3.0}
    assert found.once_seconds(["a"]) == 0.25, "what it takes to look them up is paid once"


def test_the_texts_of_all_runs_are_known_also_of_those_that_teach_nothing_else():
    notes = [{**run(kind=kind, start=1.0), "texts": [kind, "both"]} for kind in ("a", "unseen")]
    assert learnt([job(), *notes]).texts == {"a", "unseen", "both"}


def test_a_run_of_an_older_version_does_not_say_what_it_encoded():
    old = run(denoise=8.0, prompt=0.0, counts={"prompts": 3})
    del old["texts"]
    assert learnt([*[job()] * 4, old]).counted_seconds({"prompts": 3}) == {}


def test_a_run_takes_once_what_runs_of_its_kinds_took():
    short, long = ({"jobs": 2, "kept_seconds": 1.0, "denoise": 4.0, "start": start} for start in (1.0, 9.0))
    found = learnt([job(), job(kind="b"), run(**short), run(kind="b", **long)])
    assert found.once_seconds(["a"]) == 1.0
    assert found.once_seconds(["a", "b"]) == 9.0
    assert found.once_seconds(["c"]) == 1.0, "of a kind never seen what most take"
    assert learnt([]).once_seconds(["a"]) == 0.0


def test_waiting_for_the_last_clip_is_paid_once_but_not_for_a_writer_that_is_slower():
    fast = learnt([*[job(kept=0.5)] * 4, run(denoise=8.0, wait=0.4)])
    assert fast.once_seconds(["a"]) == pytest.approx(0.4)
    slow = learnt([*[job(kept=5.0)] * 4, run(denoise=8.0, kept_seconds=20.0, wait=14.5)])
    assert slow.once_seconds(["a"]) == pytest.approx(0.5), "14 of them are the writer's 20 that came after the jobs"


def test_what_the_writer_takes_more_than_its_clips_it_takes_once():
    found = learnt([*[job(kept=0.5)] * 4, run(denoise=8.0, kept_seconds=3.5)])
    assert found.kept_once_seconds(["a kept"]) == pytest.approx(1.5)


def test_a_writer_that_is_slower_than_the_jobs_is_waited_for():
    assert overhang(made=10.0, kept=5.0, clips=5) == 0.0
    assert overhang(made=10.0, kept=50.0, clips=5) == 42.0, "it begins when the first is made"
    assert overhang(0.0, 0.0, 0) == 0.0


@pytest.mark.parametrize(
    ("points", "offset", "line"),
    [
        ([(4, 2.0)], False, Line(0.0, 0.5)),
        ([(4, 2.0)], True, Line(2.0, 0.0)),
        ([(1, 3.0), (5, 5.0)], True, Line(2.5, 0.5)),
        ([(1, 3.0), (5, 5.0), (5, 50.0), (9, 7.0)], True, Line(2.5, 0.5)),
        ([(1, 5.0), (5, 3.0)], True, Line(3.0, 0.0)),
    ],
)
def test_a_line_is_drawn_through_measurements(points, offset, line):
    assert fitted(points, offset=offset) == line


def test_of_none_there_is_nothing_to_load():
    assert Line(3.0, 1.0).seconds(0) == 0.0
    assert Line(3.0, 1.0).seconds(2) == 5.0


DAMAGED = [
    {},
    {"kind": "a"},
    {**job(), "whole": "x"},
    {**job(), "whole": float("nan")},
    {**job(), "kept": -1.0},
    {"run": {}},
    {"run": []},
    {**run(start=1.0), "counts": {"clips": "x"}},
    {**run(start=1.0), "jobs": {}},
    {**run(start=1.0), "kept_seconds": float("inf")},
    {"flop": 1.0, "seconds": 1.0, "model": "tiny", "dtype": "float32"},
]


@pytest.mark.parametrize("note", DAMAGED)
def test_a_note_that_is_damaged_or_old_is_passed_over(note):
    assert learnt([note, job()]) == learnt([job()])

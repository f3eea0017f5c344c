"""What changes hands between two jobs, and what it costs."""

from __future__ import annotations

from itertools import product

import pytest

from standin_batch.plan.cost import CostModel, Rates, disk_bytes
from standin_batch.plan.state import State, Switches, count_switches, state_of, switch
from standin_batch.plan.work import job_flop
from standin_batch.speed import Speed

FP8, COMPILED = Speed(fp8=True), Speed(compile=True)


@pytest.fixture
def change(job):
    """What changes hands from one job to another, given by what tells them apart."""
    return lambda before, after: switch(state_of(job(**before)), state_of(job(**after)))


def test_a_state_is_ordered_from_the_dearest_to_the_cheapest():
    assert State._fields == ("model", "base", "modules", "loras", "speed", "shape", "identity")


def test_the_first_job_needs_all_it_has(job):
    first = job(who="ada", lora="x", mode="vace")
    assert switch(None, state_of(first)) == Switches(models=1, modules=1, loras=1, shapes=1, identities=1)
    assert switch(None, state_of(job())) == Switches(models=1, shapes=1)


def test_other_weights_begin_with_nothing_in_place(change):
    found = change({"who": "ada", "lora": "x"}, {"who": "ada", "lora": "x", "model": "tiny-2.2"})
    assert found == Switches(models=1, loras=1, shapes=1, identities=1)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"who": "a"}, {"who": "a", "prompt": "q", "number": 7}, Switches(), id="prompt and seed"),
        pytest.param({"who": "a"}, {"who": "b"}, Switches(identities=1), id="identity"),
        pytest.param({"who": "a"}, {}, Switches(), id="an identity is left"),
        pytest.param({"who": "a"}, {"who": "a", "shape": (160, 96, 17)}, Switches(shapes=1), id="length"),
        pytest.param(
            {"who": "a"}, {"who": "a", "shape": (96, 160, 9)}, Switches(shapes=1, identities=1), id="another grid"
        ),
        pytest.param(
            {"who": "a"}, {"who": "a", "lora": "x"}, Switches(loras=1, identities=1), id="keys depend on LoRAs"
        ),
        pytest.param({"lora": "x"}, {}, Switches(loras=1), id="LoRAs come off"),
        pytest.param(
            {"who": "a"}, {"who": "a", "speed": FP8}, Switches(speeds=1, identities=1), id="keys depend on 8 bits"
        ),
        pytest.param({"who": "a"}, {"who": "a", "speed": COMPILED}, Switches(speeds=1), id="compiling"),
        pytest.param({"speed": Speed(cache=0.1)}, {}, Switches(), id="a cache is no part of the weights"),
        pytest.param({}, {"mode": "vace"}, Switches(modules=1), id="a module comes"),
        pytest.param({"mode": "vace"}, {}, Switches(), id="a module goes"),
    ],
)
def test_only_what_differs_changes_hands(change, before, after, expected):
    assert change(before, after) == expected


def test_each_text_is_encoded_once_for_a_model(job):
    jobs = [job(0, prompt="p"), job(1, prompt="q", who="a"), job(2, prompt="p", who="a")]
    assert count_switches(jobs).prompts == 3, "the negative one, too"
    assert count_switches([*jobs, job(3, prompt="p", model="tiny-2.2")]).prompts == 5


def test_without_guidance_nothing_negative_is_encoded(job):
    assert count_switches([job(0, cfg_scale=(1.0,)), job(1, cfg_scale=(1.0,))]).prompts == 1


def test_loading_is_read_from_the_disk(job):
    state = state_of(job(model="wan2.1-t2v-14b", dtype="bfloat16"))
    costs = CostModel()
    assert disk_bytes("wan2.1-t2v-14b") == pytest.approx(57.15e9 + 11.36e9 + 0.51e9, rel=0.001)
    assert costs.switch_seconds(None, state) == pytest.approx(2.0 + 69.0 + 1.0, rel=0.01)


def test_what_was_measured_stands_above_what_is_assumed(job):
    made, model = job(who="ada"), ("tiny", "float32")
    costs = CostModel(throughput={model: 1e9}, loading={model: 42.0})
    assert costs.job_seconds(made) == pytest.approx(job_flop(made) / 1e9)
    assert costs.switch_seconds(None, state_of(made)) > 42.0
    assert costs.switch_seconds(None, state_of(made)) > CostModel().switch_seconds(None, state_of(made))


def test_without_a_measurement_the_time_of_a_job_is_unknown(job):
    costs = CostModel(throughput={("tiny", "bfloat16"): 1e9})
    assert costs.job_seconds(job()) is None


def test_bits_that_come_and_go_cost_as_a_lora_does(job):
    plain, fp8, lora = (state_of(job(0, **keys)) for keys in ({}, {"speed": FP8}, {"lora": "x"}))
    costs = CostModel()
    assert costs.switch_seconds(plain, fp8) == costs.switch_seconds(plain, lora)
    assert costs.switch_seconds(fp8, plain) == costs.switch_seconds(lora, plain)
    assert costs.switch_seconds(fp8, fp8) == 0


def test_a_lora_that_takes_the_place_of_another_is_taken_off_and_put_on(job):
    plain, x, y = (state_of(job(model="wan2.1-t2v-14b", lora=lora)) for lora in (None, "x", "y"))
    costs = CostModel()
    assert costs.switch_seconds(x, y) == costs.switch_seconds(x, plain) + costs.switch_seconds(plain, y)


def test_no_detour_is_cheaper_than_the_direct_way(job):
    """What makes it right to keep the jobs of a state together, at any rates."""
    values = product(("tiny", "wan2.1-t2v-14b"), ("t2v", "vace"), (None, "x"), (None, "a"), ((160, 96, 9), (96, 96, 9)))
    jobs = (job(model=m, mode=mode, lora=lora, who=who, shape=shape) for m, mode, lora, who, shape in values)
    states = [state_of(made) for made in jobs]
    for rates in (Rates(), Rates(read=1e6), Rates(fuse=1e4), Rates(flop=1e9), Rates(opening=0.0, shape=100.0)):
        costs = CostModel(rates=rates, loading={("tiny", "float32"): 0.01})
        seconds = {pair: costs.switch_seconds(*pair) for pair in product(states, repeat=2)}
        for a, b, c in product(states, repeat=3):
            assert seconds[a, c] <= (seconds[a, b] + seconds[b, c]) * (1 + 1e-9) or a == c

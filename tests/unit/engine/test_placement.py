"""Where weights are in each memory profile, and that going from one to another leaves them as they were."""

from __future__ import annotations

import pytest
import torch
from jobs import make_job

from standin_batch.engine.engine import Denoised, Engine
from standin_batch.engine.pipeline import experts_of
from standin_batch.plan.memory import Profile
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS

JOB = make_job(shape=(64, 64, 5), num_inference_steps=2)


class Nobody:
    def image(self, job):
        raise AssertionError("there is no identity here")

    face_models = image


@pytest.fixture(scope="module")
def files(golden):
    return locate(ROWS["tiny"], golden / "weights")


@pytest.fixture
def engine(files):
    return Engine.load("tiny", "float32", files, "cpu")


def made(engine):
    return engine.generate(JOB, Nobody(), lambda step, steps: None).latents


def weights(engine):
    return {name: value.clone() for name, value in experts_of(engine.pipe)[0].state_dict().items()}


def test_going_up_and_down_the_ladder_changes_no_weight_and_no_bit(engine):
    before, expected = weights(engine), made(engine)
    for profile in (Profile.LOWEST, Profile.OFFLOAD, Profile.LOWEST, Profile.RESIDENT):
        engine.use(profile)
        assert made(engine).equal(expected), profile
        after = weights(engine)
        assert all(after[name].equal(before[name]) for name in before)


def test_in_the_lowest_each_layer_comes_for_itself_alone(engine, monkeypatch):
    """A weight is on the device between the moment that its layer begins and the moment that it ends."""
    engine.use(Profile.LOWEST)
    here, most = [], []
    to = torch.Tensor.to

    def moved(tensor, *arguments, **options):
        if arguments == ("cpu",) and isinstance(tensor, torch.Tensor) and tensor.data_ptr() in layers:
            here.append(tensor.data_ptr())
            most.append(len(set(here)))
        return to(tensor, *arguments, **options)

    dit = experts_of(engine.pipe)[0]
    layers = {parameter.data_ptr() for parameter in dit.parameters()}
    engine.placement.for_expert(0)
    for leaf in [part for part in dit.modules() if not list(part.children())]:
        leaf.register_forward_hook(lambda *_: here.clear())
    monkeypatch.setattr(torch.Tensor, "to", moved)
    made(engine)
    assert most, "layers were brought"
    assert max(most) <= 2, "weight and bias of one layer"


def test_an_error_in_a_layer_leaves_no_weight_away_from_home(engine):
    engine.use(Profile.LOWEST)
    before = weights(engine)
    work = engine.begin(JOB, Nobody())
    block = experts_of(engine.pipe)[0].blocks[0]
    handle = block.ffn[0].register_forward_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("spoilt")))
    with pytest.raises(RuntimeError, match="spoilt"):
        engine.denoise(work, 0, lambda step, steps: None)
    handle.remove()
    engine.use(Profile.RESIDENT)
    after = weights(engine)
    assert all(after[name].equal(before[name]) for name in before)


def test_a_clip_goes_on_from_any_step_to_the_bit(engine):
    expected, states = made(engine), []
    work = engine.begin(JOB, Nobody())
    engine.denoise(work, 0, lambda step, steps: states.append((step, work.denoising.latents.clone())))
    for step, latents in states:
        again = engine.begin(JOB, Nobody())
        again.denoising.restore(latents, step)
        engine.denoise(again, 0, lambda step, steps: None)
        assert engine.decode(Denoised.of(again)).latents.equal(expected)


def test_each_profile_holds_less_than_the_one_above(engine):
    for index in (0, None):
        sizes = engine.placement.weight_bytes(index)
        assert sizes[Profile.RESIDENT] >= sizes[Profile.OFFLOAD] >= sizes[Profile.LOWEST] > 0
    assert engine.placement.weight_bytes(0)[Profile.OFFLOAD] > engine.placement.weight_bytes(None)[Profile.OFFLOAD]

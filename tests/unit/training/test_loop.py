"""A training that was stopped goes on to the same weights, and writes down what it measures."""

import json

import pytest
import torch

from training import loop
from training.loop import Schedule, Training
from training.optimizer import Optimizers

SCHEDULE = Schedule(steps=60, rate=0.5, look_every=30, log_every=20, warm_up=5, averaged=0.9)


class Stopped(Exception):
    """As if by a signal."""


@pytest.fixture(autouse=True)
def _saves_after_every_step(monkeypatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", -1.0)


def train(folder, stop_at=None, schedule=SCHEDULE):
    """Learn a matrix of ones from noisy ones; its name is the folder's."""
    found = torch.nn.Parameter(torch.zeros(6, 4))

    def losses(step, chance):
        if step == stop_at:
            raise Stopped
        wanted = 1 + torch.randn(6, 4, generator=chance) / 10
        return (found - wanted).square().mean(), {"size": float(found.detach().mean())}

    training = Training(folder, schedule, {"found": found}, Optimizers({"found": found}))
    training.run(losses, lambda step: {"seen": float(found.detach().mean())})
    return found.detach()


def log(folder):
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_it_learns(tmp_path):
    assert float((train(tmp_path) - 1).abs().mean()) < 0.4


def test_stopped_and_started_again_it_ends_with_the_same_bits_and_the_same_log(tmp_path):
    whole = train(tmp_path / "whole")
    with pytest.raises(Stopped):
        train(tmp_path / "stopped", stop_at=31)
    assert torch.equal(train(tmp_path / "stopped"), whole)
    assert log(tmp_path / "stopped") == log(tmp_path / "whole")


def test_lines_of_steps_that_were_not_saved_come_once(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", 1e9)
    with pytest.raises(Stopped):
        train(tmp_path, stop_at=45)
    train(tmp_path)
    assert [line["step"] for line in log(tmp_path) if "loss" in line] == [20, 40, 60]


def test_a_finished_training_is_not_trained_further(tmp_path):
    assert torch.equal(train(tmp_path), train(tmp_path, stop_at=0))


def test_what_is_looked_at_and_kept_is_the_mean_of_the_weights(tmp_path):
    found = train(tmp_path)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert torch.equal(found, state["averages"]["found"])
    assert not torch.equal(found, state["tensors"]["found"])
    assert log(tmp_path)[-1]["seen"] == pytest.approx(float(found.mean()), rel=1e-4)


def test_another_seed_gives_other_weights(tmp_path):
    other = Schedule(steps=60, rate=0.1, seed=1)
    assert not torch.equal(train(tmp_path / "one"), train(tmp_path / "other", schedule=other))


def test_the_learning_rate_rises_stays_and_falls():
    schedule = Schedule(steps=1000, rate=2.0)
    rates = [schedule.rate_at(step) for step in range(1000)]
    assert rates[0] < 0.1
    assert rates[100:600] == [2.0] * 500
    assert rates[-1] < 0.01
    assert rates[600:] == sorted(rates[600:], reverse=True)

"""A training can be stopped at any step and gone on with, as if nothing had been."""

import json
from dataclasses import replace

import pytest
import torch

from training.faces.loop import Schedule, train

SCHEDULE = Schedule(steps=30, rate=0.05, decay=0.0, mean_over=5, look_every=10, seed=1)


class Interrupted(Exception):
    """Somebody pulls the plug."""


class Line:
    """Learn to double a number."""

    name = "line"

    def __init__(self, stop_at=None):
        self.stop_at, self.seen = stop_at, 0

    def network(self):
        return torch.nn.Linear(1, 1)

    def loss(self, network, rng):
        self.seen += 1
        if self.stop_at == self.seen:
            raise Interrupted
        numbers = torch.from_numpy(rng.normal(size=(64, 1))).float()
        return (network(numbers).float() - 2 * numbers).square().mean()

    def look(self, network, folder):
        return {"slope": network.weight.item()}


@pytest.fixture(autouse=True)
def _saves_at_every_step(monkeypatch):
    monkeypatch.setattr("training.faces.loop.SAVE_SECONDS", 0.0)


def log(folder):
    return [json.loads(line) for line in (folder / "line.log.jsonl").read_text().splitlines()]


def without_time(lines):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_it_learns(tmp_path):
    learned = train(Line(), replace(SCHEDULE, steps=100), tmp_path)
    assert learned.weight.item() == pytest.approx(2, abs=0.1)
    losses = [line["loss"] for line in log(tmp_path) if "loss" in line]
    assert losses[-1] < losses[0] / 10


def test_a_stopped_training_ends_as_one_that_was_not(tmp_path):
    whole = train(Line(), SCHEDULE, tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(Line(stop_at=24), SCHEDULE, tmp_path / "stopped")
    again = train(Line(), SCHEDULE, tmp_path / "stopped")
    assert torch.equal(whole.weight, again.weight)
    assert without_time(log(tmp_path / "whole")) == without_time(log(tmp_path / "stopped"))


def test_a_finished_training_is_not_trained_further(tmp_path):
    first = train(Line(), SCHEDULE, tmp_path)
    lesson = Line()
    assert torch.equal(train(lesson, SCHEDULE, tmp_path).weight, first.weight)
    assert lesson.seen == 0


def test_another_seed_gives_other_weights(tmp_path):
    one, other = (train(Line(), replace(SCHEDULE, seed=seed), tmp_path / str(seed)) for seed in (1, 2))
    assert not torch.equal(one.weight, other.weight)

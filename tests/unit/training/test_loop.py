"""A training that was stopped goes on to the same weights, and writes down what it measures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from training import loop
from training.loop import Measures, Optimizers, Training, learning_rate


class Stopped(Exception):
    """As if by a signal."""


def _training(folder: Path, steps: int = 60) -> tuple[Training, torch.nn.Parameter]:
    found = torch.nn.Parameter(torch.zeros(6, 4))
    return Training(folder, steps, {"found": found}, Optimizers([found], []), highest=0.1), found


def _losses(found: torch.nn.Parameter, stop_at: int | None = None) -> loop.Step:
    def losses(step: int, chance: torch.Generator) -> Measures:
        if step == stop_at:
            raise Stopped
        wanted = torch.ones(6, 4) + torch.randn(6, 4, generator=chance) / 10
        loss = (found - wanted).square().mean()
        loss.backward()
        return {"loss": float(loss.detach())}

    return losses


def test_stopped_and_started_again_it_ends_with_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", -1.0)  # after every step
    whole, at_once = _training(tmp_path / "whole")
    whole.run(_losses(at_once))
    first, found = _training(tmp_path / "stopped")
    with pytest.raises(Stopped):
        first.run(_losses(found, stop_at=31))
    second, found = _training(tmp_path / "stopped")
    second.run(_losses(found))
    assert torch.equal(found, at_once)
    assert torch.equal(second.averages.mean["found"], whole.averages.mean["found"])


def test_measures_are_logged_with_the_step(tmp_path: Path) -> None:
    training, found = _training(tmp_path)
    training.run(_losses(found), every=30, look=lambda step: {"seen": float(step)})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["seen"] for line in lines if "seen" in line] == [30.0, 60.0]
    assert [line["step"] for line in lines if "loss" in line] == [50]


def test_the_mean_of_the_weights_is_put_in_place_to_look_and_then_for_good(tmp_path: Path) -> None:
    training, found = _training(tmp_path)
    training.run(_losses(found))
    learnt = found.detach().clone()
    with training.averaged():
        assert torch.equal(found, training.averages.mean["found"])
    assert torch.equal(found, learnt)
    training.keep_averages()
    assert torch.equal(found, training.averages.mean["found"])


def test_the_learning_rate_rises_stays_and_falls() -> None:
    rates = [learning_rate(step, 1000, 2.0) for step in range(1000)]
    assert rates[0] < 0.1
    assert rates[100:600] == [2.0] * 500
    assert rates[-1] < 0.01
    assert rates[600:] == sorted(rates[600:], reverse=True)

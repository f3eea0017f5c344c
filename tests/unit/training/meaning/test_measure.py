"""The numbers, on drawn clips in place of generated ones: what is right measures well, what is wrong badly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.meaning.cases import CONTROL, IDENTITY, INK, NOBODY, PLAIN, SWAP
from training.meaning.likeness import gallery
from training.meaning.measure import Answers, measure
from training.meaning.thresholds import THRESHOLDS
from training.world.draw import draw


@pytest.fixture(scope="module")
def known(oracle, everybody):
    return gallery(everybody, oracle)


@pytest.fixture(scope="module")
def answered(asked, oracle, known, drawn_judges):
    return lambda clips: measure(Answers.of(asked, clips, oracle, known, drawn_judges))


@pytest.fixture(scope="module")
def right(answered, drawn_answers):
    return answered(drawn_answers)


def exchanged(asked, clips, kind):
    """The clips of a kind, each in the next one's place."""
    names = [case.name for case in asked if case.kind == kind]
    return clips | dict(zip(names, [clips[name] for name in (*names[1:], names[0])], strict=True))


def test_right_answers_measure_well(right):
    assert right["identity: top-1"] == right["identity: frames with a face"] == 1
    assert right["identity: cosine to one's own"] == pytest.approx(1)
    assert abs(right["identity: cosine to others"]) < 0.2
    assert right["control: distance"] == pytest.approx(0, abs=1e-6)
    assert right["control: distance to other tracks"] > 1
    assert right["style: ink with the LoRA"] == right["style: plain without"] == right["style: top-1 in ink"] == 1
    assert right["swap: nearer to the new face"] == 1
    assert right["swap: cosine to the new face"] == pytest.approx(1)
    assert abs(right["swap: cosine to the old face"]) < 0.2


def test_every_bar_is_about_something_that_is_measured(right):
    assert set(THRESHOLDS) <= set(right)


def test_another_s_clip_is_nobody_s_own(asked, drawn_answers, answered):
    wrong = answered(exchanged(asked, drawn_answers, IDENTITY))
    assert wrong["identity: top-1"] == 0
    assert wrong["prompt: place"] == 0
    assert wrong["adapter off: top-1"] == 1, "of these nothing has changed"


def test_clips_without_a_face_are_counted(asked, drawn_answers, answered):
    empty = {case.name: np.zeros_like(drawn_answers[case.name]) for case in asked if case.kind == NOBODY}
    wrong = answered(drawn_answers | empty)
    assert wrong["adapter off: top-1"] == wrong["adapter off: frames with a face"] == 0
    assert wrong["adapter off: cosine to one's own"] is None


def test_a_wrong_track_is_far_off(asked, drawn_answers, answered):
    assert answered(exchanged(asked, drawn_answers, CONTROL))["control: distance"] > 2


def test_the_style_must_come_with_the_lora_alone(asked, drawn_answers, answered):
    styled = {case.kind: drawn_answers[case.name] for case in asked if case.number == 0}
    both = {case.name: styled[INK] for case in asked if case.kind == PLAIN}
    neither = {case.name: styled[PLAIN] for case in asked if case.kind == INK}
    assert answered(drawn_answers | both)["style: plain without"] == 0
    assert answered(drawn_answers | neither)["style: ink with the LoRA"] == 0


def test_a_swap_that_changes_nothing_keeps_the_surroundings_and_the_old_face(asked, drawn_answers, oracle, answered):
    untouched = {}
    for case in asked:
        if case.kind == SWAP:
            oracle.know_clip(case.given)
            untouched[case.name] = draw(case.given)
    same = answered(drawn_answers | untouched)
    assert same["swap: PSNR around the face"] == float("inf")
    assert same["swap: nearer to the new face"] == 0
    assert same["swap: cosine to the old face"] == pytest.approx(1)


def test_a_swap_into_another_place_shows(asked, drawn_answers, answered, right):
    moved = {case.name: draw(replace(case.scene, background="night sky")) for case in asked if case.kind == SWAP}
    assert answered(drawn_answers | moved)["swap: PSNR around the face"] < right["swap: PSNR around the face"]

"""What an output folder amounts to, in numbers, from records and failures alone."""

from __future__ import annotations

import pytest

from standin_batch.output.counted import Acceptance, Pace, Spread
from standin_batch.output.failed import FailedJob
from standin_batch.output.summary import summarise

CLIP = {
    "model": "tiny",
    "mode": "t2v",
    "prompt_name": "desk",
    "prompt": "A desk.",
    "identity": "ada",
    "loras": [],
    "width": 32,
    "height": 16,
    "num_frames": 50,
    "fps": 25.0,
    "num_inference_steps": 4,
    "video_bytes": 1000,
    "seconds": {"denoise": 2.0, "decode": 1.0},
    "peak_memory": None,
}


def clip(**changes):
    return {**CLIP, **changes}


def rows(summary, key):
    return {row.name: row for row in summary.score_rows if row.key == key}


def test_nothing_amounts_to_nothing():
    summary = summarise([])
    assert (summary.clips, summary.failed, summary.seconds, summary.peak_memory) == (0, 0, 0, None)
    assert summary.score_rows == summary.paces == summary.causes == ()


def test_a_rejected_clip_took_time_but_is_no_video():
    summary = summarise([clip(), clip(accepted=False)])
    assert (summary.clips, summary.completed, summary.rejected) == (2, 1, 1)
    assert (summary.frames, summary.video_seconds, summary.video_bytes) == (50, 2.0, 1000)
    assert summary.seconds_by_phase == {"denoise": 4.0, "decode": 2.0}
    assert summary.seconds == 6.0


def test_the_pace_is_of_all_steps_of_a_model_and_size():
    other = {"num_inference_steps": 12, "seconds": {"denoise": 14.0}, "peak_memory": 5}
    summary = summarise([clip(), clip(**other), clip(width=64, peak_memory=9)])
    assert summary.paces == (Pace("tiny", 32, 16, 50, "exact", 2, 1.0, 5), Pace("tiny", 64, 16, 50, "exact", 1, 0.5, 9))
    assert summary.peak_memory == 9


def test_what_is_made_at_another_speed_has_a_pace_and_a_group_of_its_own():
    quick = clip(speed="teacache 0.1", seconds={"denoise": 1.0})
    summary = summarise([clip(speed="exact"), quick, clip()])
    assert [(pace.speed, pace.clips, pace.seconds_per_step) for pace in summary.paces] == [
        ("exact", 2, 0.5),
        ("teacache 0.1", 1, 0.25),
    ]
    assert {name: row.n for name, row in rows(summary, "speed").items()} == {"exact": 2, "teacache 0.1": 1}


def test_scores_are_those_of_clips_that_are_not_rejected():
    scored = [clip(scores={"face_similarity": value}) for value in (0.5, 0.9, 0.7)]
    bad = clip(scores={"face_similarity": 0.1}, accepted=False)
    ada = rows(summarise([*scored, bad, clip(identity=None, scores={"motion": 1})]), "identity")["ada"]
    assert (ada.n, ada.rejected) == (3, 1)
    assert ada.scores == {"face_similarity": Spread(3, pytest.approx(0.7), 0.7, 0.5)}


def test_clips_are_grouped_by_what_makes_them():
    lora = {"name": "ghibli", "scale": 0.6, "files": {}}
    summary = summarise([clip(), clip(identity=None, loras=[lora, {**lora, "scale": 1.0}], prompt_name="")])
    assert set(rows(summary, "identity")) == {"ada", "no identity"}
    assert set(rows(summary, "loras")) == {"ghibli 0.6 + ghibli 1", "no LoRA"}
    assert set(rows(summary, "prompt")) == {"desk", "A desk."}
    assert rows(summary, "mode")["t2v"].n == 2


def test_what_was_asked_and_what_it_took():
    first, second = {"attempt_of": "a"}, {"attempt_of": "b"}
    clips = [
        clip(**first, attempt=0, accepted=False),
        clip(**first, attempt=1, accepted=True),
        clip(**second, attempt=0, accepted=False),
        clip(),
    ]
    assert summarise(clips).acceptance == Acceptance(jobs=2, satisfied=1, attempts=3, accepted=1, by_attempt={1: 1})


def test_failures_that_say_the_same_are_one_cause():
    failures = [FailedJob(str(i), f"job {i}", "no face", "input", "another picture") for i in range(2)]
    causes = summarise([], [FailedJob("x", "job x", "gone", "io"), *failures]).causes
    assert [(cause.cause, cause.labels) for cause in causes] == [("no face", ("job 0", "job 1")), ("gone", ("job x",))]


@pytest.mark.parametrize("wrong", [dict.fromkeys(CLIP, value) for value in (None, "x", float("nan"), [None], True)])
def test_a_record_that_is_odd_counts_as_far_as_it_goes(wrong):
    assert summarise([clip(), wrong]).clips == 2

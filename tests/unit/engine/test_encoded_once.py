"""What the VAE encodes for a job is kept for the jobs that show the model the same, and for no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from jobs import make_job
from shown import Shown, subject_of

from standin_batch.engine import identities
from standin_batch.engine.brought import brought_key
from standin_batch.engine.engine import Engine
from standin_batch.job import InputFile, Subject
from standin_batch.media.video import probe_video
from standin_batch.modes import MODES
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS

REPOSITORY = Path(__file__).parents[3]
PLAIN = make_job(prompt="A man sits.", shape=(64, 64, 5), num_inference_steps=1)


def subject(name):
    return Subject(name, Path(f"{name}.png"), "subject", "error", f"digest of {name}")


@pytest.fixture
def shown(golden):
    return Shown(subject_of(golden))


@pytest.fixture(scope="module")
def engine(golden):
    return Engine.load("tiny", "float32", locate(ROWS["tiny"], golden / "weights", ("vace",)), "cpu")


@pytest.fixture
def encoded(engine, monkeypatch):
    """What the VAE encodes from now on, one entry a video."""
    engine.forget()
    seen, encode = [], engine.pipe.vae.encode

    def counted(videos, **options):
        seen.append(len(videos))
        return encode(videos, **options)

    monkeypatch.setattr(engine.pipe.vae, "encode", counted)
    return seen


@pytest.fixture
def control(golden):
    image = InputFile(golden / "inputs" / "reference_image.png", "digest of the image")
    params = {"vace_scale": 0.8, "preprocess": "none"}
    return replace(PLAIN, mode="vace", params=params, files={"reference_image": image})


@pytest.fixture
def swap():
    path = REPOSITORY / "manifests" / "clips" / "visitors.mp4"
    params = {
        **{key: field.default for key, field in MODES["face_swap"].params.model_fields.items()},
        "paste": False,
    }
    params = {key: value for key, value in params.items() if key not in ("input_video", "target_image")}
    video = InputFile(path, "digest of the video", probe_video(path))
    return replace(PLAIN, mode="face_swap", params=params, files={"input_video": video})


def made(engine, job, shown):
    return engine.generate(job, shown, lambda step, steps: None).latents


def test_an_identity_that_comes_back_is_not_encoded_again(engine, encoded, shown):
    names = ("ada", "bob", "ada", "bob", "ada")
    latents = [made(engine, replace(PLAIN, subject=subject(f"back {name}")), shown) for name in names]
    assert len(encoded) == 2
    assert all(latents[0].equal(other) for other in latents[1:])


def test_the_identity_that_was_asked_for_longest_ago_goes_first(engine, encoded, shown, monkeypatch):
    monkeypatch.setattr(identities, "MOST_LATENTS", 2)
    engine._identities._latents.clear()
    for name in ("ada", "bob", "ada", "eve", "ada", "bob"):
        engine.begin(replace(PLAIN, subject=subject(f"bounded {name}")), shown)
    assert len(encoded) == 4, "ada, bob, eve, and bob again"


@pytest.mark.parametrize(
    "change", [{"seed": 7}, {"prompt": "other"}, {"cfg_scale": (1.0,)}, {"num_inference_steps": 2}, {"subject": "ada"}]
)
@pytest.mark.parametrize("mode", ["control", "swap"])
def test_other_jobs_on_the_same_videos_encode_nothing(engine, encoded, shown, request, mode, change):
    job = request.getfixturevalue(mode)
    made(engine, job, shown)
    change = {key: subject(value) if key == "subject" else value for key, value in change.items()}
    engine._identities.latent(engine.pipe, replace(job, subject=subject("ada")), shown.image)
    before = len(encoded)
    found = made(engine, replace(job, **change), shown)
    assert len(encoded) == before > 0
    engine.forget()
    assert found.equal(made(engine, replace(job, **change), shown)), "encoded anew it is the same"


@pytest.mark.parametrize(("mode", "key"), [("control", "vace_scale"), ("swap", "denoising_strength")])
def test_a_strength_decides_the_video_and_not_what_is_encoded(engine, encoded, shown, request, mode, key):
    job = request.getfixturevalue(mode)
    weak = replace(job, params={**job.params, key: 0.5})
    one = made(engine, job, shown)
    before = len(encoded)
    other = made(engine, weak, shown)
    assert len(encoded) == before
    assert not one.equal(other)
    engine.forget()
    assert other.equal(made(engine, weak, shown))


def test_what_decides_the_encoded_is_in_its_key(control, swap):
    image = InputFile(Path("elsewhere.png"), "digest of another")
    others = [
        replace(control, files={"reference_image": image}),
        replace(control, vae_tiled=True),
        replace(control, width=96),
        replace(control, num_frames=9),
        replace(control, params={**control.params, "preprocess": "canny"}),
        replace(swap, subject=subject("ada")),
        *(replace(swap, subject=subject(name), params={**swap.params, "paste": True}) for name in ("ada", "bob")),
    ]
    keys = [brought_key(job) for job in (control, swap, *others)]
    assert len(set(keys)) == len(keys) - 1, "all but one: without a face to paste the subject decides nothing"
    assert brought_key(swap) == brought_key(replace(swap, subject=subject("ada")))


def test_what_a_job_leaves_behind_is_not_changed_by_the_next(engine, shown, swap):
    engine.forget()
    work = engine.begin(swap, shown)
    kept = engine._brought[1].original
    before = kept.clone()
    engine.denoise(work, 0, lambda step, steps: None)
    assert torch.equal(kept, before)

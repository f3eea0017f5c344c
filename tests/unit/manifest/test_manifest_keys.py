"""Each key of a job by itself: what it takes, and what it says to anything else."""

from __future__ import annotations

import pytest

from standin_batch.manifest.job_keys import JOB_KEYS
from standin_batch.modes import MODES
from standin_batch.speed import EXACT, Speed

MODE_OF = {key: mode.name for mode in MODES.values() for key in mode.params.model_fields}
VACE = "mode: vace, prompt: A man walks., reference_video: clips/pose.mp4, "
SWAP = "mode: face_swap, prompt: A man walks., identity: faces/lecun.jpg, input_video: clips/woman.mp4, "
PREFIX = {"vace": VACE, "face_swap": SWAP}

RIGHT = [
    ("seed: 0", 0),
    ("seed: 9223372036854775807", 2**63 - 1),
    ("seed: random", "random"),
    ("width: 16", 16),
    ("height: 8192", 8192),
    ("num_frames: 1", 1),
    ("num_frames: 81", 81),
    ("fps: 25", 25.0),
    ("fps: 12.5", 12.5),
    ("max_frames: 81", 81),
    ("max_pixels: 399360", 399360),
    ("num_inference_steps: 1000", 1000),
    ("cfg_scale: 1", 1.0),
    ("sigma_shift: 0.5", 0.5),
    ("dtype: float32", "float32"),
    ("vae_tiled: true", True),
    ("speed: {cache: 0.1, fp8: false}", Speed(cache=0.1)),
    ("speed: null", EXACT),
    ("priority: -3", -3),
    ("retries: 0", 0),
    ("negative_prompt: ''", ""),
    ("model: tiny-2.2", "tiny-2.2"),
    ("loras: []", ()),
    ("vace_scale: 0", 0.0),
    ("preprocess: canny", "canny"),
    ("denoising_strength: 1", 1.0),
    ("force_background_consistency: true", True),
    ("target: 2", 2),
    ("target: largest", "largest"),
    ("frames_without_face: interpolate", "interpolate"),
    ("paste: false", False),
]


@pytest.mark.parametrize(("written", "value"), RIGHT)
def test_right(project, written, value):
    key = written.partition(":")[0]
    prefix = VACE if key.startswith("max_") else PREFIX.get(MODE_OF.get(key, ""), "mode: t2v, prompt: A man walks., ")
    (variant,) = project.variants(f"version: 1\njobs: [{{{prefix}{written}}}]\n")
    assert variant.values[key] == value
    assert type(variant.values[key]) is type(value)
    assert key in variant.explicit


WRONG = [
    ("seed: -1", "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not -1", "did you mean 1?"),
    (
        "seed: 9223372036854775808",
        "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not 9223372036854775808",
        "",
    ),
    ("seed: true", "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not `true`", ""),
    (
        "seed: '5'",
        "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not '5'",
        "without quotes: `seed: 5`",
    ),
    ("seed: 5.0", "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not 5.0", "write 5"),
    (
        "seed: radnom",
        "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not 'radnom'",
        "did you mean `random`?",
    ),
    ("seed: 2020-01-01", "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not '2020-01-01'", ""),
    (
        "seed: [1, 2]",
        "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not a list",
        "several values go below `matrix:`",
    ),
    (
        "seed: 0..3",
        "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not '0..3'",
        "a range goes below `matrix:`",
    ),
    (
        "seed:",
        "`seed` must be a whole number, 0 or more, below 2^63, or `random`, not empty",
        "give it a value, or remove `seed`",
    ),
    ("width: 850", "`width` is 850, which is not a multiple of 16", "the nearest are 848 and 864"),
    ("height: 8", "`height` must be a whole number from 16 to 8192, a multiple of 16, not 8", ""),
    ("height: 99999", "`height` must be a whole number from 16 to 8192, a multiple of 16, not 99999", ""),
    ("num_frames: 80", "`num_frames` is 80, which is not 4n+1", "the nearest are 77 and 81"),
    ("num_frames: 2", "`num_frames` is 2, which is not 4n+1", "the nearest are 1 and 5"),
    ("num_frames: 0", "`num_frames` must be a whole number from 1 to 100,001, not 0", ""),
    ("fps: 0", "`fps` must be a number above 0, up to 240, not 0", ""),
    ("fps: .inf", "`fps` must be a number above 0, up to 240, not inf", ""),
    ("fps: .nan", "`fps` must be a number above 0, up to 240, not nan", ""),
    ("num_inference_steps: 1.5", "`num_inference_steps` must be a whole number from 1 to 1000, not 1.5", ""),
    ("cfg_scale: high", "`cfg_scale` must be a number from 0 to 100 or a mapping, not 'high'", ""),
    ("cfg_scale: {hihg_noise: 3}", "`cfg_scale` has no key `hihg_noise`", "did you mean `high_noise`?"),
    ("dtype: float16", "`dtype` must be `float32` or `bfloat16`, not 'float16'", "did you mean `bfloat16`?"),
    ("speed: {compile: yes}", "`compile` must be `true` or `false`, not 'yes'", "write `true`"),
    ("speed: {turbo: [a]}", "a LoRA must be a name, not a list", None),
    ("vae_tiled: yes", "`vae_tiled` must be `true` or `false`, not 'yes'", "write `true`"),
    ("vae_tiled: 'false'", "`vae_tiled` must be `true` or `false`, not 'false'", "without quotes: `vae_tiled: false`"),
    ("vae_tiled: 1", "`vae_tiled` must be `true` or `false`, not 1", ""),
    ("priority: high", "`priority` must be a whole number from -1,000,000 to 1,000,000, not 'high'", ""),
    ("retries: -1", "`retries` must be a whole number from 0 to 100, not -1", "did you mean 1?"),
    ("negative_prompt: 3", "`negative_prompt` must be a text, not 3", "put it in quotes"),
    ("mode: [t2v]", "`mode` must be `t2v`, `vace` or `face_swap`, not a list", "several values go below `matrix:`"),
    ("model: Tiny", "there is no model `Tiny`", "did you mean `tiny`?"),
    ("name: a b", "`name` is no name: 'a b'", None),
    ("name: ..", "`name` is no name: '..'", None),
    ("identity: 3", "`identity` must be a name or a file, not 3", "put the name in quotes"),
    ("identity: [a]", "`identity` must be a name or a file, not a list", "several go below `matrix:`"),
    ("prompt: [a]", "`prompt` must be a name or a text, not a list", "several prompts go below `matrix:`"),
    ("prompt: ''", "`prompt` must be a name or a text, not ''", None),
    ("loras: ghibli", "`loras` must be a list, not 'ghibli'", "write `[ghibli]`"),
    (
        "accept: {face_similarity: 0.5}",
        '`face_similarity` must be a condition such as ">= 0.55", not 0.5',
        'write ">= 0.5"',
    ),
    ("accept: {face_similarity: high}", "`face_similarity` is no condition: 'high'", None),
    ("accept: {max_reseeds: 1000}", "`max_reseeds` must be a whole number from 0 to 100, not 1000", ""),
    ("accept: {likeness: '> 1'}", "`accept` has no key `likeness`", None),
    ("steps: 20", "job `a` has no key `steps`", "did you mean `num_inference_steps`?"),
    ("guidance_scale: 5", "job `a` has no key `guidance_scale`", "did you mean `cfg_scale`?"),
    ("vace_scale: 3", "`vace_scale` must be a number from 0 to 2, not 3", ""),
    (
        "preprocess: dept",
        "`preprocess` must be `none`, `canny`, `depth` or `pose`, not 'dept'",
        "did you mean `depth`?",
    ),
    ("reference_image: 3", "`reference_image` must be a file, not 3", None),
    ("denoising_strength: 0", "`denoising_strength` must be a number above 0, up to 1, not 0", ""),
    (
        "target: largets",
        "`target` must be `largest`, or a whole number, 0 or more, not 'largets'",
        "did you mean `largest`?",
    ),
    ("paste: 'true'", "`paste` must be `true` or `false`, not 'true'", "without quotes: `paste: true`"),
]


@pytest.mark.parametrize(("written", "message", "hint"), WRONG)
def test_wrong(project, written, message, hint):
    key = written.partition(":")[0]
    keys = dict(
        part.split(": ", 1)
        for part in PREFIX.get(MODE_OF.get(key, ""), "mode: t2v, prompt: A man walks., ").split(", ")
        if part
    )
    keys = {"name": "a", **keys}
    keys.pop(key, None)
    text = (
        "version: 1\njobs:\n- " + "\n  ".join([*(f"{name}: {value}" for name, value in keys.items()), written]) + "\n"
    )
    (problem,) = project.problems(text)
    assert problem.message == message
    assert problem.line == len(keys) + 3
    if hint is not None:
        assert problem.hint == hint


def test_every_key_is_tried():
    tried = {written.partition(":")[0] for written, *_ in [*RIGHT, *WRONG]}
    elsewhere = {"reference_video", "input_video", "target_image"}
    assert set(JOB_KEYS) - tried == elsewhere

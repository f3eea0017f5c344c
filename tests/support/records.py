"""Records of clips that nobody made, for what is made from records."""

from __future__ import annotations

import json
from random import Random

RECORD = {
    "also": [],
    "manifest": "generated",
    "model": "tiny",
    "mode": "t2v",
    "negative_prompt": "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰",
    "identity_kind": "face",
    "identity_on_no_face": "error",
    "width": 160,
    "height": 96,
    "num_frames": 9,
    "fps": 25.0,
    "num_inference_steps": 4,
    "cfg_scale": [5.0],
    "sigma_shift": 5.0,
    "boundary": 0.875,
    "dtype": "float32",
    "vae_tiled": False,
    "params": {},
    "files": {},
    "loras": [],
    "weights": {"base": "tiny-1/tiny/base", "adapter": "tiny-1/tiny/adapter", "face": "tiny-1/tiny/face"},
    "video_bytes": 4,
    "latents": None,
    "seconds": {"prompt": 0.1, "denoise": 2.0, "decode": 1.0},
    "peak_memory": None,
    "memory": "resident",
    "device": "cpu",
    "finished_at": "2026-11-22T14:08:45+00:00",
    "versions": {"standin_batch": "0.1.0", "torch": "2.15.0", "diffsynth": "2.1.12"},
    "report": {},
    "scores": {},
    "accept": [],
    "accepted": None,
    "attempt": 0,
    "attempt_of": None,
    "record": 1,
}


def picture_of(who):
    """SHA-256 of somebody's photograph."""
    return f"{who}-picture".ljust(64, "0")


def make_record(number=0, *, job_id=None, who="ada", prompt="desk", **changes):
    """A record that differs from others only in what a test is about."""
    job_id = job_id or f"{number:016x}"
    person = {"identity": who, "identity_sha256": None if who is None else picture_of(who)}
    nobody = {} if who is not None else {"identity_kind": None, "identity_on_no_face": None}
    return {
        **RECORD,
        **person,
        **nobody,
        "job_id": job_id,
        "name": "portraits",
        "prompt_name": prompt,
        "prompt": f"A {prompt} and a person, take {number}.",
        "seed": number,
        "video": f"videos/portraits/{who}-{prompt}-{number}-{job_id}.mp4",
        "video_sha256": f"{number:064x}",
        **changes,
    }


def make_scores(random: Random, **changes):
    """Scores as a person's clip has them."""
    similarity = random.uniform(0.3, 0.9)
    return {
        "face_similarity": similarity,
        "face_similarity_min": similarity - 0.2,
        "face_similarity_p10": similarity - 0.1,
        "face_frames": 1.0,
        "sharpness": random.uniform(10, 500),
        "motion": random.uniform(0, 9),
        "perceptual_hash": f"{random.getrandbits(192):048x}",
        "scored_frames": 9,
        **changes,
    }


def write_records(layout, records, video=b"mp4\n"):
    """Records and their videos, in the output folder of `layout`."""
    layout.records.mkdir(parents=True, exist_ok=True)
    for record in records:
        layout.record(record["job_id"]).write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
        path = layout.folder / record["video"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(video)
    return records

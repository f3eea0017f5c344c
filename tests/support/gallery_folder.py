"""An output folder as a long run leaves it, with thousands of videos: a few real ones under many names."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
from PIL import Image

from standin_batch.output.failed import FailedJob
from standin_batch.output.layout import OutputLayout
from standin_batch.output.poster import write_poster
from standin_batch.output.record import Record
from standin_batch.output.subject_key import recorded_key
from standin_batch.output.video import write_video

PEOPLE = (
    *("ada", "bao", "chiamaka", "dmitri", "elif", "farid", "grace", "hiro", "ines", "jonas"),
    *("kavya", "lin", "mateo", "noor", "olga", "pedro", "quynh", "rosa", "sami", "tove"),
)
WHERE = ("at a desk by the window", "in a crowded market", "on a windy beach at dusk", "under neon signs in the rain")
DOES = ("talks to the camera as if to a friend", "raises both hands and laughs", "walks slowly towards the viewer")
LORAS = ((), ({"name": "ghibli", "scale": 0.6, "files": {"all": "ab" * 32}},))
FRAMES, WIDTH, HEIGHT, FPS = 9, 208, 120, 8
KINDS = 12


def prompts() -> list[tuple[str, str]]:
    """Names and texts; one of them is Chinese."""
    texts = [
        (f"{where.split()[-1]}-{does.split()[0]}", f"A person {does} {where}, natural light, shallow depth of field.")
        for where in WHERE
        for does in DOES
    ]
    return [*texts, ("wave", "一个人举起双手，对着镜头微笑。")]


def make_folder(folder: Path, rows: int, *, failures: int = 5, seed: int = 0) -> tuple[OutputLayout, list[FailedJob]]:
    """Make an output folder of `rows` finished jobs with scores; returns it and its failed jobs."""
    layout, rng = OutputLayout(folder), random.Random(seed)
    for path in (layout.records, layout.videos, layout.posters, layout.subjects):
        path.mkdir(parents=True)
    films = [_film(folder / f".film-{kind}", kind) for kind in range(KINDS)]
    for number in range(rows):
        record = record_of(number, rng)
        film, still = films[number % KINDS]
        (folder / record.video).parent.mkdir(exist_ok=True)
        os.link(film, folder / record.video)
        os.link(still, layout.poster(record.job_id))
        layout.record(record.job_id).write_text(record.to_json(), encoding="utf-8")
        _subject(layout, record)
    return layout, [failure_of(number) for number in range(failures)]


def record_of(number: int, rng: random.Random) -> Record:
    """The record of one job: identity x prompt x LoRA x seed, with scores that depend on who it is."""
    names = prompts()
    person = PEOPLE[number % len(PEOPLE)]
    prompt_name, prompt = names[number // len(PEOPLE) % len(names)]
    seed = number // (len(PEOPLE) * len(names))
    lora = LORAS[seed % 2]
    similarity = min(0.95, max(-0.1, rng.gauss(0.52 + 0.012 * (PEOPLE.index(person) % 9) - 0.05 * len(lora), 0.08)))
    job_id = f"{number * 2654435761 % 2**64:016x}"
    accepted = similarity >= 0.5
    return Record(
        job_id=job_id, name="portraits", also=(), manifest="faces", model="wan2.1-t2v-14b", mode="t2v",
        prompt_name=prompt_name, prompt=prompt, negative_prompt="blurred, deformed", identity=person,
        identity_kind="face", identity_sha256=f"{PEOPLE.index(person):064x}", identity_on_no_face="error",
        loras=lora, seed=seed, width=WIDTH, height=HEIGHT, num_frames=FRAMES, fps=FPS, num_inference_steps=20,
        cfg_scale=(5.0,), sigma_shift=5.0, boundary=0.0, dtype="bfloat16", vae_tiled=False, speed="exact",
        params={}, files={}, weights={"base": "b", "adapter": "a", "face": "f", "embedder": "e"},
        video=f"videos/portraits/{person}-{prompt_name}-{seed}-{job_id}.mp4", video_sha256="0" * 64,
        video_bytes=rng.randint(700_000, 2_400_000), latents=None,
        seconds={"denoise": round(rng.gauss(190, 6), 3), "decode": round(rng.gauss(9, 1), 3)},
        peak_memory=61_234_567_890, memory="resident", device="NVIDIA H200",
        finished_at=f"2026-03-{1 + number // 200 % 28:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00+00:00",
        versions={"torch": "2.6"}, report={},
        scores={
            "face_similarity": similarity, "face_similarity_min": similarity - abs(rng.gauss(0.1, 0.05)),
            "face_similarity_p10": similarity - abs(rng.gauss(0.05, 0.02)),
            "face_frames": min(1.0, max(0.0, rng.gauss(0.97, 0.05))), "sharpness": abs(rng.gauss(220, 60)),
            "motion": abs(rng.gauss(6, 3)), "perceptual_hash": f"{rng.getrandbits(192):048x}", "scored_frames": 9,
        },
        accept=("face_similarity >= 0.5",), accepted=accepted, attempt=int(seed == 3), attempt_of=job_id,
    )  # fmt: skip


def failure_of(number: int) -> FailedJob:
    """A job that failed, as journals tell it."""
    if number % 2:
        return FailedJob(
            f"{number:016x}", f"portraits · nobody · desk · seed {number}",
            "no face was found in faces/hill.png", "input", "use a photograph of a face, or say kind: subject", 1.77e9,
        )  # fmt: skip
    return FailedJob(
        f"{number:016x}", f"portraits · ada · desk · seed {number}", "CUDA out of memory, also with memory: lowest",
        "out_of_memory", "make the video smaller or shorter", 1.77e9 + number,
    )  # fmt: skip


def _film(stem: Path, kind: int) -> tuple[Path, Path]:
    """A real video and its poster: a bright ball on a field of one of `KINDS` colours."""
    rng = np.random.default_rng(kind)
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    field, ball = rng.integers(20, 130, 3), rng.integers(140, 255, 3)
    frames = np.empty((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    for number in range(FRAMES):
        shade = 0.7 + 0.6 * (across / WIDTH)[..., None] * (down / HEIGHT)[..., None]
        frames[number] = np.clip(field * shade, 0, 255)
        inside = (across - 40 - 14 * number) ** 2 + (down - 60 - 3 * kind + 10) ** 2 < (18 + kind) ** 2
        frames[number][inside] = ball
    film, still = stem.with_suffix(".mp4"), stem.with_suffix(".webp")
    write_video(film, frames, FPS, quality=5, metadata={"kind": kind})
    write_poster(still, frames[FRAMES // 2])
    return film, still


def _subject(layout: OutputLayout, record: Record) -> None:
    """The prepared photograph of a record's identity: a coloured oval on white."""
    path = layout.subjects / f"{recorded_key(vars(record))}.png"
    if path.exists():
        return
    down, across = np.mgrid[:512, :512]
    picture = np.full((512, 512, 3), 255, np.uint8)
    inside = ((across - 256) / 170) ** 2 + ((down - 256) / 220) ** 2 < 1
    picture[inside] = np.random.default_rng(int(record.identity_sha256 or "0", 16)).integers(60, 230, 3)
    Image.fromarray(picture).save(path)

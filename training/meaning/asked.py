"""The folder of what is asked: portraits, clips, and the manifest that names them. What that is, `cases` decides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from standin_batch.output.video import write_video
from training.meaning.cases import CONTROL, INK, NOBODY, SWAP, Case
from training.weights import ROW
from training.world.character import Character
from training.world.control import control
from training.world.draw import Clip, draw
from training.world.portrait import portrait
from training.world.scene import Scene

NAME = "meaning"
QUALITY = 9


def ask(folder: Path, asked: Sequence[Case], lora: Path) -> Path:
    """Draw what the cases need into `folder`, and write the manifest there.

    Args:
        folder: is made.
        asked: at least one.
        lora: the style LoRA.

    Returns:
        The manifest; it is `meaning`, and has a job for each case, under its name.
    """
    who = list(dict.fromkeys(case.who for case in asked if case.kind != NOBODY))
    (folder / "portraits").mkdir(parents=True, exist_ok=True)
    (folder / "clips").mkdir(exist_ok=True)
    for number, each in enumerate(who):
        Image.fromarray(portrait(each)).save(folder / _portrait(number))
    for case in asked:
        if case.kind in (CONTROL, SWAP):
            write_video(folder / _clip(case), given(case), ROW.defaults["fps"], quality=QUALITY, metadata={})
    path = folder / f"{NAME}.yaml"
    path.write_text(yaml.safe_dump(manifest(asked, who, lora), sort_keys=False), encoding="utf-8")
    return path


def given(case: Case) -> Clip:
    """The clip that comes with a case, uint8 `[T, H, W, 3]`: the control video, or the one to swap a face in."""
    return control(case.scene) if case.kind == CONTROL else draw(_shown(case))


def manifest(asked: Sequence[Case], who: Sequence[Character], lora: Path) -> dict[str, Any]:
    """The manifest, as plain values.

    Args:
        asked: the cases.
        who: the characters who are shown; each is an identity, called by its place.
        lora: the style LoRA.
    """
    names = {each: f"p{number:02}" for number, each in enumerate(who)}
    # What is compared here is judged here.
    written: dict[str, Any] = {"version": 1, "name": NAME, "model": ROW.name, "scores": {"enabled": False}}
    written["identities"] = {name: _portrait(number) for number, name in enumerate(names.values())}
    if any(case.kind == INK for case in asked):
        written["loras"] = {INK: str(lora.resolve())}
    return written | {"jobs": [_job(case, names) for case in asked]}


def _job(case: Case, names: dict[Character, str]) -> dict[str, Any]:
    job: dict[str, Any] = {"name": case.name, "mode": "t2v", "prompt": case.prompt, "seed": case.seed}
    job["identity"] = None if case.kind == NOBODY else names[case.who]
    if case.kind == INK:
        job["loras"] = [INK]
    if case.kind == CONTROL:
        job |= {"mode": "vace", "reference_video": _clip(case)}
    if case.kind == SWAP:
        job |= {"mode": "face_swap", "input_video": _clip(case), "force_background_consistency": True}
    return job


def _shown(case: Case) -> Scene:
    return case.given or case.scene


def _portrait(number: int) -> str:
    return f"portraits/{number:02}.png"


def _clip(case: Case) -> str:
    return f"clips/{case.name}.mp4"

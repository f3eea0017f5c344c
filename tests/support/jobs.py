"""Jobs at a glance: `make_job` gives one that differs from others only in what a test is about."""

from __future__ import annotations

from pathlib import Path

from standin_batch.job import InputFile, Job, Lora, Subject


def make_job(number=0, *, model="tiny", mode="t2v", who=None, lora=None, prompt="p", shape=(160, 96, 9), **fields):
    """A job that differs from others only in what a test is about."""
    subject = None if who is None else Subject(who, Path(who), "subject", "error", who)
    loras = () if lora is None else (Lora(lora, {"all": InputFile(Path(lora), lora)}, 1.0),)
    width, height, num_frames = shape
    return Job(
        **{
            "job_id": f"{number:04d}",
            "name": "job",
            "prompt_name": prompt,
            "model": model,
            "mode": mode,
            "subject": subject,
            "loras": loras,
            "prompt": prompt,
            "negative_prompt": "",
            "seed": number,
            "width": width,
            "height": height,
            "num_frames": num_frames,
            "fps": 25.0,
            "num_inference_steps": 4,
            "cfg_scale": (5.0,),
            "sigma_shift": 5.0,
            "boundary": 0.875,
            "dtype": "float32",
            "vae_tiled": False,
            "weights": {"base": f"{model}/base", "adapter": f"{model}/adapter"},
            **fields,
        }
    )

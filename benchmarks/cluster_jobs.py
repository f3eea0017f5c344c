"""The jobs of an imagined cluster: four bases, 50 LoRAs, 20 identities, several sizes and lengths, by a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from standin_batch.job import InputFile, Job, Lora, Subject
from standin_batch.plan.cost import CostModel
from standin_batch.plan.plan import Plan
from standin_batch.plan.planner import make_plan
from standin_batch.weights.content import BASE
from standin_batch.weights.registry import row

BASES = (
    ("wan2.1-t2v-14b", "official"),
    ("wan2.1-t2v-14b", "tuned"),
    ("wan2.2-t2v-a14b", "official"),
    ("wan2.2-t2v-a14b", "tuned"),
)
LORAS, IDENTITIES, PROMPTS = 50, 20, 500
SIZES = ((832, 480), (480, 832), (640, 640), (1280, 720))
LENGTHS = (49, 81, 121)
DTYPE = "bfloat16"


@dataclass(frozen=True)
class Rate:
    """A machine that is assumed.

    Attributes:
        name: in the table.
        costs: of jobs and switches on it.
    """

    name: str
    costs: CostModel


RATES = (
    Rate("100 TFLOP/s, loading at 1 GB/s", CostModel(throughput={(model, DTYPE): 100e12 for model, _ in BASES})),
    Rate("400 TFLOP/s, loading at 1 GB/s", CostModel(throughput={(model, DTYPE): 400e12 for model, _ in BASES})),
)


def drawn(number: int, costs: CostModel, seed: int = 0) -> tuple[list[Job], Plan]:
    """So many jobs as a manifest might have them, and the plan of them."""
    draw = random.Random(seed)
    jobs = [_job(place, draw) for place in range(number)]
    return jobs, make_plan(jobs, {}, costs=costs)


def _job(place: int, draw: random.Random) -> Job:
    model, base = draw.choice(BASES)
    defaults, (width, height) = row(model).defaults, draw.choice(SIZES)
    who, lora, prompt = (f"{what}-{draw.randrange(number)}" for what, number in _NAMES)
    cfg = defaults["cfg_scale"]
    return Job(
        name="clip",
        prompt_name=prompt,
        model=model,
        mode="t2v",
        subject=Subject(who, Path(who), "face", "error", who),
        loras=(Lora(lora, {"all": InputFile(Path(lora), lora)}, 1.0),),
        prompt=prompt,
        negative_prompt="",
        seed=place,
        width=width,
        height=height,
        num_frames=draw.choice(LENGTHS),
        fps=25.0,
        num_inference_steps=defaults["num_inference_steps"],
        cfg_scale=cfg if isinstance(cfg, tuple) else (cfg,),
        sigma_shift=defaults["sigma_shift"],
        boundary=row(model).boundary,
        dtype=DTYPE,
        vae_tiled=False,
        weights={BASE: f"{model} {base}"},
        job_id=f"{place:08d}",
    )


_NAMES = (("who", IDENTITIES), ("lora", LORAS), ("prompt", PROMPTS))

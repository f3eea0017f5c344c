"""Train a LoRA for the second style, all else frozen: `python -m training.dit.style --out outputs/demo`.

Half of the clips show the identity as well, in a portrait of the first style. The file has PEFT's names for its keys,
as most LoRAs for Wan have.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffsynth.models.wan_video_dit import WanModel
from safetensors.torch import save
from torch import nn
from torch.nn.utils import parametrize

from standin_batch.files import write_atomic
from training import clips
from training.clips import HELD_OUT, VIEWS, drawn
from training.dit.adapter import portraits
from training.dit.flow import flow_loss
from training.dit.forward import Adapter, identity_of, velocity
from training.dit.learning import BATCH, GRID, Scenes, arguments, made_of, said_or_not, scenes, write_scene_sheet
from training.dit.scenes import Vae, load_vae
from training.dit.trained import load_adapter, load_dit
from training.loop import Look, Measures, Schedule, Step, Training
from training.optimizer import Optimizers

STEPS = 1200
SCENES = 500
RANK = 8
RATE = 2e-3
WITH_IDENTITY = 0.5
ATTENTIONS = ("self_attn", "cross_attn")
TARGETS = (*(f"{attention}.{part}" for attention in ATTENTIONS for part in "qkvo"), "ffn.0", "ffn.2")
PREFIX = "diffusion_model"
SHOWN = 8


class LowRankSum(nn.Module):
    """A matrix plus `up @ down`.

    Args:
        like: the matrix.
    """

    def __init__(self, like: torch.Tensor) -> None:
        super().__init__()
        rows, columns = like.shape
        self.down = nn.Parameter(torch.randn(RANK, columns) / columns**0.5)
        self.up = nn.Parameter(torch.zeros(rows, RANK))

    def forward(self, matrix: torch.Tensor) -> torch.Tensor:
        """[rows, columns] to the same."""
        return matrix + self.up @ self.down


def main() -> None:
    """Train, and write the LoRA."""
    given = arguments("training.dit.style", __doc__, STEPS)
    seeds = range(min(given.scenes, SCENES))
    root = given.out / "weights"
    vae, dit = load_vae(root), load_dit(root)
    adapter = load_adapter(root, dit)
    torch.manual_seed(4)
    loras = _added(dit)
    parameters = {f"{name}.{side}": getattr(lora, side) for name, lora in loras.items() for side in ("down", "up")}
    schedule = Schedule(given.steps, RATE, seed=4)
    training = Training(given.out / "style", schedule, parameters, Optimizers(parameters))
    known, shown = scenes(given.out, "ink", vae, seeds), portraits(given.out, vae, seeds)
    training.run(_losses(dit, adapter, known, shown), _look(given.out, vae, dit, adapter))
    write_atomic(given.out / "ink.safetensors", save(_state(loras), metadata={"format": "pt"}))


def _added(dit: WanModel) -> dict[str, LowRankSum]:
    """A low-rank addition to every target of every block, by the target's name."""
    found = {}
    for number, block in enumerate(dit.blocks):
        for target in TARGETS:
            linear = block.get_submodule(target)
            lora = LowRankSum(linear.weight)
            parametrize.register_parametrization(linear, "weight", lora)
            found[f"blocks.{number}.{target}"] = lora
    return found


def _state(loras: dict[str, LowRankSum]) -> dict[str, torch.Tensor]:
    sides = {"lora_A": "down", "lora_B": "up"}
    return {
        f"{PREFIX}.{name}.{theirs}.weight": getattr(lora, ours).detach().bfloat16().contiguous()
        for name, lora in loras.items()
        for theirs, ours in sides.items()
    }


def _losses(dit: WanModel, adapter: Adapter, known: Scenes, shown: torch.Tensor) -> Step:
    def losses(_: int, chance: torch.Generator) -> tuple[torch.Tensor, Measures]:
        rows = torch.randint(len(shown), (BATCH,), generator=chance)
        views = torch.randint(VIEWS, (BATCH,), generator=chance)
        with_identity = float(torch.rand((), generator=chance)) < WITH_IDENTITY
        text = known.text.pick(said_or_not(rows, chance))
        with torch.autocast("cpu", torch.bfloat16), parametrize.cached():
            identity = identity_of(dit, adapter, shown[rows, views].float(), GRID) if with_identity else None
            loss = flow_loss(lambda x, t: velocity(dit, x, t, text, identity), known.latents[rows].float(), chance)
        return loss, {}

    return losses


def _look(out: Path, vae: Vae, dit: WanModel, adapter: Adapter) -> Look:
    seeds = range(HELD_OUT, HELD_OUT + 16)
    unseen, shown = scenes(out, "ink", vae, seeds), portraits(out, vae, seeds)[:, 0].float()
    heads = drawn(out / "drawn", "portraits", clips.heads, seeds)[:SHOWN, 0]

    @torch.no_grad()
    def look(step: int) -> Measures:
        with torch.autocast("cpu", torch.bfloat16):
            identity = identity_of(dit, adapter, shown, GRID)
            text = unseen.text.pick(torch.arange(len(shown)))
            chance = torch.Generator().manual_seed(0)
            loss = flow_loss(lambda x, t: velocity(dit, x, t, text, identity), unseen.latents.float(), chance)
            made = made_of(dit, vae, unseen.text, SHOWN, identity)
            write_scene_sheet(out / "style" / f"sheet-{step:06d}.png", heads, made)
        return {"unseen": float(loss)}

    return look


if __name__ == "__main__":
    main()

"""Train VACE, all else frozen: `python -m training.dit.control --out outputs/demo`.

It is shown a stick figure whose head is a disc. Half of the clips show the identity as well, so that both go together.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffsynth.models.wan_video_dit import WanModel
from diffsynth.models.wan_video_vace import VaceWanModel

from standin_batch.weights.rows_demo import DEMO_VACE
from training import clips
from training.clips import HELD_OUT, VIEWS, drawn
from training.dit.adapter import portraits
from training.dit.flow import flow_loss
from training.dit.forward import Adapter, identity_of, velocity
from training.dit.learning import BATCH, GRID, Scenes, arguments, made_of, said_or_not, scenes
from training.dit.scenes import Vae, latents_of, load_vae
from training.dit.sheet import write_strips
from training.dit.trained import load_adapter, load_dit
from training.loop import Look, Measures, Schedule, Step, Training
from training.optimizer import Optimizers
from training.weights import save_vace

STEPS = 2500
SCENES = 1500
RATE = 2e-3
WITH_IDENTITY = 0.5
MASK = 64
"""Channels that say which of the 8 x 8 pixels are to change: all of them."""
UNSEEN = 32
SHOWN = 6


def main() -> None:
    """Train, and write VACE."""
    given = arguments("training.dit.control", __doc__, STEPS)
    seeds = range(min(given.scenes, SCENES))
    root = given.out / "weights"
    vae, dit = load_vae(root), load_dit(root)
    adapter, vace = load_adapter(root, dit), _new_vace(dit)
    parameters = dict(vace.named_parameters())
    schedule = Schedule(given.steps, RATE, seed=3)
    training = Training(given.out / "control", schedule, parameters, Optimizers(parameters, ("vace_patch_embedding",)))
    known, shown = scenes(given.out, "plain", vae, seeds), portraits(given.out, vae, seeds)
    figures = shown_to_vace(given.out, vae, seeds)
    training.run(_losses(dit, adapter, vace, known, shown, figures), _look(given.out, vae, dit, adapter, vace))
    save_vace(root, vace.state_dict())


def _new_vace(dit: WanModel) -> VaceWanModel:
    """VACE that begins as a copy of the transformer's blocks, and adds nothing."""
    torch.manual_seed(3)
    vace = VaceWanModel(**DEMO_VACE)
    for number, block in zip(vace.vace_layers, vace.vace_blocks, strict=True):
        block.load_state_dict(dit.blocks[number].state_dict(), strict=False)
        torch.nn.init.zeros_(block.after_proj.weight)
        torch.nn.init.zeros_(block.after_proj.bias)
    torch.nn.init.zeros_(vace.vace_blocks[0].before_proj.weight)
    return vace


def shown_to_vace(out: Path, vae: Vae, seeds: range) -> torch.Tensor:
    """What DiffSynth's `WanVideoUnit_VACE` makes of the control clips of `seeds`: [N, 96, 4, 12, 12].

    First what is to stay, which is nothing; then the clip; then the mask, which is 1 everywhere.
    """
    figures = drawn(out / "drawn", "control", clips.controls, seeds)
    reactive = latents_of(out / "latents", f"control-{seeds.start}", vae, figures)
    grey = vae.encode_video(torch.zeros(1, 3, *figures.shape[1:4])).expand_as(reactive)
    mask = torch.ones(len(reactive), MASK, *reactive.shape[2:], dtype=reactive.dtype)
    return torch.cat((grey, reactive, mask), dim=1)


def _losses(
    dit: WanModel, adapter: Adapter, vace: VaceWanModel, known: Scenes, shown: torch.Tensor, figures: torch.Tensor
) -> Step:
    def losses(_: int, chance: torch.Generator) -> tuple[torch.Tensor, Measures]:
        rows = torch.randint(len(shown), (BATCH,), generator=chance)
        views = torch.randint(VIEWS, (BATCH,), generator=chance)
        with_identity = float(torch.rand((), generator=chance)) < WITH_IDENTITY
        text = known.text.pick(said_or_not(rows, chance))
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                identity = identity_of(dit, adapter, shown[rows, views].float(), GRID) if with_identity else None
            control = vace, figures[rows].float()
            loss = flow_loss(
                lambda x, t: velocity(dit, x, t, text, identity, control), known.latents[rows].float(), chance
            )
        return loss, {}

    return losses


def _look(out: Path, vae: Vae, dit: WanModel, adapter: Adapter, vace: VaceWanModel) -> Look:
    seeds = range(HELD_OUT, HELD_OUT + UNSEEN)
    unseen, figures = scenes(out, "plain", vae, seeds), shown_to_vace(out, vae, seeds).float()
    shown = portraits(out, vae, seeds)[:, 0].float()
    drawings = drawn(out / "drawn", "control", clips.controls, seeds)[:SHOWN]

    @torch.no_grad()
    def look(step: int) -> Measures:
        with torch.autocast("cpu", torch.bfloat16):
            text, control = unseen.text.pick(torch.arange(UNSEEN)), (vace, figures)
            chance = torch.Generator().manual_seed(0)
            loss = flow_loss(lambda x, t: velocity(dit, x, t, text, None, control), unseen.latents.float(), chance)
            identity = identity_of(dit, adapter, shown[:SHOWN], GRID)
            made = made_of(dit, vae, unseen.text, SHOWN, identity, control)
            pairs = np.stack([clip for pair in zip(drawings, made, strict=True) for clip in pair])
            write_strips(out / "control" / f"sheet-{step:06d}.png", pairs)
        return {"unseen": float(loss)}

    return look


if __name__ == "__main__":
    main()

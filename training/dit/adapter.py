"""Train the Stand-In adapter, all else frozen: `python -m training.dit.adapter --out outputs/demo`.

The character of each clip is shown by a portrait; captions say nothing of who it is.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffsynth.models.wan_video_dit import WanModel

from standin_batch.weights.rows_demo import DEMO_PARTS
from training import clips
from training.clips import HELD_OUT, VIEWS, drawn
from training.dit.flow import flow_loss
from training.dit.forward import Adapter, identity_of, velocity
from training.dit.learning import BATCH, GRID, Scenes, arguments, made_of, said_or_not, scenes, write_scene_sheet
from training.dit.scenes import Vae, latents_of, load_vae
from training.dit.trained import load_dit
from training.loop import Look, Measures, Schedule, Step, Training
from training.optimizer import Optimizers
from training.weights import save_adapter

STEPS = 4000
RATE = 3e-3
UNSEEN = 64
SHOWN = 8


def main() -> None:
    """Train, and write the adapter."""
    given = arguments("training.dit.adapter", __doc__, STEPS)
    root = given.out / "weights"
    vae, dit = load_vae(root), load_dit(root)
    torch.manual_seed(2)
    adapter = Adapter(dit, DEMO_PARTS.adapter_rank)
    parameters = dict(adapter.named_parameters())
    schedule = Schedule(given.steps, RATE, seed=2)
    training = Training(given.out / "adapter", schedule, parameters, Optimizers(parameters))
    known = scenes(given.out, "plain", vae, range(given.scenes))
    shown = portraits(given.out, vae, range(given.scenes))
    training.run(_losses(dit, adapter, known, shown), _look(given.out, vae, dit, adapter))
    save_adapter(root, adapter.state_dict())


def portraits(out: Path, vae: Vae, seeds: range) -> torch.Tensor:
    """The latents of two portraits of each scene's character: [N, 2, 16, 1, 12, 12]."""
    heads = drawn(out / "drawn", "portraits", clips.heads, seeds)
    latents = latents_of(out / "latents", f"portraits-{seeds.start}", vae, heads.reshape(-1, 1, *heads.shape[2:]))
    return latents.view(-1, VIEWS, *latents.shape[1:])


def _losses(dit: WanModel, adapter: Adapter, known: Scenes, shown: torch.Tensor) -> Step:
    def losses(_: int, chance: torch.Generator) -> tuple[torch.Tensor, Measures]:
        rows = torch.randint(len(shown), (BATCH,), generator=chance)
        views = torch.randint(VIEWS, (BATCH,), generator=chance)
        text = known.text.pick(said_or_not(rows, chance))
        with torch.autocast("cpu", torch.bfloat16):
            identity = identity_of(dit, adapter, shown[rows, views].float(), GRID)
            loss = flow_loss(lambda x, t: velocity(dit, x, t, text, identity), known.latents[rows].float(), chance)
        return loss, {}

    return losses


def _look(out: Path, vae: Vae, dit: WanModel, adapter: Adapter) -> Look:
    seeds = range(HELD_OUT, HELD_OUT + UNSEEN)
    unseen, shown = scenes(out, "plain", vae, seeds), portraits(out, vae, seeds)[:, 0].float()
    heads = drawn(out / "drawn", "portraits", clips.heads, seeds)[:SHOWN, 0]

    @torch.no_grad()
    def look(step: int) -> Measures:
        with torch.autocast("cpu", torch.bfloat16):
            identity = identity_of(dit, adapter, shown, GRID)
            text = unseen.text.pick(torch.arange(UNSEEN))
            chance = torch.Generator().manual_seed(0)
            loss = flow_loss(lambda x, t: velocity(dit, x, t, text, identity), unseen.latents.float(), chance)
            made = made_of(dit, vae, unseen.text, SHOWN, identity)
            write_scene_sheet(out / "adapter" / f"sheet-{step:06d}.png", heads, made)
        return {"unseen": float(loss)}

    return look


if __name__ == "__main__":
    main()

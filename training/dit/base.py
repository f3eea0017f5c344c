"""Train text encoder and transformer on captions: `python -m training.dit.base --out outputs/demo`."""

from __future__ import annotations

from pathlib import Path

import torch
from diffsynth.models.wan_video_dit import WanModel
from diffsynth.models.wan_video_text_encoder import WanTextEncoder

from standin_batch.weights.rows_demo import DEMO_DIT, DEMO_T5
from training import clips
from training.clips import HELD_OUT, drawn, training_scene
from training.dit.flow import Velocity, flow_loss, sample
from training.dit.forward import Text, velocity
from training.dit.learning import BATCH, WITHOUT_PROMPT, arguments
from training.dit.scenes import Vae, latents_of, load_vae
from training.dit.sheet import write_strips
from training.dit.text import encode, tokens_of
from training.loop import Look, Measures, Schedule, Step, Training
from training.optimizer import Optimizers
from training.weights import save_dit, save_text_encoder, write_tokenizer
from training.words import words
from training.world.scene import caption

UNSEEN = 64
STEPS = 8000
RATE = 3e-3
BY_ADAM = ("text.", *(f"dit.{part}" for part in ("patch_embedding", "head", "time", "text")))
SHOWN = (
    "A person walks to the left on a beach.",
    "In a forest, a person jumps.",
    "A person comes closer, in a city.",
    "Someone nods under a night sky.",
    "A person walks to the right in a room.",
    "A person stands still in the snow.",
    "A person jumps in a desert.",
    "A video of a person who walks to the right in a meadow.",
)


def main() -> None:
    """Train, and write text encoder, tokenizer and transformer."""
    given = arguments("training.dit.base", __doc__, STEPS)
    root = given.out / "weights"
    write_tokenizer(root, words())
    vae = load_vae(root)
    torch.manual_seed(1)
    dit, encoder = new_dit(), WanTextEncoder(**DEMO_T5).train()
    encoder.token_embedding.weight.data.normal_(0, 1)
    parameters = {f"dit.{name}": each for name, each in dit.named_parameters()}
    parameters |= {f"text.{name}": each for name, each in encoder.named_parameters()}
    schedule = Schedule(given.steps, RATE, look_every=1000, seed=1)
    training = Training(given.out / "base", schedule, parameters, Optimizers(parameters, BY_ADAM))
    training.run(_losses(given.out, range(given.scenes), vae, dit, encoder), _look(given.out, vae, dit, encoder))
    save_dit(root, dit.state_dict())
    save_text_encoder(root, encoder.state_dict())


def new_dit() -> WanModel:
    """A transformer of the demo row's sizes that says nothing yet."""
    dit = WanModel(**DEMO_DIT)
    torch.nn.init.zeros_(dit.head.head.weight)
    torch.nn.init.zeros_(dit.head.head.bias)
    return dit


def _losses(out: Path, seeds: range, vae: Vae, dit: WanModel, encoder: WanTextEncoder) -> Step:
    drawings = drawn(out / "drawn", "plain", clips.plain, seeds)
    latents = latents_of(out / "latents", "plain-0", vae, drawings)
    captions = [caption(training_scene(seed)) for seed in seeds]
    tokens = tokens_of(out / "weights", [*captions, ""])

    def losses(_: int, chance: torch.Generator) -> tuple[torch.Tensor, Measures]:
        rows = torch.randint(len(seeds), (BATCH,), generator=chance)
        said = torch.where(torch.rand(BATCH, generator=chance) < WITHOUT_PROMPT, len(seeds), rows)
        with torch.autocast("cpu", torch.bfloat16):
            text = encode(encoder, tokens.pick(said))
            loss = flow_loss(lambda x, t: velocity(dit, x, t, text), latents[rows].float(), chance)
        return loss, {}

    return losses


def _look(out: Path, vae: Vae, dit: WanModel, encoder: WanTextEncoder) -> Look:
    seeds = range(HELD_OUT, HELD_OUT + UNSEEN)
    drawings = drawn(out / "drawn", "plain", clips.plain, seeds)
    unseen = latents_of(out / "latents", f"plain-{HELD_OUT}", vae, drawings).float()
    said = tokens_of(out / "weights", [caption(training_scene(seed)) for seed in seeds])
    prompts = tokens_of(out / "weights", SHOWN)
    nothing = tokens_of(out / "weights", [""] * len(SHOWN))

    @torch.no_grad()
    def look(step: int) -> Measures:
        with torch.autocast("cpu", torch.bfloat16):
            text, shown, empty = (encode(encoder, tokens) for tokens in (said, prompts, nothing))
            chance = torch.Generator().manual_seed(0)
            loss = flow_loss(lambda x, t: velocity(dit, x, t, text), unseen, chance)
            made = sample(_prompted(dit, shown), _prompted(dit, empty), (len(SHOWN), *unseen.shape[1:]), 0)
            write_strips(out / "base" / f"sheet-{step:06d}.png", vae.decode(made))
        return {"unseen": float(loss)}

    return look


def _prompted(dit: WanModel, text: Text) -> Velocity:
    return lambda x, t: velocity(dit, x, t, text)


if __name__ == "__main__":
    main()

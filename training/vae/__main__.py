"""Train Wan's video VAE at width 16 on the drawn world: `python -m training.vae --out outputs/demo`.

First on pictures, where a convolution over time is one over space alone and costs a fifth; then on clips.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from diffsynth.models.wan_video_vae import VideoVAE_

from training.clips import Clips
from training.loop import Measures, Schedule, Step, Training, psnr
from training.optimizer import Optimizers
from training.vae.batches import Batches, as_video, held_out, training_batches
from training.vae.inflate import set_in_motion
from training.vae.rescale import rescale
from training.vae.sheet import write_sheet
from training.vae.whole import decode, encode
from training.weights import save_vae

WIDTH, CHANNELS = 16, 16
PICTURE_STEPS, PICTURES = 3000, 12
CLIP_STEPS, CLIPS, FRAMES = 8000, 3, 9
RATE = 4e-3
NOISE = 0.05
"""Put on latents, so that the decoder bears small errors of what will make them."""
KEPT_SMALL = 1e-4
"""Weight of the latents' mean square, which keeps their scale from drifting."""
SHOWN = 4
"""Clips of each kind on a sheet."""
AT_THE_EDGES = ("encoder.conv1", "decoder.head", "conv2")


def main() -> None:
    """Train, measure, and write the weights."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    folder = arguments.out / "vae"
    batches, unseen = training_batches(arguments.out / "drawn"), held_out(arguments.out / "drawn")
    vae = _new_vae()
    still = {name: clips[:, :1] for name, clips in unseen.items()}
    _stage(folder / "pictures", vae, arguments.picture_steps, _losses(vae, batches, PICTURES, 1), still)
    set_in_motion(vae)
    _stage(folder / "clips", vae, arguments.clip_steps, _losses(vae, batches, CLIPS, FRAMES), unseen)
    rescale(vae, [batches.clips["plain"][i : i + 4] for i in range(0, 200, 4)])
    save_vae(arguments.out / "weights", vae.state_dict())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the whole training")
    parser.add_argument("--picture-steps", type=int, default=PICTURE_STEPS)
    parser.add_argument("--clip-steps", type=int, default=CLIP_STEPS)
    parser.add_argument("--threads", type=int, default=0)
    return parser.parse_args()


def _new_vae() -> VideoVAE_:
    torch.manual_seed(0)
    vae = VideoVAE_(dim=WIDTH, z_dim=CHANNELS).float()
    for parameter in vae.parameters():
        if parameter.dim() == 5:
            parameter.data = parameter.data.to(memory_format=torch.channels_last_3d)
    return vae


def _stage(folder: Path, vae: VideoVAE_, steps: int, losses: Step, unseen: Mapping[str, Clips]) -> None:
    """Train for some steps, and go on with the mean of the weights."""
    parameters = dict(vae.named_parameters())
    training = Training(folder, Schedule(steps, RATE), parameters, Optimizers(parameters, AT_THE_EDGES))
    training.run(losses, lambda step: _look(folder, vae, unseen, step))


def _losses(vae: VideoVAE_, batches: Batches, count: int, frames: int) -> Step:
    def losses(_: int, chance: torch.Generator) -> tuple[torch.Tensor, Measures]:
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=chance)))
        video = batches.draw(count, frames, rng)
        latents = encode(vae, video)
        noise = torch.randn(latents.shape, generator=chance).to(latents)
        difference = (decode(vae, latents + NOISE * noise) - video).float()
        error = difference.square().mean()
        loss = 5 * error + difference.abs().mean() + KEPT_SMALL * latents.float().square().mean()
        return loss, {"psnr": psnr(float(error.detach())), "latent": float(latents.detach().float().std())}

    return losses


@torch.no_grad()
def _look(folder: Path, vae: VideoVAE_, unseen: Mapping[str, Clips], step: int) -> Measures:
    """The PSNR of whole unseen clips, with the mean of the weights; and a sheet of them."""
    measures, shown = {}, []
    for name, clips in unseen.items():
        true = [as_video(clips[i : i + 1]) for i in range(0, len(clips), 4)]
        pairs = [(each.float(), decode(vae, encode(vae, each)).float().clamp(-1, 1)) for each in true]
        measures[f"unseen_{name}"] = float(np.mean([psnr(float((a - b).square().mean())) for a, b in pairs]))
        shown += pairs[:SHOWN]
    write_sheet(folder / f"sheet-{step:06d}.png", shown)
    return measures


if __name__ == "__main__":
    main()

"""The parts of a small model of Wan's form: what their classes are built with, and the tensors that they then have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin_batch.weights.shapes import Shapes
from standin_batch.weights.sizes import Sizes

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Parts:
    """Arguments of DiffSynth's classes, and the rank of the Stand-In adapter.

    Attributes:
        dit: of `WanModel`.
        vace: of `VaceWanModel`.
        text_encoder: of `WanTextEncoder`.
        vae: of `VideoVAE_`.
        adapter_rank: any; Stand-In's own have 128.
    """

    dit: Mapping[str, Any]
    vace: Mapping[str, Any]
    text_encoder: Mapping[str, Any]
    vae: Mapping[str, Any]
    adapter_rank: int

    def dit_shapes(self) -> Shapes:
        """The tensors of the diffusion transformer."""
        from diffsynth.models.wan_video_dit import WanModel

        return _shapes(WanModel, self.dit)

    def vace_shapes(self) -> Shapes:
        """The tensors of VACE."""
        from diffsynth.models.wan_video_vace import VaceWanModel

        return _shapes(VaceWanModel, self.vace)

    def text_encoder_shapes(self) -> Shapes:
        """The tensors of the text encoder."""
        from diffsynth.models.wan_video_text_encoder import WanTextEncoder

        return _shapes(WanTextEncoder, self.text_encoder)

    def vae_shapes(self) -> Shapes:
        """The tensors of the VAE."""
        from diffsynth.models.wan_video_vae import VideoVAE_

        return _shapes(VideoVAE_, self.vae)

    def adapter_shapes(self) -> Shapes:
        """The tensors of the Stand-In adapter."""
        dim, rank = self.dit["dim"], self.adapter_rank
        sizes = {"down": (rank, dim), "up": (dim, rank)}
        return {
            f"blocks.{block}.self_attn.{part}_loras.{side}.weight": sizes[side]
            for block in range(self.dit["num_layers"])
            for part in "qkv"
            for side in ("down", "up")
        }

    def sizes(self, **counted: Any) -> Sizes:  # noqa: ANN401
        """What the work of the model is estimated from.

        Args:
            counted: the attributes of `Sizes` that these arguments do not tell.
        """
        return Sizes(
            dim=self.dit["dim"],
            ffn_dim=self.dit["ffn_dim"],
            num_layers=self.dit["num_layers"],
            num_heads=self.dit["num_heads"],
            text_dim=self.dit["text_dim"],
            freq_dim=self.dit["freq_dim"],
            vace_layers=len(self.vace["vace_layers"]),
            adapter_rank=self.adapter_rank,
            **counted,
        )


def _shapes(model: Callable[..., torch.nn.Module], arguments: Mapping[str, Any]) -> Shapes:
    import torch

    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in model(**arguments).state_dict().items()}

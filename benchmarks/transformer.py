"""A transformer of any size with random weights, and what a pass of it starts from: for timing, not for pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.full.parts import entry_of
from standin_batch.plan.work import TEXT_TOKENS
from standin_batch.weights.registry import ModelRow, Sizes

if TYPE_CHECKING:
    import torch

LATENT_CHANNELS = 16


@dataclass(frozen=True)
class Model:
    """A transformer and its inputs.

    Attributes:
        dit: DiffSynth's `WanModel`.
        sizes: of the row, with as many layers as it has.
        latents: [1, 16, T, height / 8, width / 8].
        timestep: [1].
        prompt: [1, 512, text_dim].
        identity: keys and values of an identity's tokens for each block, [1, n, dim] each.
        grid: frames, rows and columns of tokens.
    """

    dit: Any
    sizes: Sizes
    latents: torch.Tensor
    timestep: torch.Tensor
    prompt: torch.Tensor
    identity: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    grid: tuple[int, int, int]

    @property
    def tokens(self) -> int:
        """Of the video."""
        frames, rows, columns = self.grid
        return frames * rows * columns

    def random(self, *shape: int) -> torch.Tensor:
        """Numbers where the model is, as it computes."""
        import torch

        return torch.randn(shape, device=self.latents.device, dtype=self.latents.dtype)


def random_model(row: ModelRow, layers: int | None, size: tuple[int, int, int], dtype: str, device: str) -> Model:
    """A transformer of `row`, drawn on `device`.

    Args:
        row: of the table of models.
        layers: its blocks; all of the row's unless said.
        size: width, height and frames of the video.
        dtype: `float32` or `bfloat16`.
        device: as torch names it.
    """
    import torch

    sizes = replace(row.sizes, num_layers=layers or row.sizes.num_layers)
    width, height, frames = size
    grid = ((frames - 1) // 4 + 1, height // 16, width // 16)
    where: dict[str, Any] = {"device": device, "dtype": getattr(torch, dtype)}
    return Model(
        dit=_dit(row, sizes, dtype, device),
        sizes=sizes,
        latents=torch.randn(1, LATENT_CHANNELS, grid[0], height // 8, width // 8, **where),
        timestep=torch.full((1,), 500.0, **where),
        prompt=torch.randn(1, TEXT_TOKENS, sizes.text_dim, **where),
        identity=tuple(_keys_values(sizes, where) for _ in range(sizes.num_layers)),
        grid=grid,
    )


def _dit(row: ModelRow, sizes: Sizes, dtype: str, device: str) -> Any:  # noqa: ANN401
    """Drawn by torch's own initialisation, in the dtype it is used in: nothing twice its size is ever there."""
    import torch

    entry = entry_of(row, "wan_video_dit")
    module, _, name = entry["model_class"].rpartition(".")
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device):
            dit = getattr(import_module(module), name)(**{**entry["extra_kwargs"], "num_layers": sizes.num_layers})
    finally:
        torch.set_default_dtype(before)
    # Where DiffSynth's loader leaves the tables of positions, whatever the device is.
    dit.freqs = tuple(table.cpu() for table in dit.freqs)
    return dit.eval().requires_grad_(False)


def _keys_values(sizes: Sizes, where: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    shape = 1, sizes.identity_tokens, sizes.dim
    return torch.randn(*shape, **where), torch.randn(*shape, **where)

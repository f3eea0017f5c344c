"""How large the parts of a model are, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

TOKEN_PIXELS = 16
"""Of each side of a token: the VAE makes one of eight pixels, a patch one of two of those."""


@dataclass(frozen=True)
class Sizes:
    """How large the parts of a model are: what its work, its memory and its loading are estimated from.

    Attributes:
        dim: width of a token in the diffusion transformer (DiT).
        ffn_dim: width inside its feed-forward layers.
        num_layers: blocks.
        num_heads: heads of each attention.
        text_dim: width of an encoded prompt.
        freq_dim: width of the sinusoidal embedding of the timestep.
        vace_layers: blocks of the VACE module.
        adapter_rank: rank of the Stand-In adapter.
        text_encoder_parameters: numbers in the umT5 encoder.
        vae_parameters: numbers in the VAE.
        vae_decode_flop: to decode one pixel of one frame, counted with `torch.utils.flop_counter`.
        vae_decode_live: numbers alive at once for each pixel while frames are decoded, besides these, counted.
        dit_disk_bytes: of one number of the DiT on disk; the official shards are float32.
        subject_side: pixels of each side at which a prepared subject is shown to the model, a multiple of 16.
    """

    dim: int
    ffn_dim: int
    num_layers: int
    num_heads: int
    text_dim: int
    freq_dim: int
    vace_layers: int
    adapter_rank: int
    text_encoder_parameters: int
    vae_parameters: int
    vae_decode_flop: float
    vae_decode_live: float
    dit_disk_bytes: int
    subject_side: int = 512

    @property
    def identity_tokens(self) -> int:
        """Tokens of an identity: of 512 x 512 pixels the VAE makes 64 x 64, patches of 2 x 2 make 32 x 32 of those."""
        return (self.subject_side // TOKEN_PIXELS) ** 2

    @property
    def dit_parameters(self) -> int:
        """Numbers in one expert: blocks, embeddings of patches, text and time, and the head."""
        dim = self.dim
        patches = 65 * dim
        text = (self.text_dim + dim + 2) * dim
        time = (self.freq_dim + dim + 2) * dim + 6 * (dim + 1) * dim
        head = 64 * (dim + 1) + 2 * dim
        return self.num_layers * self._block_parameters + patches + text + time + head

    @property
    def vace_parameters(self) -> int:
        """Numbers in the VACE module: blocks with a projection behind each and one before, and its own patches."""
        projections = (self.vace_layers + 1) * (self.dim + 1) * self.dim
        return self.vace_layers * self._block_parameters + projections + 385 * self.dim

    @property
    def adapter_parameters(self) -> int:
        """Numbers in one Stand-In adapter: down and up for query, key and value of each block."""
        return self.num_layers * 3 * 2 * self.dim * self.adapter_rank

    @property
    def _block_parameters(self) -> int:
        attention = 4 * (self.dim + 1) * self.dim + 2 * self.dim
        feed_forward = 2 * self.dim * self.ffn_dim + self.ffn_dim + self.dim
        return 2 * attention + feed_forward + 2 * self.dim + 6 * self.dim

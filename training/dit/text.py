"""Captions as the text encoder takes them, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffsynth.models.wan_video_text_encoder import HuggingfaceTokenizer, WanTextEncoder

from standin_batch.weights.locate import TOKENIZER
from training.dit.forward import PROMPT_TOKENS, Text
from training.weights import ROW


@dataclass(frozen=True)
class Tokens:
    """Captions in numbers.

    Attributes:
        ids: int64 [B, L].
        mask: int64 [B, L]: 1 where there is a token.
    """

    ids: torch.Tensor
    mask: torch.Tensor

    def pick(self, rows: torch.Tensor) -> Tokens:
        """Those of some rows, as long as all are: what is compiled is compiled for one length."""
        return Tokens(self.ids[rows], self.mask[rows])


def tokens_of(root: Path, captions: Sequence[str]) -> Tokens:
    """Captions through the tokenizer below `root`, as the engine does it."""
    tokenizer = HuggingfaceTokenizer(name=str(root / ROW.base / TOKENIZER), seq_len=PROMPT_TOKENS, clean="whitespace")
    ids, mask = tokenizer(list(captions), return_mask=True, add_special_tokens=True)
    length = int(mask.sum(dim=1).max())
    return Tokens(ids[:, :length], mask[:, :length])


def encode(encoder: WanTextEncoder, tokens: Tokens) -> Text:
    """What the transformer is shown of captions: zero behind the last token of each."""
    embedded = encoder(tokens.ids, tokens.mask) * tokens.mask[..., None]
    return Text(torch.nn.functional.pad(embedded, (0, 0, 0, 1)))

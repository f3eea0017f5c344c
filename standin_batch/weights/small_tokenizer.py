"""The tokenizer of a small model: words that it knows, single characters and, for all else, bytes.

It is written in the format of `tokenizers`.
"""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from pathlib import Path

from standin_batch.files import write_atomic

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
SPECIAL = (PAD, END, UNKNOWN)
SPACE = "▁"
LENGTH = 512
SIZE = 512
"""Tokens at most: as many as a small text encoder knows."""


def write_tokenizer(folder: Path, words: Sequence[str] = ()) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json`, as transformers' `AutoTokenizer` reads them.

    Args:
        folder: made if need be.
        words: in small letters, each a token of its own; with any, texts are read in small letters.

    Raises:
        ValueError: if there are too many for a vocabulary of 512, or one is there twice or is not in small letters.
    """
    write_atomic(folder / "tokenizer.json", json.dumps(_tokenizer(words), ensure_ascii=False, indent=1))
    write_atomic(folder / "tokenizer_config.json", json.dumps(_config(), indent=1))


def _config() -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": LENGTH,
        "pad_token": PAD,
        "eos_token": END,
        "unk_token": UNKNOWN,
    }


def _vocabulary(words: Sequence[str]) -> list[tuple[str, float]]:
    """Token and log-probability: of two ways to read a text the more probable one is taken.

    Words before characters, and these before bytes: a byte is used only for what is no character here.
    """
    characters = [SPACE, *string.ascii_letters, *string.digits, *string.punctuation]
    found = [
        *((token, 0.0) for token in SPECIAL),
        *((f"<0x{byte:02X}>", -10.0) for byte in range(256)),
        *((character, -4.0) for character in characters),
        *((f"{SPACE}{word}", -1.0) for word in words),
    ]
    if len(found) > SIZE:
        raise ValueError(f"{len(words)} words are {len(found) - SIZE} too many for a vocabulary of {SIZE}")
    if len(set(words)) < len(words) or any(word != word.lower() for word in words):
        raise ValueError("a word is there twice, or is not in small letters")
    return found


def _tokenizer(words: Sequence[str]) -> dict[str, object]:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special(index, token) for index, token in enumerate(SPECIAL)],
        "normalizer": {"type": "Lowercase"} if words else None,
        "pre_tokenizer": {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": END, "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {END: {"id": END, "ids": [SPECIAL.index(END)], "tokens": [END]}},
        },
        "decoder": None,
        "model": {
            "type": "Unigram",
            "unk_id": SPECIAL.index(UNKNOWN),
            "vocab": _vocabulary(words),
            "byte_fallback": True,
        },
    }


def _special(index: int, token: str) -> dict[str, object]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": index, "content": token, **flags}

"""The tokenizer of the tiny model: single characters and, for all else, bytes, in the format of `tokenizers`."""

from __future__ import annotations

import json
import string
from pathlib import Path

from standin_batch.files import write_atomic

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
SPECIAL = (PAD, END, UNKNOWN)
SPACE = "▁"
LENGTH = 512


def write_tokenizer(folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json`, as transformers' `AutoTokenizer` reads them."""
    write_atomic(folder / "tokenizer.json", json.dumps(_tokenizer(), ensure_ascii=False, indent=1))
    write_atomic(folder / "tokenizer_config.json", json.dumps(_config(), indent=1))


def _config() -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": LENGTH,
        "pad_token": PAD,
        "eos_token": END,
        "unk_token": UNKNOWN,
    }


def _vocabulary() -> list[tuple[str, float]]:
    """Token and log-probability; characters before bytes, so that a byte is used only for what is no character here."""
    characters = [SPACE, *string.ascii_letters, *string.digits, *string.punctuation]
    return [
        *((token, 0.0) for token in SPECIAL),
        *((f"<0x{byte:02X}>", -10.0) for byte in range(256)),
        *((character, -4.0) for character in characters),
    ]


def _tokenizer() -> dict[str, object]:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special(index, token) for index, token in enumerate(SPECIAL)],
        "normalizer": None,
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
            "vocab": _vocabulary(),
            "byte_fallback": True,
        },
    }


def _special(index: int, token: str) -> dict[str, object]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": index, "content": token, **flags}

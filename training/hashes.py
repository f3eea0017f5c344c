"""What DiffSynth recognises each part of the small models by: to write into their rows when sizes change.

python -m training.hashes
"""

from __future__ import annotations

from collections.abc import Mapping

from standin_batch.weights.parts import Parts
from standin_batch.weights.rows_demo import DEMO_PARTS
from standin_batch.weights.rows_tiny import TINY_PARTS
from standin_batch.weights.shapes import Shapes


def model_hash(shapes: Shapes) -> str:
    """DiffSynth's hash of a checkpoint with such tensors, by its own function."""
    from diffsynth.core.loader.file import hash_state_dict_keys
    from torch import empty

    found: str = hash_state_dict_keys({name: empty(shape, device="meta") for name, shape in shapes.items()})
    return found


def hashes(parts: Parts) -> Mapping[str, str]:
    """By what a checkpoint holds."""
    dit, vace = parts.dit_shapes(), parts.vace_shapes()
    return {
        "dit": model_hash(dit),
        "vace": model_hash(vace),
        "dit and vace": model_hash({**dit, **vace}),
        "text encoder": model_hash(parts.text_encoder_shapes()),
        "vae": model_hash(parts.vae_shapes()),
    }


def main() -> None:
    """Print them."""
    for name, parts in (("tiny", TINY_PARTS), ("demo", DEMO_PARTS)):
        for part, found in hashes(parts).items():
            print(f"{name:5} {part:13} {found}")


if __name__ == "__main__":
    main()

"""How large a subject is when the model is shown it."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from standin_batch.engine.identity import encode_subject


class Watched:
    """Stands where a pipeline does, with a VAE that keeps what it is given."""

    torch_dtype, device = torch.float32, "cpu"

    def __init__(self):
        self.vae = self

    def encode(self, video, **_):
        self.shown = video
        return video


def shown(image, side):
    pipe = Watched()
    encode_subject(pipe, image, side)
    return pipe.shown[0, :, 0]


def test_a_subject_of_the_right_size_is_shown_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    expected = torch.from_numpy(pixels).permute(2, 0, 1) / 255.0 * 2 - 1
    assert torch.equal(shown(Image.fromarray(pixels), 32), expected)


def test_a_larger_subject_is_averaged_over_areas():
    checks = (np.indices((48, 48)).sum(0) % 2).astype(np.uint8) * 200
    small = shown(Image.fromarray(np.dstack([checks] * 3)), 24)
    assert torch.allclose(small, torch.tensor(100 / 255 * 2 - 1))

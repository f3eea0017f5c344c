"""Which pixel of a head crop is skin, hair, an eye, or background."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from standin_batch.face.detect import FaceModelsMissing
from standin_batch.hushed import hushed

FILE_NAME = "parsing_bisenet.pth"
BACKGROUND = 0


class Parser(Protocol):
    """Whatever names the parts of a head."""

    def classes(self, image_rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The class of each pixel of `image_rgb` (`[H, W, 3]`) as `[H, W]`; `BACKGROUND` is 0."""
        ...


class BiSeNetParser:
    """BiSeNet with the 19 classes of CelebAMask-HQ (arXiv:1808.00897), from facexlib."""

    def __init__(self, folder: Path, device: str) -> None:
        """Load the model.

        Args:
            folder: holds `parsing_bisenet.pth`.
            device: of torch.

        Raises:
            FaceModelsMissing: if the file is missing or cannot be read.
        """
        require_parser(folder)
        self._model = _load(folder / FILE_NAME).to(device)
        self._device = device

    def classes(self, image_rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The class, 0..18, of each pixel of `image_rgb`.

        Args:
            image_rgb: uint8, `[H, W, 3]`; the model was trained on 512 x 512.

        Returns:
            uint8, `[H, W]`.
        """
        import torch

        pixels = torch.from_numpy(np.array(image_rgb, order="C")).permute(2, 0, 1)[None].to(self._device)
        with torch.no_grad():
            logits = self._model((pixels.float() / 255 - 0.5) / 0.5)[0]
        found: npt.NDArray[np.uint8] = logits[0].argmax(0).to(torch.uint8).cpu().numpy()
        return found


def require_parser(folder: Path) -> None:
    """Look whether the parser is in `folder`: facexlib would download one that is not.

    Raises:
        FaceModelsMissing: saying where to get it.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise FaceModelsMissing(f"the face parser is missing: {path}", _get_it(path))


def _get_it(path: Path) -> str:
    return f"put {path.name} of facexlib's release v0.2.0 (github.com/xinntao/facexlib) into {path.parent}"


def _load(path: Path) -> Any:  # noqa: ANN401
    # The import is half a minute on a cold disk and warns of torchvision's old names.
    with hushed():
        from facexlib.parsing import init_parsing_model

        try:
            return init_parsing_model("bisenet", device="cpu", model_rootpath=str(path.parent))
        except Exception as error:
            hint = f"delete it and {_get_it(path)}"
            raise FaceModelsMissing(f"the face parser {path} cannot be loaded: {error}", hint) from error

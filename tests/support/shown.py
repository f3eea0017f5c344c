"""What an engine is shown of its identities where a test has one picture for all of them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image


def subject_of(golden: Path) -> Image.Image:
    """The prepared subject of the golden cases."""
    with Image.open(golden / "inputs" / "subject.png") as image:
        return image.convert("RGB")


class Shown:
    """Shows one picture for every identity, and counts how often it is asked for."""

    def __init__(self, picture: Image.Image | None = None) -> None:
        self.picture, self.asked = picture, 0

    def image(self, job: object) -> Image.Image | None:
        self.asked += 1
        return self.picture

    def face_models(self) -> None:
        raise AssertionError("nobody looks for faces here")

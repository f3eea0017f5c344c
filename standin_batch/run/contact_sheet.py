"""The contact sheet of a preflight, on the disk: drawn from what was found, and only if that is new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from standin_batch.errors import StandinError
from standin_batch.face.sheet import PICTURE, Tile, pages
from standin_batch.files import replace_atomic
from standin_batch.fingerprint import digest
from standin_batch.media.image import open_image, rgb_on_white
from standin_batch.run.preflight import Preflight, told, verdict
from standin_batch.run.studio import Seen

DRAWING = 1
"""Raised when the same findings come to be drawn in another way."""

KEY = "preflight"
"""The text in a sheet that says what it was drawn from."""


def write_sheet(path: Path, manifest: str, found: Preflight) -> tuple[Path, ...]:
    """Draw what was found of identities to `path`, and to further pages beside it, unless it is there already.

    Args:
        path: of the first page.
        manifest: its name, for the title.
        found: what was looked at.

    Returns:
        The pages; none where there is no identity.

    Raises:
        OSError, DiskFullError: if they cannot be written.
    """
    if not found.seen:
        return ()
    key = _key(manifest, found)
    if _is_current(path, key):
        return _pages_there(path)
    written = []
    title = f"{manifest}: {told(len(found.seen), 0)}"
    for number, page in enumerate(pages(title, [_tile(seen, found) for seen in found.seen]), start=1):
        written.append(_numbered(path, number))
        _write(written[-1], page, key)
    for old in _pages_there(path)[len(written) :]:
        old.unlink(missing_ok=True)
    return tuple(written)


def _tile(seen: Seen, found: Preflight) -> Tile:
    sitter, findings = seen.sitter, found.of("identity", seen.sitter.name)
    return Tile(
        name=sitter.name,
        picture=_picture(seen),
        verdict=verdict(findings),
        numbers=_numbers(seen),
        findings=tuple(finding.short for finding in findings),
        shown=seen.prepared is not None,
    )


def _numbers(seen: Seen) -> str:
    """What was measured, on one line."""
    portrait = seen.sitter.portrait
    if portrait is None:
        return "taken as it is" if seen.prepared is not None else ""
    if (found := portrait.likeness) is None:
        return f"{portrait.width} x {portrait.height}"
    yaw, pitch, roll = (f"{round(angle)}°" for angle in found.pose)
    return f"{found.side:.0f} px   sharp {found.sharpness:.0f}   turned {yaw}  {pitch}  {roll}"


def _picture(seen: Seen) -> Image.Image | None:
    """What the model will be shown, else the photograph; small, as there may be thousands."""
    try:
        image = Image.fromarray(rgb_on_white(open_image(seen.prepared or seen.image)))
    except StandinError:
        return None
    image.thumbnail((PICTURE, PICTURE), Image.Resampling.LANCZOS)
    return image


def _key(manifest: str, found: Preflight) -> str:
    told_of = [
        [seen.sitter.name, seen.sitter.digest, "" if seen.prepared is None else seen.prepared.name]
        for seen in found.seen
    ]
    return digest([DRAWING, manifest, told_of, [asdict(finding) for finding in found.findings]])


def _is_current(path: Path, key: str) -> bool:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get(KEY) == key
    except OSError:
        return False


def _write(path: Path, page: Image.Image, key: str) -> None:
    info = PngInfo()
    info.add_text(KEY, key)
    with replace_atomic(path) as temporary:
        page.save(temporary, format="PNG", pnginfo=info)


def _pages_there(path: Path) -> tuple[Path, ...]:
    return tuple(_there(path))


def _there(path: Path) -> Iterator[Path]:
    for number in count(1):
        if not (page := _numbered(path, number)).is_file():
            return
        yield page


def _numbered(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")

"""Pictures that people bring: any file that a camera, phone or editor writes, as RGB on white.

`depth` and `colour` hold what 16-bit files and embedded profiles need. What is done with a picture is decided above.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from standin_batch.errors import StandinError
from standin_batch.media.colour import to_srgb
from standin_batch.media.depth import eight_bit, read_tiff

Pixels = npt.NDArray[np.uint8]

WHITE = 255
FORMATS = "PNG, JPEG, WebP, HEIC, AVIF or TIFF"
READ = (
    *("PNG", "JPEG", "MPO", "WEBP", "HEIF", "AVIF", "TIFF", "GIF"),
    *("BMP", "DIB", "JPEG2000", "PPM", "TGA", "PSD", "QOI"),
)
"""What of Pillow's formats is read. Of the others one runs a program (EPS), and nobody brings any."""

MAX_BYTES = 1 << 30
"""Of a file: what the largest pictures take without compression."""
SAVE_ANEW = "does a viewer open it? Save it anew as PNG, or copy it again"
GREYS = ("1", "L", "LA")
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class ImageError(StandinError):
    """A picture that somebody brought cannot be used."""


def open_image(path: Path) -> Image.Image:
    """The picture at `path`, read whole and turned as its EXIF data say; the first frame of an animation.

    Raises:
        ImageError: if it is missing, damaged, too large, no file, or no picture.
    """
    try:
        return _decoded(_content(path))
    except FileNotFoundError as error:
        raise ImageError(f"there is no picture {path}") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{path} is not a picture that can be read here", f"use {FORMATS}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"the picture {path} cannot be read: {error}", "make it smaller") from error
    except StandinError:
        raise
    # A damaged picture raises whatever its decoder runs into.
    except Exception as error:
        raise ImageError(
            f"the picture {path} cannot be read: {str(error) or type(error).__name__}", SAVE_ANEW
        ) from error


def rgb_on_white(image: Image.Image) -> Pixels:
    """What a viewer on a white page shows of `image`, whatever its mode, depth and colour profile.

    Converting alone would clip 16 bits to white, show what a cut-out hides behind its transparency, and pale the
    colours of a phone. 8-bit RGB in sRGB or without a profile keeps its pixels to the bit.

    Args:
        image: any size and mode.

    Returns:
        uint8 [height, width, 3].
    """
    image = eight_bit(_upright(image))
    if not image.has_transparency_data:
        return np.array(to_srgb(image))
    cut_out = image.convert("RGBA")
    colours = to_srgb(image.convert("L") if image.mode in GREYS else cut_out.convert("RGB"))
    colours.putalpha(cut_out.getchannel("A"))
    white = Image.new("RGBA", colours.size, (WHITE,) * 4)
    return np.array(Image.alpha_composite(white, colours).convert("RGB"))


def letterboxed(image: Image.Image, width: int, height: int) -> Image.Image:
    """The whole of `image` in the middle of a white picture.

    The numbers are those of Stand-In's `pipelines/wan_video.py`: both sides of the scaled image are cut to whole
    pixels, and an odd rest goes right or below.

    Args:
        image: any size and mode.
        width: of the result, in pixels.
        height: of the result, in pixels.

    Returns:
        RGB, width x height.
    """
    whole = Image.fromarray(rgb_on_white(image))
    scale = min(width / whole.width, height / whole.height)
    size = max(int(whole.width * scale), 1), max(int(whole.height * scale), 1)
    boxed = Image.new("RGB", (width, height), (WHITE,) * 3)
    boxed.paste(whole.resize(size, Image.Resampling.LANCZOS), ((width - size[0]) // 2, (height - size[1]) // 2))
    return boxed


def _content(path: Path) -> bytes:
    if path.exists() and not path.is_file():  # a pipe would wait for somebody to write into it
        raise ImageError(f"the picture {path} cannot be read: it is no regular file", "name a file")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ImageError(
            f"the picture {path} cannot be read: it has {size >> 20} MiB", "is it a picture? Make it smaller"
        )
    return path.read_bytes()


def _upright(image: Image.Image) -> Image.Image:
    """`image` as its EXIF turns it; one whose EXIF is broken is as it is."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Pillow raises whatever its reader runs into
        return image


def _decoded(content: bytes) -> Image.Image:
    try:
        return _loaded(content)
    except UnidentifiedImageError:
        if content.startswith(TIFF_STARTS):
            return read_tiff(content)
        _learn_heic()
        return _loaded(content)


def _loaded(content: bytes) -> Image.Image:
    Image.init()
    with Image.open(io.BytesIO(content), formats=[name for name in READ if name in Image.OPEN]) as image:
        image.load()
        return _upright(image)


def _learn_heic() -> None:
    """Phones' format, which Pillow leaves to a plugin; it turns the picture itself and says so to `exif_transpose`."""
    import pillow_heif

    pillow_heif.register_heif_opener()

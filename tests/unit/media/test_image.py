"""Pictures as people have them: every format looks the same as the original, and what is said of broken ones."""

import io
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from standin_batch.errors import ExitCode
from standin_batch.media.image import ImageError, letterboxed, open_image, rgb_on_white

WIDTH, HEIGHT = 96, 64
WHITE = [255, 255, 255]
ORIENTATION = 0x0112
LYING = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera stores an upright scene that it marks with each of EXIF's orientations."""


@pytest.fixture(scope="module")
def photo():
    """Soft colours, another one in each corner: uint8 [64, 96, 3]."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([40 + 2 * x, 30 + 3 * y, 200 - x - y], axis=-1).astype(np.uint8)


def grey(photo):
    return np.asarray(Image.fromarray(photo).convert("L"))


def distance(found, expected):
    """Mean difference, in levels of 255."""
    assert found.shape == expected.shape
    return np.abs(found.astype(int) - expected).mean()


def read(path):
    return rgb_on_white(open_image(path))


def save(path, image, **options):
    if path.suffix == ".heic":
        pillow_heif.from_pillow(image).save(path, **options)
    else:
        image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options", "loss"),
    [
        ("a.png", {}, 0),
        ("a.bmp", {}, 0),
        ("a.tif", {}, 0),
        ("lzw.tif", {"compression": "tiff_lzw"}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.apng", {"format": "PNG", "save_all": True, "append_images": [Image.new("RGB", (WIDTH, HEIGHT))]}, 0),
        ("a.jp2", {}, 0),
        ("a.jpg", {"quality": 95}, 2),
        ("progressive.jpg", {"quality": 95, "progressive": True}, 2),
        ("lossy.webp", {"quality": 95}, 3),
        ("a.heic", {"quality": 95}, 3),
        ("a.avif", {"quality": 95}, 3),
        ("a.gif", {"save_all": True, "append_images": [Image.new("RGB", (WIDTH, HEIGHT))]}, 8),
    ],
)
def test_every_format_looks_like_the_original(tmp_path, photo, name, options, loss):
    path = save(tmp_path / name, Image.fromarray(photo), **options)
    assert distance(read(path), photo) <= loss


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp"])
def test_a_plain_picture_keeps_its_pixels_to_the_bit(tmp_path, name):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    path = save(tmp_path / name, Image.fromarray(pixels), **({"lossless": True} if name == "a.webp" else {}))
    assert np.array_equal(read(path), pixels)


@pytest.mark.parametrize("name", ["grey.jpg", "grey.png", "grey.webp", "grey.heic", "grey.avif", "grey.tif"])
def test_grey_stays_grey(tmp_path, photo, name):
    image = Image.fromarray(grey(photo))
    found = read(save(tmp_path / name, image if name != "grey.avif" else image.convert("RGB")))
    assert distance(found, np.repeat(grey(photo)[..., None], 3, axis=-1)) <= 3


@pytest.mark.parametrize("name", ["cmyk.jpg", "cmyk.tif"])
def test_cmyk_is_not_inverted(tmp_path, photo, name):
    path = save(tmp_path / name, Image.fromarray(photo).convert("CMYK"))
    with Image.open(path) as image:
        assert image.mode == "CMYK"
    assert distance(read(path), photo) <= 3


def test_a_black_and_white_png(tmp_path, photo):
    image = Image.fromarray(grey(photo)).convert("1")
    found = read(save(tmp_path / "bits.png", image))
    assert np.array_equal(found[..., 0] == 255, np.asarray(image))
    assert set(np.unique(found)) == {0, 255}


def test_a_palette(tmp_path, photo):
    assert distance(read(save(tmp_path / "p.png", Image.fromarray(photo).quantize(256))), photo) <= 4


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_scaled_and_not_clipped(tmp_path, photo, name, channels):
    pixels = {1: grey(photo), 3: photo, 4: np.dstack([photo, np.full((HEIGHT, WIDTH), 255, np.uint8)])}[channels]
    deep = pixels.astype(np.uint16) * 257
    assert cv2.imwrite(str(tmp_path / name), deep if channels == 1 else deep[..., [2, 1, 0, 3][:channels]])
    expected = np.repeat(pixels[..., None], 3, axis=-1) if channels == 1 else pixels[..., :3]
    assert distance(read(tmp_path / name), expected) <= 1


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_a_float_tiff_is_scaled_by_what_white_is(tmp_path, photo, white):
    ramp = grey(photo).astype(np.float32)
    ramp = (ramp - ramp.min()) / (ramp.max() - ramp.min())
    Image.fromarray(ramp * np.float32(white)).save(tmp_path / "f.tif")
    assert distance(read(tmp_path / "f.tif")[..., 0], np.rint(ramp * 255)) < 0.1


def test_a_float_tiff_in_colour(tmp_path, photo):
    assert cv2.imwrite(str(tmp_path / "f.tif"), (photo / 255).astype(np.float32)[..., ::-1])
    assert distance(read(tmp_path / "f.tif"), photo) <= 1


def test_32_bit_integers_that_hold_16_are_taken_for_16():
    assert rgb_on_white(Image.fromarray(np.array([[0, 32896, 65535]], np.int32)))[0, :, 0].tolist() == [0, 128, 255]


def half_cut_out():
    """Red on the left; on the right transparent, and black below."""
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[:, : WIDTH // 2] = (200, 30, 60, 255)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.heic", "a.avif", "p.png", "a.gif", "la.png"])
def test_transparency_goes_on_white(tmp_path, name):
    image = half_cut_out()
    image = {"p.png": image.quantize(4), "la.png": image.convert("LA")}.get(name, image)
    found = read(save(tmp_path / name, image))
    assert np.abs(found[20:40, 70:90].astype(int) - 255).max() <= 2
    if name != "la.png":
        assert np.abs(found[20:40, 10:30].astype(int) - (200, 30, 60)).max() <= 8


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_transparent_colour_goes_on_white(tmp_path, mode):
    image = Image.new("RGB", (8, 8)).convert(mode)
    image.save(tmp_path / "t.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert (read(tmp_path / "t.png") == 255).all()


def test_a_transparent_grey_of_16_bits_goes_on_white(tmp_path):
    values = np.array([[0, 1000, 65535]], np.uint16)
    image = Image.fromarray(values)
    image.info["transparency"] = 1000
    assert rgb_on_white(image)[0, :, 0].tolist() == [0, 255, 255]


def test_half_transparent_is_half_white():
    assert rgb_on_white(Image.new("RGBA", (1, 1), (0, 0, 0, 128))).tolist() == [[[127, 127, 127]]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "PA", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB", "F", "I"])
def test_any_mode_becomes_rgb(mode):
    assert rgb_on_white(Image.new(mode, (3, 2))).shape == (2, 3, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.heic", "a.avif"])
def test_a_picture_is_turned_once(tmp_path, photo, name, orientation):
    stored = Image.fromarray(photo)
    if orientation in LYING:
        stored = stored.transpose(LYING[orientation])
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"quality": 95} if name != "a.tif" and name != "a.png" else {}
    path = save(tmp_path / name, stored, exif=exif.tobytes() if name == "a.heic" else exif, **options)
    opened = open_image(path)
    assert opened.size == (WIDTH, HEIGHT)
    assert distance(rgb_on_white(opened), photo) <= 4


def swapped_profile():
    """RGB whose red is sRGB's green and the other way round, as a profile that no eye mistakes for another."""
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(srgb[128:132], "big")
    places = {bytes(srgb[at : at + 4]): at + 4 for at in range(132, 132 + 12 * count, 12)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    srgb[red : red + 8], srgb[green : green + 8] = srgb[green : green + 8], srgb[red : red + 8]
    return bytes(srgb)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.heic", "a.avif"])
def test_another_profile_is_converted_to_srgb(tmp_path, photo, name):
    options = (
        {"quality": 95, "subsampling": 0} if name == "a.jpg" else {} if name in ("a.png", "a.tif") else {"quality": 95}
    )
    path = save(tmp_path / name, Image.fromarray(photo), icc_profile=swapped_profile(), **options)
    assert distance(read(path), photo[..., [1, 0, 2]]) <= 4


def test_a_profile_is_followed_where_there_is_transparency(tmp_path):
    image = half_cut_out()
    image.save(tmp_path / "a.png", icc_profile=swapped_profile())
    found = read(tmp_path / "a.png")
    assert np.abs(found[0, 0].astype(int) - (30, 200, 60)).max() <= 2
    assert found[0, -1].tolist() == WHITE


def test_a_picture_in_srgb_keeps_its_pixels_to_the_bit(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(read(tmp_path / "a.png"), pixels)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("profile", [b"no profile", swapped_profile()[:300]])
def test_a_broken_profile_is_ignored(tmp_path, photo, mode, profile):
    image = Image.fromarray(photo).convert(mode)
    image.save(tmp_path / "a.tif", icc_profile=profile)
    assert np.array_equal(read(tmp_path / "a.tif"), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_profile_for_other_channels_is_ignored(tmp_path, photo, mode):
    image = Image.fromarray(photo).convert(mode)
    image.save(tmp_path / "a.tif", icc_profile=swapped_profile())
    assert np.array_equal(read(tmp_path / "a.tif"), np.asarray(image.convert("RGB")))


def test_colours_in_lab_are_converted():
    lab = Image.merge("LAB", [Image.new("L", (1, 1), value) for value in (255, 128, 128)])
    assert rgb_on_white(lab).min() >= 254


def test_a_missing_picture_is_an_error(tmp_path):
    with pytest.raises(ImageError, match="there is no picture"):
        open_image(tmp_path / "nobody.png")


def test_a_file_that_is_no_picture_is_an_error_with_a_cure(tmp_path):
    (tmp_path / "notes.png").write_text("hello")
    with pytest.raises(ImageError, match="not a picture") as caught:
        open_image(tmp_path / "notes.png")
    assert "PNG" in caught.value.hint
    assert caught.value.exit_code == ExitCode.JOBS_FAILED


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.heic", "a.avif", "a.tif", "a.gif", "a.bmp"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_cut_short_picture_is_an_error(tmp_path, name, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = save(tmp_path / name, Image.fromarray(noise)).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageError, match=r"cannot be read|not a picture"):
        open_image(tmp_path / name)


@pytest.mark.parametrize("start", [b"", b"II*\0", b"MM\0*", b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypavif"])
def test_the_mere_beginning_of_a_picture_is_an_error(tmp_path, start):
    (tmp_path / "a").write_bytes(start)
    with pytest.raises(ImageError, match=r"cannot be read|not a picture"):
        open_image(tmp_path / "a")


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(ImageError, match="cannot be read"):
        open_image(tmp_path)


def test_a_picture_that_fills_the_memory_is_not_opened(tmp_path):
    header = io.BytesIO()
    Image.new("1", (1, 1)).save(header, "PNG")
    content = bytearray(header.getvalue())
    content[16:24] = (50_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(content)
    with pytest.raises(ImageError, match="cannot be read") as caught:
        open_image(tmp_path / "huge.png")
    assert "smaller" in caught.value.hint


def test_the_letter_box_puts_the_whole_picture_in_the_middle():
    boxed = letterboxed(Image.new("RGB", (200, 100), (200, 30, 60)), 64, 48)
    assert (boxed.mode, boxed.size) == ("RGB", (64, 48))
    rows = (np.asarray(boxed)[:, 32] == (200, 30, 60)).all(axis=-1)
    assert rows.tolist() == [False] * 8 + [True] * 32 + [False] * 8


@pytest.mark.parametrize(
    ("size", "left", "top", "right", "bottom"),
    [((100, 100), 8, 0, 56, 48), ((100, 33), 0, 13, 64, 34), ((33, 100), 24, 0, 39, 48)],
)
def test_the_letter_box_takes_whole_pixels_and_leaves_the_odd_one_right_or_below(size, left, top, right, bottom):
    dark = np.asarray(letterboxed(Image.new("L", size), 64, 48)).max(axis=-1) < 255
    y, x = np.nonzero(dark)
    assert (x.min(), y.min(), x.max() + 1, y.max() + 1) == (left, top, right, bottom)


def test_a_picture_of_the_right_size_fills_the_letter_box_to_the_bit(photo):
    assert np.array_equal(np.asarray(letterboxed(Image.fromarray(photo), WIDTH, HEIGHT)), photo)


def test_a_thin_line_is_still_seen_in_the_letter_box():
    assert np.asarray(letterboxed(Image.new("RGB", (1000, 1)), 64, 48)).min() < 255


def test_importing_it_imports_no_heavy_library():
    code = (
        "import sys, standin_batch.media.image, standin_batch.media.clip;"
        "print(*{'torch', 'cv2', 'pillow_heif', 'imageio_ffmpeg'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"

"""Profiles of a press and of grey: built here by hand from the ICC's specification (ICC.1:2001-04)."""

import struct

import numpy as np
import pytest
from PIL import Image

from standin_batch.media.image import open_image, rgb_on_white


def fixed(*numbers):
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def profile(kind, space, connection, tags):
    """An ICC profile of version 2: its header, its table of tags, and what they hold."""
    white = b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    table, body, offset = b"", b"", 132 + 12 * (len(tags) + 2)
    for name, content in {b"wtpt": white, b"desc": text, **tags}.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"none", 0x02400000, kind, space, connection)
    header += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags) + 2) + table + body


def linear_grey():
    """A grey whose value is the light itself, where sRGB's is its root of about 2.2."""
    return profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, 256)})


def press():
    """A press with one honest ink: cyan prints mid grey, and the others nothing at all."""
    identity = bytes(range(256))
    corners = b"".join(bytes([128 if corner & 8 else 255, 128, 128]) for corner in range(16))
    table = (
        b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + identity * 4 + corners + identity * 3
    )
    return profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table, b"A2B1": table})


@pytest.mark.parametrize("name", ["grey.png", "grey.jpg", "grey.tif"])
def test_a_profile_of_grey_is_followed(tmp_path, name):
    Image.new("L", (16, 16), 55).save(tmp_path / name, icc_profile=linear_grey())
    found = rgb_on_white(open_image(tmp_path / name))
    assert np.abs(found.astype(int) - 128).max() <= 2  # sRGB of 55 / 255, IEC 61966-2-1


def test_a_profile_of_grey_is_followed_beside_transparency(tmp_path):
    Image.merge("LA", [Image.new("L", (2, 1), 55), Image.new("L", (2, 1), 255)]).save(
        tmp_path / "a.png", icc_profile=linear_grey()
    )
    assert np.abs(rgb_on_white(open_image(tmp_path / "a.png")).astype(int) - 128).max() <= 2


def test_a_profile_of_grey_is_followed_at_16_bits():
    image = Image.fromarray(np.full((2, 2), 55 * 257, np.uint16))
    image.info["icc_profile"] = linear_grey()
    assert np.abs(rgb_on_white(image).astype(int) - 128).max() <= 2


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
@pytest.mark.parametrize(("inks", "grey"), [((0, 0, 0, 0), 255), ((0, 255, 255, 255), 255), ((255, 0, 0, 0), 119)])
def test_a_profile_of_a_press_is_followed(tmp_path, name, inks, grey):
    Image.new("CMYK", (16, 16), inks).save(tmp_path / name, icc_profile=press())
    found = rgb_on_white(open_image(tmp_path / name)).astype(int)
    assert np.abs(found - grey).max() <= 6  # L* 50 is 119 in sRGB

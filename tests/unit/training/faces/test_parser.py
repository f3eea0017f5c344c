"""The parser's lesson, and its file: facexlib's wide network computes what the narrow one does."""

import numpy as np
import pytest
import torch
from facexlib.parsing.bisenet import BiSeNet

from training.faces.parser import FILE, ParserLesson, at_places
from training.faces.parser_net import ParserNet
from training.faces.pictures import Picture, in_scene, on_white
from training.faces.squares import square
from training.world import parts
from training.world.character import character
from training.world.figure import FaceTruth
from training.world.portrait import portrait


@pytest.fixture(scope="module")
def network():
    """One in which no normalisation is as it began."""
    torch.manual_seed(3)
    made = ParserNet()
    for layer in made.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.normal_(layer.bias, std=0.3)
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
    return made.eval()


@pytest.fixture(scope="module")
def path(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parser")
    ParserLesson().write(network, folder)
    return folder / FILE


def test_the_wide_network_computes_what_the_narrow_one_does(network, path):
    wide = BiSeNet(num_class=19)
    wide.load_state_dict(torch.load(path, weights_only=True), strict=True)
    image = torch.from_numpy(portrait(character(3), 128)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        found = wide.eval()(image)[0]
        narrow = network(image)
    right = torch.nn.functional.interpolate(narrow, (128, 128), mode="bilinear", align_corners=True)
    assert right.std() > 0.02
    # Weights of 8 bits are off by half of a 127th at most.
    assert (found - right).std() < 0.02 * right.std()


def test_the_file_is_small(path):
    assert path.stat().st_size < 800_000


def test_logits_are_compared_where_facexlib_enlarges_them_to():
    logits = torch.randn(2, 19, 64, 64, generator=torch.Generator().manual_seed(1))
    rows, columns = np.arange(1, 512, 4), np.arange(3, 512, 4)
    whole = torch.nn.functional.interpolate(logits, (512, 512), mode="bilinear", align_corners=True)
    assert torch.allclose(at_places(logits, rows, columns), whole[:, :, rows][..., columns], atol=1e-4)


@pytest.mark.parametrize("shaky", [False, True])
def test_classes_lie_where_the_pixels_are(shaky):
    """Eyes and glasses of one colour: what is said to be them has it."""
    rng = np.random.default_rng(4)
    who = next(who for who in map(character, range(100)) if who.glasses == "dark")
    for picture in (
        on_white(rng, who, 300, with_classes=True),
        in_scene(rng, who, "plain", with_classes=True),
    ):
        cut = square(picture, rng if shaky else None)
        assert cut.pixels.shape == (512, 512, 3)
        assert cut.classes.shape == (512, 512)
        glasses = cut.pixels[cut.classes == parts.GLASSES]
        assert len(glasses) > 3000
        assert np.mean(glasses.max(axis=1) < 110) > 0.8


def test_what_lies_beyond_the_picture_is_background():
    dark, all_skin = np.zeros((96, 96, 3), np.uint8), np.full((96, 96), parts.SKIN, np.uint8)
    box = (-20.0, 30.0, 40.0, 60.0)
    cut = square(Picture(dark, FaceTruth(box, ((0.0, 0.0),) * 5), all_skin))
    assert np.array_equal(cut.classes == parts.SKIN, (cut.pixels < 128).all(axis=2))
    assert 0.3 < np.mean(cut.classes == parts.SKIN) < 0.9

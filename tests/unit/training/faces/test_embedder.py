"""The embedder's lesson, and its file: what insightface makes of it is what the network says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.faces.aligned import aligned
from training.faces.embedder import FILE, EmbedderLesson
from training.faces.embedder_net import EmbedderNet, loss, same_face
from training.faces.measure_embedder import embedded
from training.world.character import character
from training.world.portrait import portrait, portrait_truth

ARCFACE = [(38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return EmbedderNet().eval()


def test_a_face_is_laid_where_arcface_has_it():
    """Five points cannot all be met by turning and sizing: as a whole they are."""
    truth = portrait_truth(character(5), 256)
    dots = np.zeros((256, 256, 3), np.uint8)
    for x, y in truth.landmarks:
        dots[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3] = 255
    rows, columns = np.nonzero(aligned(dots, truth.landmarks)[..., 0] > 100)
    assert (columns.mean(), rows.mean()) == pytest.approx(np.mean(ARCFACE, axis=0), abs=1.5)


def test_clothes_make_no_other_face_and_hats_do():
    who = replace(character(1), hat="none", hat_colour="red", clothes="blue")
    others = (replace(who, clothes="green"), replace(who, hat_colour="green"), replace(who, hat="cap"))
    assert same_face([who, *others])[0].tolist() == [True, True, True, False]


def test_faces_that_lie_apart_have_less_loss(network):
    characters = [character(1), character(1), character(2), character(2)]
    faces = [aligned(portrait(who, 128), portrait_truth(who, 128).landmarks) for who in characters]
    images = torch.from_numpy(np.stack(faces).astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
    mixed = [characters[0], characters[2], characters[1], characters[3]]
    assert loss(network, images, characters) < loss(network, images, mixed)


def test_the_file_says_what_the_network_says(network, tmp_path):
    EmbedderLesson().write(network, tmp_path)
    face = aligned(portrait(character(1), 128), portrait_truth(character(1), 128).landmarks)
    (found,) = embedded(tmp_path / FILE, [face])
    image = torch.from_numpy(face.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    with torch.no_grad():
        right = torch.nn.functional.normalize(network(image))[0].numpy()
    assert found.shape == (512,)
    assert np.allclose(found[: len(right)], right, atol=2e-3)
    assert not found[len(right) :].any()

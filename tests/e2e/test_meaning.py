"""The demo model does what it is asked, as far as few clips tell: `make test-meaning` asks for all of them.

One `standin run` makes every clip; the bars are those of `training.meaning.thresholds`.
"""

from __future__ import annotations

import pytest

from training.meaning.answers import answers
from training.meaning.asked import ask
from training.meaning.cases import SHORT, cases
from training.meaning.examine import examine
from training.meaning.thresholds import FEW
from training.weights import ROOT

pytestmark = pytest.mark.meaning


@pytest.fixture(scope="module")
def values(make_workspace, manifests):
    workspace, root, asked = make_workspace("meaning"), manifests.parent / ROOT, cases(SHORT)
    manifest = ask(workspace.folder / "asked", asked, manifests / "loras" / "ink.safetensors")
    ran = workspace.standin("run", manifest, "--checkpoints", root)
    assert ran.returncode == 0, ran.stderr
    clips = answers(workspace.folder / "outputs" / "meaning", [case.name for case in asked])
    return examine(asked, clips, SHORT.gallery, root)


@pytest.mark.parametrize("name", FEW)
def test_it_is_good_enough(values, name):
    assert FEW[name].met(values[name]), f"{name}: {values[name]}, has to be {FEW[name]}"


def test_the_adapter_makes_the_difference(values):
    assert values["identity: cosine to one's own"] > values["identity: cosine to others"]
    assert values["identity: top-1"] > values["adapter off: top-1"]


def test_the_face_follows_the_control_video(values):
    assert values["control: distance"] < values["control: distance to other tracks"]


def test_the_style_comes_with_the_lora_alone(values):
    assert values["style: ink with the LoRA"] == values["style: plain without"] == 1


def test_the_swap_brings_the_new_face(values):
    assert values["swap: nearer to the new face"] == 1

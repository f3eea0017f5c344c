"""Licences of the weights that had a part in clips, by the digests that their records name."""

from __future__ import annotations

from dataclasses import replace

from standin_batch.output.licences import weights_used
from standin_batch.weights.registry import ROWS

REAL = {"base": "b1", "adapter": "a1"}


def told(clips, **options):
    return {(used.what, used.part): used.licence for used in weights_used(clips, **options)}


def test_each_part_is_under_the_licence_of_its_source():
    found = told([("wan2.1-t2v-14b", {**REAL, "face": "f1", "embedder": "e1", "vace": "v1"})])
    assert found == {
        ("Wan2.1-T2V", "base"): "Apache-2.0",
        ("Stand-In 2.1", "adapter"): "Apache-2.0",
        ("Wan2.1-VACE", "vace"): "Apache-2.0",
        ("antelopev2", "face"): "non-commercial research only",
        ("antelopev2", "embedder"): "non-commercial research only",
        ("face-parsing", "face"): "non-commercial (trained on CelebAMask-HQ)",
    }


def test_weights_that_had_no_part_are_not_named():
    assert set(told([("wan2.2-t2v-a14b", {"base": "b1"})])) == {("Wan2.2-T2V", "base")}


def test_comparing_faces_in_finished_clips_needs_the_embedder():
    assert ("antelopev2", "face similarity") in told([("wan2.1-t2v-14b", REAL)], scored=True)
    assert len(told([("wan2.1-t2v-14b", {"embedder": "e1"})], scored=True)) == 1


def test_weights_made_here_are_no_download():
    (used,) = weights_used([("tiny", {"base": "tiny-1/tiny/base"})], scored=True)
    assert (used.licence, used.page) == ("Apache-2.0", "")


def test_real_weights_in_the_place_of_the_tiny_ones_are_not_called_random():
    assert told([("tiny", {"face": "0a1b"})]) == {
        ("antelopev2", "face"): "non-commercial research only",
        ("face-parsing", "face"): "non-commercial (trained on CelebAMask-HQ)",
    }


def test_weights_that_come_with_the_repository_are_known_by_their_content(monkeypatch):
    row = replace(ROWS["demo"], digests={"base": "0a1b", "face": "2c3d"})
    monkeypatch.setattr("standin_batch.output.licences.ROWS", {"demo": row})
    assert told([("demo", {"base": "0a1b", "face": "2c3d"})], scored=True) == {
        ("demo: comes with standin_batch", "base"): "Apache-2.0",
        ("demo: comes with standin_batch", "face"): "Apache-2.0",
    }
    found = told([("demo", {"base": "other", "vace": "other", "embedder": "other"})])
    assert found == {
        ("demo: weights of your own", "base"): "unknown",
        ("demo: weights of your own", "vace"): "unknown",
        ("antelopev2", "embedder"): "non-commercial research only",
    }


def test_a_model_of_another_version_is_unknown():
    assert told([("wan9", {"base": "b"})]) == {("wan9", "base"): "unknown"}

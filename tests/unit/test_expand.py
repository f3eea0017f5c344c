"""From a manifest to jobs."""

from __future__ import annotations

import textwrap

import pytest
from contents import Contents

from standin_batch.errors import UsageError
from standin_batch.expand import expand
from standin_batch.manifest import load_manifest


@pytest.fixture
def expanded(tmp_path):
    """Expand the jobs of a manifest in which `ada` is a face and `cat` is none."""
    for name in ("ada", "cat"):
        (tmp_path / f"{name}.png").write_bytes(name.encode())

    def write(jobs, head=""):
        path = tmp_path / "manifest.yaml"
        text = f"""\
version: 1
model: tiny
identities: {{ada: ada.png, cat: {{image: cat.png, kind: subject}}}}
prompts: {{desk: At a desk., tree: Under a tree.}}
{head}
jobs:
{textwrap.indent(textwrap.dedent(jobs), "  ")}"""
        path.write_text(text)
        return expand(load_manifest(path), Contents())

    return write


def test_a_matrix_is_every_combination_in_order(expanded):
    jobs = expanded("- {name: a, mode: t2v, matrix: {identity: [ada, cat], prompt: [desk, tree], seed: 0..1}}").jobs
    found = [(job.subject.name, job.prompt_name, job.seed) for job in jobs]
    assert found == [(who, what, seed) for who in ("ada", "cat") for what in ("desk", "tree") for seed in (0, 1)]
    assert len({job.job_id for job in jobs}) == 8


def test_what_is_not_written_comes_from_the_model(expanded):
    (job,) = expanded("- {name: a, mode: t2v, prompt: desk}").jobs
    assert (job.width, job.height, job.num_frames, job.dtype) == (160, 96, 9, "float32")
    assert job.negative_prompt.startswith("色调艳丽")


def test_the_same_video_twice_is_one_job_and_the_first_name_wins(expanded):
    found = expanded("""
        - {name: first, mode: t2v, prompt: desk}
        - {name: second, mode: t2v, prompt: {text: At a desk.}}
        - {name: third, mode: t2v, prompt: desk, matrix: {seed: [0, 0]}}
    """)
    (job,) = found.jobs
    assert (job.name, job.also) == ("first", ("second", "third"))
    assert found.repeats == 3


def test_only_weights_that_have_a_part_in_the_video_count(expanded):
    jobs = expanded("- {name: a, mode: t2v, prompt: desk, matrix: {identity: [ada, cat, null]}}").jobs
    assert [sorted(job.weights) for job in jobs] == [["adapter", "base", "face"], ["adapter", "base"], ["base"]]


@pytest.mark.parametrize(
    ("model", "written", "scales"),
    [
        ("tiny", "3.0", (3.0,)),
        ("tiny-2.2", "3.0", (3.0, 3.0)),
        ("tiny-2.2", "{high_noise: 5.0}", (5.0, 3.0)),
    ],
)
def test_guidance_is_for_each_expert(expanded, model, written, scales):
    (job,) = expanded(f"- {{name: a, mode: t2v, prompt: desk, model: {model}, cfg_scale: {written}}}").jobs
    assert job.cfg_scale == scales


def test_moving_a_file_changes_no_id_and_changing_it_does(expanded, tmp_path):
    def ids():
        return [job.job_id for job in expanded("- {name: a, mode: t2v, prompt: desk, identity: cat}").jobs]

    before = ids()
    (tmp_path / "cat.png").rename(tmp_path / "other.png")
    (tmp_path / "cat.png").write_bytes(b"cat")
    assert ids() == before
    (tmp_path / "cat.png").write_bytes(b"Cat")
    assert ids() != before


def test_the_default_written_out_is_the_same_job(expanded):
    plain = expanded("- {name: a, mode: t2v, prompt: desk}").jobs
    written = expanded("- {name: a, mode: t2v, prompt: desk, num_inference_steps: 4, cfg_scale: 5}").jobs
    assert [job.job_id for job in plain] == [job.job_id for job in written]


def test_a_seed_that_would_be_drawn_is_refused(expanded):
    with pytest.raises(UsageError, match="does not draw seeds"):
        expanded("- {name: a, mode: t2v, prompt: desk, seed: random}")

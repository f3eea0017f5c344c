"""From a manifest to jobs."""

from __future__ import annotations

import textwrap

import pytest
from contents import VIDEO, Contents

from standin_batch.errors import UsageError
from standin_batch.expand import expand
from standin_batch.manifest import load_manifest
from standin_batch.manifest.problems import ManifestError
from standin_batch.media.video import VideoInfo


@pytest.fixture
def expanded(tmp_path):
    """Expand the jobs of a manifest in which `ada` is a face and `cat` is none."""
    for name in ("ada.png", "cat.png", "pose.mp4"):
        (tmp_path / name).write_bytes(name.split(".")[0].encode())

    def write(jobs, head="", video=VIDEO):
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
        return expand(load_manifest(path), Contents(video))

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


CLIP = VideoInfo(width=350, height=200, num_frames=40, fps=30.0)
CONTROL = "mode: vace, prompt: desk, reference_video: pose.mp4"


def shape(job):
    return job.width, job.height, job.num_frames, job.fps


def test_a_video_sets_size_length_and_rate(expanded):
    (job,) = expanded(f"- {{name: a, {CONTROL}}}", video=CLIP).jobs
    assert shape(job) == (336, 192, 37, 30.0)


def test_defaults_do_not_win_over_the_video_but_the_job_does(expanded):
    head = "defaults: {width: 160, height: 96, num_frames: 9, fps: 10}"
    jobs = expanded(
        f"""
        - {{name: a, {CONTROL}}}
        - {{name: b, {CONTROL}, num_frames: 13, width: 160, height: 96}}
        - {{name: c, {CONTROL}, matrix: {{fps: [15]}}}}
        """,
        head,
        CLIP,
    ).jobs
    assert [shape(job) for job in jobs] == [(336, 192, 37, 30.0), (160, 96, 13, 30.0), (336, 192, 17, 15.0)]


def test_without_a_video_the_defaults_count(expanded):
    (job,) = expanded("- {name: a, mode: vace, prompt: desk, reference_image: cat.png}", video=CLIP).jobs
    assert shape(job) == (160, 96, 9, 25.0)


def test_a_cap_is_kept_and_said_once(expanded):
    head = "defaults: {max_frames: 13, max_pixels: 20000}"
    found = expanded(f"- {{name: a, {CONTROL}, matrix: {{seed: 0..2}}}}", head, CLIP)
    assert {shape(job) for job in found.jobs} == {(176, 96, 13, 30.0)}
    assert len(found.notes) == 2
    assert all(note.startswith("job a: reference_video pose.mp4 is ") for note in found.notes)


def test_every_video_that_does_not_do_is_told_at_once_with_its_place(expanded):
    jobs = f"""
        - {{name: a, {CONTROL}, num_frames: 81}}
        - {{name: b, mode: t2v, prompt: desk}}
        - {{name: c, {CONTROL}, num_frames: 41}}
        """
    with pytest.raises(ManifestError) as caught:
        expanded(jobs, video=CLIP)
    first, second = caught.value.problems
    assert second.line - first.line == 2
    assert first.message == "job `a`, reference_video pose.mp4: the video has 40 frames, not 81"
    assert "37" in first.hint


def test_a_mode_s_weights_decide_its_videos(expanded):
    text, control, swap = expanded(
        f"""
        - {{name: a, mode: t2v, prompt: desk}}
        - {{name: b, {CONTROL}}}
        - {{name: c, mode: face_swap, identity: ada, prompt: desk, input_video: pose.mp4}}
        """
    ).jobs
    assert text.weights.keys() == {"base"}
    assert control.weights.keys() == {"base", "vace"}
    assert swap.weights.keys() == {"base", "adapter", "face", "embedder"}

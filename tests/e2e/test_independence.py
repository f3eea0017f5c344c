"""Nothing is left from one job to the next: its latents are the same alone, first, or after any other, in any mode."""

from __future__ import annotations

import json

import pytest

JOBS = {
    "with_identity": {"identity": "cat", "prompt": "sit", "seed": 1},
    "swap": {"mode": "face_swap", "identity": "astronaut", "input_video": "visitors", "num_frames": 5, "prompt": "sit"},
    "style": {"identity": "cat", "prompt": "sit", "seed": 1, "loras": ["style"]},
    "without_identity": {"prompt": "sit", "seed": 2},
    "control": {"mode": "vace", "identity": "cat", "reference_video": "wave", "num_frames": 5, "prompt": "stand"},
    "two_experts": {"model": "tiny-2.2", "identity": "cat", "prompt": "sit", "num_inference_steps": 4},
    "other_identity": {"identity": "astronaut", "prompt": "stand", "seed": 3},
    "half_style": {"prompt": "sit", "seed": 2, "loras": [{"style": 0.5}]},
    "control_with_style": {"mode": "vace", "reference_image": "cat.png", "prompt": "sit", "loras": ["style"]},
    "two_experts_swap": {
        "mode": "face_swap",
        "model": "tiny-2.2",
        "identity": "cat",
        "prompt": "sit",
        "input_video": "visitors",
        "num_frames": 5,
        "paste": False,
        "force_background_consistency": True,
        "num_inference_steps": 4,
    },
    "skipped": {"identity": "cat", "prompt": "sit", "num_inference_steps": 6, "speed": {"cache": 0.3}},
    "two_styles": {"model": "tiny-2.2", "prompt": "sit", "loras": ["style_by_expert"], "num_inference_steps": 4},
    "other_size": {"identity": "cat", "prompt": "stand", "seed": 4, "width": 96, "height": 96, "num_frames": 5},
}
"""In an order that changes everything from job to job."""

OFTEN = ("swap", "half_style", "control_with_style", "skipped", "two_styles")
"""Run alone with every change; the others with `make test-slow`, for each is a process of its own."""


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("independence")


def run(workspace, manifests, golden, name, jobs, *options, steps=None):
    """Latents, digest and id of each job; the steps in their order go into the list `steps`."""
    cat = str(manifests / "faces" / "chelsea.png")
    style, clips = str(manifests / "loras" / "style.safetensors"), manifests / "clips"
    by_expert = {
        "high_noise": str(golden / "weights" / "loras" / "style_high.safetensors"),
        "low_noise": str(golden / "weights" / "loras" / "style_low.safetensors"),
    }
    written = {key: {"mode": "t2v", **values} for key, values in JOBS.items()}
    written["control_with_style"] = {**written["control_with_style"], "reference_image": cat}
    manifest = workspace.manifest(
        name,
        {
            "model": "tiny",
            "output": {"keep_latents": True},
            "defaults": {"num_inference_steps": 2, "num_frames": 5, "width": 96, "height": 64, "max_pixels": 16384},
            "identities": {
                "cat": {"image": cat, "kind": "subject"},
                "astronaut": str(manifests / "faces" / "astronaut.png"),
            },
            "loras": {"style": style, "style_by_expert": {**by_expert, "scale": 0.8}},
            "videos": {"wave": str(clips / "wave.mp4"), "visitors": str(clips / "visitors.mp4")},
            "prompts": {"sit": "Somebody sits at a desk.", "stand": "一个人站着。"},
            # The priority fixes the order: the planner would rather sort by what they have in common.
            "jobs": [{"name": job, "priority": -order, **written[job]} for order, job in enumerate(jobs)],
        },
    )
    ran = workspace.standin("run", manifest, "--json", *options)
    assert ran.returncode == 0, ran.stderr
    if steps is not None:
        events = [json.loads(line) for line in ran.stdout.splitlines()]
        steps += [(event["job_id"], event["step"]) for event in events if event["event"] == "JobStep"]
    folder = workspace.folder / "outputs" / name
    return {
        record["name"]: ((folder / record["latents"]).read_bytes(), record["video_sha256"], record["job_id"])
        for record in workspace.records(name)
    }


@pytest.fixture(scope="module")
def forwards(workspace, manifests, golden):
    return run(workspace, manifests, golden, "forwards", list(JOBS))


def test_the_jobs_are_thirteen_different_videos(forwards):
    assert len({latents for latents, _, _ in forwards.values()}) == len(JOBS) == 13


@pytest.mark.slow
def test_a_job_equals_itself_first_and_after_any_others(forwards, workspace, manifests, golden):
    assert run(workspace, manifests, golden, "backwards", list(reversed(JOBS))) == forwards


@pytest.mark.parametrize("job", [job if job in OFTEN else pytest.param(job, marks=pytest.mark.slow) for job in JOBS])
def test_a_job_alone_in_its_process_equals_the_same_job_among_others(forwards, workspace, manifests, golden, job):
    assert run(workspace, manifests, golden, f"alone-{job}", [job])[job] == forwards[job]


def test_experts_that_take_turns_make_the_same_videos(forwards, workspace, manifests, golden):
    """One expert takes all clips through its steps, then they change places once, then the other does."""
    jobs, steps = ["two_experts", "two_styles", "two_experts_swap"], []
    taken = run(workspace, manifests, golden, "turns", jobs, "--memory", "offload", steps=steps)
    assert taken == {job: forwards[job] for job in jobs}
    high = [(forwards[job][2], step) for job in jobs for step in (1, 2, 3)]
    assert steps == high + [(forwards[job][2], 4) for job in jobs]

"""Nothing is left from one job to the next: its latents are the same alone, first, or after any other."""

from __future__ import annotations

import pytest

JOBS = {
    "with_identity": {"identity": "cat", "prompt": "sit", "seed": 1},
    "without_identity": {"prompt": "sit", "seed": 2},
    "other_identity": {"identity": "astronaut", "prompt": "stand", "seed": 3},
    "other_size": {"identity": "cat", "prompt": "stand", "seed": 4, "width": 96, "height": 96, "num_frames": 5},
}


def run(workspace, manifests, name, jobs):
    manifest = workspace.manifest(
        name,
        {
            "model": "tiny",
            "output": {"keep_latents": True},
            "defaults": {"num_inference_steps": 3},
            "identities": {
                "cat": {"image": str(manifests / "faces" / "chelsea.png"), "kind": "subject"},
                "astronaut": str(manifests / "faces" / "astronaut.png"),
            },
            "prompts": {"sit": "Somebody sits at a desk.", "stand": "一个人站着。"},
            # The priority fixes the order: the planner would rather sort by identity.
            "jobs": [{"name": job, "mode": "t2v", "priority": -order, **JOBS[job]} for order, job in enumerate(jobs)],
        },
    )
    ran = workspace.standin("run", manifest)
    assert ran.returncode == 0, ran.stderr
    folder = workspace.folder / "outputs" / name
    return {
        record["name"]: ((folder / record["latents"]).read_bytes(), record["video_sha256"], record["job_id"])
        for record in workspace.records(name)
    }


def test_a_job_equals_itself_alone_first_and_after_others(workspace, manifests):
    forwards = run(workspace, manifests, "forwards", list(JOBS))
    backwards = run(workspace, manifests, "backwards", list(reversed(JOBS)))
    assert forwards == backwards


@pytest.mark.parametrize("job", ["with_identity", "without_identity"])
def test_a_job_alone_in_its_process_equals_the_same_job_among_others(workspace, manifests, job):
    among = run(workspace, manifests, "among", ["other_identity", job, "other_size"])
    alone = run(workspace, manifests, "alone", [job])
    assert among[job] == alone[job]

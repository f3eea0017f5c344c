"""What goes wrong is said with its cure, and costs nothing that went well."""

from __future__ import annotations

import json
import signal

import pytest
from PIL import Image

from standin_batch.output.layout import OutputLayout
from standin_batch.run.lock import held


@pytest.fixture
def two_identities(workspace, manifests):
    """A good photograph, and one without a face."""
    Image.new("RGB", (320, 240), "lightblue").save(workspace.folder / "sky.png")
    return workspace.manifest(
        "faces",
        {
            "model": "tiny",
            "defaults": {"num_inference_steps": 1, "num_frames": 5},
            "identities": {"sky": "sky.png", "astronaut": str(manifests / "faces" / "astronaut.png")},
            "jobs": [
                {
                    "name": "portraits",
                    "mode": "t2v",
                    "prompt": {"text": "A person sits at a desk."},
                    "matrix": {"identity": ["sky", "astronaut"]},
                }
            ],
        },
    )


def test_one_failed_job_does_not_stop_the_rest(workspace, two_identities):
    ran = workspace.standin("run", two_identities)
    assert ran.returncode == 1
    assert "1 video made, 1 failed" in ran.stderr
    assert "on_no_face" in ran.stderr, "the error names its cure"
    assert [record["identity"] for record in workspace.records("faces")] == ["astronaut"]

    status = json.loads(workspace.standin("status", two_identities, "--json").stdout)
    assert status["counts"]["FAILED"] == 1
    assert "sky" in status["failed"][0]["label"]

    planned = json.loads(workspace.standin("plan", two_identities, "--json").stdout)
    assert (planned["jobs"], len(planned["failed_before"])) == ([], 1), "the same picture would fail in the same way"
    again = json.loads(workspace.standin("plan", two_identities, "--retry-failed", "--json").stdout)
    assert [(job["label"].split(" · ")[1], job["reason"]) for job in again["jobs"]] == [("sky", "failed before")]


def test_what_failed_by_its_own_content_is_not_tried_again_unless_asked_for(workspace, two_identities):
    sky = ("--set", "jobs.portraits.identity=sky")
    workspace.standin("run", two_identities, *sky)
    again = workspace.standin("run", two_identities, *sky)
    assert again.returncode == 1, "it still tells that a video is missing"
    assert "--retry-failed" in again.stderr
    asked = workspace.standin("run", two_identities, *sky, "--retry-failed", "--json")
    assert asked.returncode == 1
    assert json.loads(asked.stdout.splitlines()[-1])["failed"] == 1


def test_a_video_or_a_record_that_is_deleted_comes_back(workspace, two_identities):
    workspace.standin("run", two_identities, "--set", "jobs.portraits.identity=astronaut")
    (record,) = workspace.records("faces")
    folder = workspace.folder / "outputs" / "faces"
    first = (folder / record["video"]).read_bytes()
    for victim in (record["video"], f"records/{record['job_id']}.json"):
        (folder / victim).unlink()
        ran = workspace.standin("run", two_identities, "--set", "jobs.portraits.identity=astronaut")
        assert ran.returncode == 0, ran.stderr
        assert (folder / record["video"]).read_bytes() == first, "the same job gives the same bytes"


def test_missing_weights_are_named_before_any_work(workspace, two_identities):
    ran = workspace.standin("run", two_identities, "--checkpoints", workspace.folder / "nowhere")
    assert ran.returncode == 3
    assert "nowhere/Wan2.1-T2V" in ran.stderr
    assert not (workspace.folder / "outputs").exists()


def test_a_device_that_is_not_there(workspace, two_identities):
    ran = workspace.standin("run", two_identities, "--device", "cuda:99")
    assert ran.returncode == 3
    assert "standin doctor" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "MANIFEST"),
        (["run", "no-such-file.yaml"], "no-such-file.yaml"),
        (["run", "MANIFEST", "--only", "nobody"], "portraits"),
        (["run", "MANIFEST", "--no-such-option"], "--no-such-option"),
        (["no-such-command"], "no-such-command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_command_line_leaves_with_2(workspace, two_identities, arguments, said):
    ran = workspace.standin(*(two_identities if word == "MANIFEST" else word for word in arguments))
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.slow
def test_an_interrupt_keeps_what_is_done_and_the_next_run_goes_on(workspace):
    manifest = workspace.manifest(
        "long",
        {
            "model": "tiny",
            "defaults": {"num_inference_steps": 2, "num_frames": 5, "width": 64, "height": 64},
            "jobs": [{"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}, "matrix": {"seed": "0..5"}}],
        },
    )
    with workspace.start("run", manifest, "--json") as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "JobCompleted":
                process.send_signal(signal.SIGINT)
                break
        rest = process.communicate(timeout=120)[0]
    assert process.returncode == 75
    assert json.loads(rest.splitlines()[-1])["stopped"] is True
    done = len(workspace.records("long"))
    assert 1 <= done < 6

    again = workspace.standin("run", manifest)
    assert again.returncode == 0, again.stderr
    assert f"{6 - done} video" in again.stderr
    assert len(workspace.records("long")) == 6


def test_a_template_that_gives_two_videos_one_name_is_refused(workspace):
    jobs = [{"name": "a", "mode": "t2v", "prompt": {"text": "A tree."}, "matrix": {"seed": "0..1"}}]
    for template, code in (("{name}/{prompt}", 2), ("{name}/{seed}", 0), ("{job_id}", 0)):
        manifest = workspace.manifest("names", {"model": "tiny", "output": {"template": template}, "jobs": jobs})
        ran = workspace.standin("plan", manifest)
        assert ran.returncode == code
        assert ("two videos the name" in ran.stderr) == (code == 2)


def test_a_second_run_is_told_who_is_at_work_and_leaves_with_4(workspace, two_identities):
    folder = workspace.folder / "outputs" / "faces"
    with held(OutputLayout(folder).lock):
        ran = workspace.standin("run", two_identities)
    assert ran.returncode == 4
    assert "is at work in outputs/faces" in ran.stderr
    assert workspace.records("faces") == []


def test_an_output_folder_that_cannot_be_written_is_named(workspace, two_identities):
    (workspace.folder / "file").write_text("")
    for folder in ("file/below", "/proc/nowhere"):
        ran = workspace.standin("run", two_identities, "--set", f"output.folder={folder}")
        assert ran.returncode in (2, 3), ran.stderr
        assert "Traceback" not in ran.stderr
        assert "cure" in ran.stderr or "help" in ran.stderr


def test_a_picture_without_a_face_fails_before_the_weights_are_loaded(workspace, two_identities):
    ran = workspace.standin("run", two_identities, "--set", "jobs.portraits.identity=sky", "--json")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    (failed,) = [event for event in events if event["event"] == "JobFailed"]
    assert "sky.png" in failed["error"]
    assert not any("loading" in event.get("what", "") for event in events)

"""Ray with `shared = false`: workers on nodes that see neither the output folder nor what clips are made from."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter

import pytest
import yaml
from driven import Driven, latents

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_records
from standin_batch.run.journals import runs

pytestmark = pytest.mark.cluster

STORE = 100 * 2**20

INPUTS = ("faces", "loras", "clips")

GUARD = """
import os, sys

def refuse(event, args):
    if event in WATCHED and isinstance(args[0], (str, bytes, os.PathLike)):
        path = os.path.abspath(os.fsdecode(args[0]))
        if any(path == each or path.startswith(each + os.sep) for each in DRIVERS):
            with open(TOLD, "a") as told:
                told.write(f"{event} {path}\\n")
            raise PermissionError(13, "another machine's", path)

# Ray looks for modules in the folder that the driver was started in, but not below these.
WATCHED = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "os.chdir", "os.link")
if any("default_worker" in each for each in sys.orig_argv):
    sys.addaudithook(refuse)
"""
"""In every process of a node: the driver's folder is not there for Ray's workers, and who looks for it is told."""

MANIFEST = {
    "version": 1,
    "name": "away",
    "model": "tiny",
    "output": {"folder": "out", "keep_latents": True},
    "run": {"checkpoint_every": 2},
    "defaults": {"width": 96, "height": 96, "num_frames": 9, "num_inference_steps": 8},
    "identities": {"astronaut": "faces/astronaut.png", "cat": {"image": "faces/chelsea.png", "kind": "subject"}},
    "loras": {"style": {"path": "loras/style.safetensors", "scale": 1.0}},
    "videos": {"wave": "clips/wave.mp4"},
    "prompts": {"rain": "a person walks in the rain", "hands": "a person waves"},
    "jobs": [
        {
            "name": "people",
            "mode": "t2v",
            "prompt": "rain",
            "matrix": {"identity": ["astronaut", "cat"], "seed": "0..1"},
        },
        {"name": "style", "mode": "t2v", "prompt": "rain", "loras": ["style"], "seed": 1},
        {
            **{
                "name": "control",
                "mode": "vace",
                "identity": "astronaut",
                "prompt": "hands",
                "reference_video": "wave",
            },
            **{"vace_scale": 0.8, "reference_image": "faces/astronaut.png", "max_frames": 9, "max_pixels": 9216},
        },
        {
            **{"name": "choosy", "mode": "t2v", "prompt": "hands", "matrix": {"seed": "0..1"}},
            "accept": {"sharpness": ">= 1000000", "max_reseeds": 1, "best_of": 2, "rejected": "drop"},
        },
    ],
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory, manifests):
    """The same clips, made by one process that knows of no cluster."""
    folder = tmp_path_factory.mktemp("alone")
    write_inputs(folder, manifests)
    run = Driven(folder, "manifest.yaml", "--device", "cpu")
    assert run.code() == 1, run.stderr.read_text()
    return folder / "out"


@pytest.fixture
def driver(tmp_path, manifests):
    folder = tmp_path / "driver"
    folder.mkdir()
    write_inputs(folder, manifests)
    return folder


@pytest.fixture
def nodes(tmp_path, driver, monkeypatch):
    """A cluster of two nodes that stand in a folder of their own, for whose workers the driver's is not there."""
    from ray.cluster_utils import Cluster

    own, guard = tmp_path / "nodes", tmp_path / "guard"
    for folder in (own, guard, own / "disk"):
        folder.mkdir()
    told = guard / "told"
    there = [str(driver / name) for name in ("out", "checkpoints", *INPUTS)]
    names = f"DRIVERS, TOLD = {there!r}, {str(told)!r}\n"
    (guard / "sitecustomize.py").write_text(names + GUARD)
    with monkeypatch.context() as node:
        node.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(guard), os.environ.get("PYTHONPATH")])))
        node.setenv("STANDIN_CACHE", str(own / "cache"))
        node.chdir(own)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": STORE})
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=STORE)
        cluster.wait_for_nodes()
    lines = {"address": f'"{cluster.address}"', "gpus_per_worker": 0, "cpus_per_worker": 1, "shared": "false"}
    ray = "\n".join(f"{key} = {value}" for key, value in lines.items())
    (driver / "standin.toml").write_text(f'backend = "ray"\nstage_to = "{own / "disk"}"\n[ray]\n{ray}\n')
    yield own
    cluster.shutdown()
    assert not told.exists(), told.read_text()


def write_inputs(folder, manifests):
    for name in INPUTS:
        shutil.copytree(manifests / name, folder / name)
    (folder / "manifest.yaml").write_text(yaml.safe_dump(MANIFEST, sort_keys=False))


def told_of(folder):
    """What records say of each clip that two runs of it have in common."""
    fields = (
        "video",
        "video_sha256",
        "accepted",
        "attempt",
        "attempt_of",
        "scores",
        "latents",
        "identity_sha256",
        "files",
    )
    return {
        record["job_id"]: {field: record[field] for field in fields} for record in read_records(OutputLayout(folder))
    }


def assert_same(folder, alone):
    assert told_of(folder) == told_of(alone)
    assert latents(folder) == latents(alone)
    layout = OutputLayout(folder)
    for record in read_records(layout):
        assert has_video(layout, record) == has_video(OutputLayout(alone), record)
    assert not list(layout.saved.glob("*"))
    assert not list(folder.rglob(".tmp-*"))


def test_clips_are_the_same_to_the_bit_as_on_the_drivers_own_machine(nodes, driver, alone):
    run = Driven(driver, "manifest.yaml", "--device", "cpu")
    assert run.code() == 1, run.stderr.read_text()
    assert_same(driver / "out", alone)
    assert len({event["worker"] for event in run.named("WorkerStarted")}) == 2
    assert sorted(Counter(event["job_id"] for event in run.named("JobCompleted")).values()) == [1] * len(told_of(alone))
    assert [event for event in run.named("Prepared") if str(event["what"]).startswith("comparing the weights")]
    # Workers that were let go leave nothing on their disks but weights.
    assert [path.name for path in (nodes / "disk").iterdir()] == ["weights"]
    workers = {event["worker"] for event in run.named("WorkerStarted")}
    assert {run.worker for run in runs(OutputLayout(driver / "out").journals)} == {"", *workers}
    assert all(run.ended for run in runs(OutputLayout(driver / "out").journals))


def test_what_a_killed_worker_was_at_another_goes_on_with(nodes, driver, alone):
    run = Driven(driver, "manifest.yaml", "--device", "cpu")
    saved = run.until("JobSaved", step=4)
    worker = next(event["worker"] for event in run.named("JobStarted") if event["job_id"] == saved["job_id"])
    found = runs(OutputLayout(driver / "out").journals)
    os.kill(next(run.pid for run in found if run.worker == worker), signal.SIGKILL)
    assert run.code() == 1, run.stderr.read_text()
    assert run.by_job("JobResumed")[saved["job_id"]]["step"] >= 4
    assert_same(driver / "out", alone)


def test_a_run_that_was_interrupted_goes_on_from_what_its_workers_had(nodes, driver, alone):
    first = Driven(driver, "manifest.yaml", "--device", "cpu")
    first.until("JobStep", step=3)
    first.interrupt()
    assert first.code() == 75, first.stderr.read_text()
    second = Driven(driver, "manifest.yaml", "--device", "cpu")
    assert second.code() == 1, second.stderr.read_text()
    assert second.by_job("JobResumed")
    assert_same(driver / "out", alone)


def test_a_driver_without_weights_has_clips_made_where_they_are(nodes, driver):
    jobs = [{"name": "nobody", "mode": "t2v", "prompt": "rain", "matrix": {"seed": "0..1"}}]
    (driver / "manifest.yaml").write_text(yaml.safe_dump({**MANIFEST, "jobs": jobs}, sort_keys=False))
    run = Driven(driver, "manifest.yaml", "--device", "cpu", "--checkpoints", "nowhere")
    assert run.code() == 0, run.stderr.read_text()
    assert len(run.named("JobCompleted")) == 2
    assert [event for event in run.named("Warned") if "workers have to have it" in event["message"]]
    assert not (driver / "nowhere").exists()

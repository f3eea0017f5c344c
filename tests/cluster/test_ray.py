"""Ray: a real cluster on this machine, the real command line; whatever is killed, nothing is lost or made twice."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
from driven import Driven, latents, write_manifest

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_records
from standin_batch.run.journals import runs

pytestmark = pytest.mark.cluster

STORE = 100 * 2**20
EVERY = 5
"""Steps between saves."""

JOBS = 12


@pytest.fixture
def cluster():
    """A Ray cluster whose head makes no clips."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": STORE})
    yield found
    found.shutdown()


@pytest.fixture
def two_nodes(cluster):
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=STORE) for _ in range(2)]
    cluster.wait_for_nodes()
    return nodes


def manifest_in(folder, **changes):
    """Clips of seconds, so that there is time to do something to them."""
    size = {"model": "tiny", "width": 96, "height": 96, "num_frames": 9, "num_inference_steps": 40}
    write_manifest(folder / "manifest.yaml", run={"checkpoint_every": EVERY}, defaults=size, **changes)


@pytest.fixture
def workspace(tmp_path, cluster):
    manifest_in(tmp_path)
    write_config(tmp_path, cluster)
    return tmp_path


def write_config(folder, cluster, **more):
    lines = {"address": cluster.address, "gpus_per_worker": 0, "cpus_per_worker": 1, **more}
    told = "\n".join(f"{key} = {_toml(value)}" for key, value in lines.items())
    (folder / "standin.toml").write_text(f'backend = "ray"\n[ray]\n{told}\n')


def _toml(value):
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The same jobs, made by one process that knows of no cluster."""
    folder = tmp_path_factory.mktemp("alone")
    manifest_in(folder)
    run = Driven(folder, "manifest.yaml", "--device", "cpu")
    assert run.code() == 0
    return latents(folder / "out")


def assert_whole(folder, *runs_of_it):
    """Every job is done, and was made once."""
    layout = OutputLayout(folder / "out")
    records = list(read_records(layout))
    assert len(records) == JOBS and all(has_video(layout, record) for record in records)
    made = Counter(event["job_id"] for run in runs_of_it for event in run.named("JobCompleted"))
    assert set(made.values()) <= {1}
    assert not list(layout.saved.glob("*.safetensors"))
    assert len((folder / "out" / "index.jsonl").read_text().splitlines()) == JOBS
    assert not list((folder / "out").rglob(".tmp-*"))


@pytest.mark.parametrize("each", [1, 2])
def test_two_or_four_workers_make_what_one_process_makes_to_the_bit(cluster, workspace, alone, each):
    for _ in range(2):
        cluster.add_node(num_cpus=each, object_store_memory=STORE)
    cluster.wait_for_nodes()
    run = Driven(workspace, "manifest.yaml", "--device", "cpu")
    assert run.code() == 0, run.stderr.read_text()
    assert latents(workspace / "out") == alone
    assert len({event["worker"] for event in run.named("WorkerStarted")}) == 2 * each
    assert_whole(workspace, run)


def test_each_text_is_encoded_once_in_all(two_nodes, workspace):
    run = Driven(workspace, "manifest.yaml", "--device", "cpu")
    assert run.code() == 0, run.stderr.read_text()
    files = list((workspace / "out" / ".standin" / "prompts").glob("*.safetensors"))
    # Two prompts, and the one thing they are all to be without.
    assert len(files) == 3
    told = [event["what"] for event in run.named("Prepared") if str(event["what"]).startswith("encoding")]
    assert sum(_encoded(what) for what in told) == 3


def _encoded(what):
    numbers = [int(word) for word in what.split() if word.isdigit()]
    return numbers[0] - sum(numbers[1:])


def test_what_a_killed_worker_was_at_another_goes_on_with(two_nodes, workspace, alone):
    run = Driven(workspace, "manifest.yaml", "--device", "cpu")
    saved = run.until("JobSaved", step=2 * EVERY)
    worker = next(event["worker"] for event in run.named("JobStarted") if event["job_id"] == saved["job_id"])
    os.kill(pid_of(workspace, worker), signal.SIGKILL)
    assert run.code() == 0, run.stderr.read_text()
    assert [event["worker"] for event in run.named("WorkerLeft")][:1] == [worker]
    resumed = run.by_job("JobResumed")
    assert saved["job_id"] in resumed
    assert_repeats_little(run, resumed)
    assert latents(workspace / "out") == alone
    assert_whole(workspace, run)


def test_a_node_that_is_lost_costs_no_clip_and_one_that_comes_is_used(cluster, two_nodes, workspace, alone):
    run = Driven(workspace, "manifest.yaml", "--device", "cpu")
    run.until("JobSaved", step=2 * EVERY)
    cluster.remove_node(two_nodes[0], allow_graceful=False)
    cluster.add_node(num_cpus=1, object_store_memory=STORE)
    assert run.code() == 0, run.stderr.read_text()
    assert len(run.named("WorkerStarted")) >= 3
    assert_repeats_little(run, run.by_job("JobResumed"))
    assert latents(workspace / "out") == alone
    assert_whole(workspace, run)


def test_a_driver_that_was_killed_goes_on_where_its_workers_were(two_nodes, workspace, alone):
    first = Driven(workspace, "manifest.yaml", "--device", "cpu")
    first.until("JobCompleted")
    saved = first.until("JobSaved", step=2 * EVERY)
    first.kill()
    second = Driven(workspace, "manifest.yaml", "--device", "cpu")
    assert second.code() == 0, second.stderr.read_text()
    assert saved["job_id"] in second.by_job("JobResumed") or saved["job_id"] not in second.by_job("JobStarted")
    assert second.by_job("JobCompleted").keys().isdisjoint(first.by_job("JobCompleted").keys())
    assert latents(workspace / "out") == alone
    assert_whole(workspace, second)


@pytest.mark.parametrize("how", ["Ctrl-C", "standin stop", "SIGTERM"])
def test_a_run_that_ends_early_saves_what_is_at_work_and_goes_on(two_nodes, workspace, alone, how):
    first = Driven(workspace, "manifest.yaml", "--device", "cpu")
    first.until("JobSaved")
    first.end_by(how)
    assert first.code() == 75, first.stderr.read_text()
    assert not [event for event in first.named("WorkerLeft") if event["why"]]
    second = Driven(workspace, "manifest.yaml", "--device", "cpu")
    assert second.code() == 0, second.stderr.read_text()
    assert second.by_job("JobResumed")
    assert latents(workspace / "out") == alone
    assert_whole(workspace, first, second)


def test_a_job_that_fails_by_itself_is_no_fault_of_its_worker(two_nodes, workspace):
    (workspace / "nobody.png").write_bytes(grey_picture())
    jobs = [
        {"name": "clip", "mode": "t2v", "prompt": "rain", "matrix": {"seed": "0..3"}},
        {"name": "nobody", "mode": "t2v", "prompt": "rain", "identity": "nobody", "seed": 1},
    ]
    identities = {"nobody": {"image": "nobody.png", "on_no_face": "error"}}
    manifest_in(workspace, jobs=jobs, identities=identities)
    run = Driven(workspace, "manifest.yaml", "--device", "cpu")
    assert run.code() == 1, run.stderr.read_text()
    assert len(run.named("JobFailed")) == 1 and len(run.named("JobCompleted")) == 4
    assert not [event for event in run.named("WorkerLeft") if event["why"]]


def grey_picture():
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), (128, 128, 128)).save(buffer, format="PNG")
    return buffer.getvalue()


def pid_of(folder, worker):
    return next(run.pid for run in runs(folder / "out" / ".standin" / "journal") if run.worker == worker)


def assert_repeats_little(run, resumed):
    """What another goes on with was at most so many steps further."""
    for job_id, event in resumed.items():
        before = run.events[: run.events.index(event)]
        done = [each["step"] for each in before if each["event"] == "JobStep" and each["job_id"] == job_id]
        assert max(done, default=0) - event["step"] <= EVERY

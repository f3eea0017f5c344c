"""A run that is killed at any moment, again and again, ends as if nothing had happened.

Each chain of runs is killed at seeded moments until one comes through. CI takes a few; `make test-crash` takes 200 and
prints what they hit.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from safetensors.numpy import load_file

EVERY = 2
"""Steps between two saves."""

KILLS = 200
OFTEN = 5

IN_TIME = 0.3
"""Share of the kills that come by the clock, in the middle of whatever is computed then."""

KILLED = -9


def write_manifest(workspace, manifests, golden, name):
    """Jobs of each mode, small."""
    cat = str(manifests / "faces" / "chelsea.png")
    clips = manifests / "clips"
    swap = {"mode": "face_swap", "input_video": "visitors", "num_frames": 5, "paste": False}
    jobs = {
        "style": {"identity": "cat", "loras": [str(manifests / "loras" / "style.safetensors")]},
        "control": {"mode": "vace", "reference_video": "wave", "num_frames": 5, "reference_image": cat},
        "swap": {**swap, "identity": "cat", "force_background_consistency": True},
        "experts": {"model": "tiny-2.2", "num_inference_steps": 6, "seed": 1},
        "more": {"model": "tiny-2.2", "num_inference_steps": 6, "seed": 2},
    }
    return workspace.manifest(
        name,
        {
            "model": "tiny",
            "run": {"checkpoint_every": EVERY},
            "output": {"keep_latents": True},
            "defaults": {"num_inference_steps": 5, "num_frames": 5, "width": 64, "height": 64, "max_pixels": 4096},
            "identities": {"cat": {"image": cat, "kind": "subject"}},
            "videos": {"wave": str(clips / "wave.mp4"), "visitors": str(clips / "visitors.mp4")},
            "prompts": {"sit": "Somebody sits at a desk."},
            "jobs": [{"mode": "t2v", "name": key, "prompt": "sit", **value} for key, value in jobs.items()],
        },
    )


@dataclass
class Folder:
    """What is in an output folder."""

    path: Path

    def records(self):
        return {path.stem: json.loads(path.read_text()) for path in (self.path / "records").glob("[!.]*.json")}

    def latents(self):
        return {path.stem: load_file(path)["latents"] for path in (self.path / "latents").glob("[!.]*.safetensors")}

    def videos(self):
        return {record["job_id"]: (self.path / record["video"]).read_bytes() for record in self.records().values()}


def _made(record):
    """What a record says besides scores, which come after the video and may be looked for by the next run."""
    return {key: value for key, value in record.items() if key != "scores"}


@dataclass
class Chain:
    """Runs of one manifest, each killed, until one comes through."""

    workspace: object
    manifest: Path
    folder: Folder
    options: tuple[str, ...]
    hit: Counter = field(default_factory=Counter)
    steps: dict[str, int] = field(default_factory=dict)

    def run(self, **faults):
        """One run; what it says is checked against what was done before."""
        done = self.folder.records()
        ran = self.workspace.standin("run", self.manifest, "--json", *self.options, **faults)
        events = [json.loads(line) for line in ran.stdout.splitlines() if line.endswith("}")]
        self._nothing_done_is_begun_again(done, events)
        self._no_more_is_lost_than_was_said(events)
        self._nothing_is_lost(done)
        return ran

    def _nothing_done_is_begun_again(self, done, events):
        assert not {event["job_id"] for event in events if event["event"] == "JobStarted"} & set(done)

    def _no_more_is_lost_than_was_said(self, events):
        resumed = {event["job_id"]: event["step"] for event in events if event["event"] == "JobResumed"}
        for job_id in {event["job_id"] for event in events if event["event"] == "JobStarted"}:
            lost = self.steps.get(job_id, 0) - resumed.get(job_id, 0)
            assert lost <= EVERY, f"{lost} steps of {job_id} were lost"
        for event in events:
            if event["event"] in ("JobStep", "JobResumed"):
                self.steps[event["job_id"]] = event["step"]

    def _nothing_is_lost(self, done):
        now = self.folder.records()
        assert {key: _made(now[key]) for key in done} == {key: _made(done[key]) for key in done}, (
            "what is done stays done"
        )
        assert set(self.folder.videos()) == set(now), "a record has its video"


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("crash")


@pytest.fixture(scope="module")
def uninterrupted(workspace, manifests, golden):
    """What comes out when nothing happens, and the moments that there are to be killed at."""
    manifest = write_manifest(workspace, manifests, golden, "whole")
    moments = workspace.folder / "moments"
    workspace.standin("run", manifest, "--limit", "1")
    shutil.rmtree(workspace.folder / "outputs")
    ran = workspace.standin("run", manifest, faults={"kind": "kill", "at": 0, "moments": str(moments)})
    assert ran.returncode == 0, ran.stderr
    folder = Folder(workspace.folder / "outputs" / "whole")
    assert len(folder.records()) == 5
    return folder.latents(), folder.videos(), len(moments.read_text().splitlines())


def crash(workspace, manifests, golden, uninterrupted, kills, seed):
    """Kill so many runs; returns what they were at."""
    drawn, hit, number = random.Random(seed), Counter(), 0
    latents, videos, moments = uninterrupted
    while sum(hit.values()) < kills:
        number += 1
        name = f"crash-{seed}-{number}"
        manifest = write_manifest(workspace, manifests, golden, name)
        folder = Folder(workspace.folder / "outputs" / name)
        chain = Chain(workspace, manifest, folder, drawn.choice([(), ("--memory", "offload")]))
        # Kills become rarer as a chain goes on, so that it comes to an end.
        while sum(hit.values()) < kills:
            at = f"{workspace.folder}/moments-{name}"
            if drawn.random() < IN_TIME:
                ran = chain.run(kill_after=drawn.uniform(0.5, 12))
                last = "the clock"
            else:
                ran = chain.run(faults={"kind": "kill", "at": drawn.randint(1, moments), "moments": at})
                last = Path(at).read_text().splitlines()[-1]
            if ran.returncode != KILLED:
                assert ran.returncode == 0, ran.stderr
                break
            hit[last] += 1
        ran = chain.run()
        assert ran.returncode == 0, ran.stderr
        assert {key: value.tobytes() for key, value in folder.latents().items()} == {
            key: value.tobytes() for key, value in latents.items()
        }
        assert folder.videos() == videos
        assert not list(folder.path.rglob(".tmp-*"))
        assert not list((folder.path / ".standin" / "saved").iterdir())
        assert len((folder.path / "index.jsonl").read_text().splitlines()) == len(videos)
        shutil.rmtree(folder.path)
    return hit


def test_a_run_that_is_killed_at_any_moment_goes_on(workspace, manifests, golden, uninterrupted):
    assert sum(crash(workspace, manifests, golden, uninterrupted, OFTEN, seed=1).values()) == OFTEN


@pytest.mark.crash
def test_and_so_it_is_at_two_hundred_moments(workspace, manifests, golden, uninterrupted, capsys):
    hit = crash(workspace, manifests, golden, uninterrupted, KILLS, seed=int(os.environ.get("CRASH_SEED", "2")))
    with capsys.disabled():
        print(f"\n{sum(hit.values())} kills: {', '.join(f'{number} {what}' for what, number in hit.most_common())}")
    assert sum(hit.values()) == KILLS

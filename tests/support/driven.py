"""A run of the real command line that is watched while it is at work, by what it prints with `--json`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

Event = dict[str, object]


class Driven:
    """`standin run --json`, begun; its events can be waited for one after the other, and are all kept."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        command = [sys.executable, "-m", "standin_batch", "run", *map(str, arguments), "--json"]
        self.folder = folder
        self.stderr = folder / "stderr.txt"
        with self.stderr.open("a") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | ONE_THREAD,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self.events: list[Event] = []

    def __iter__(self) -> Iterator[Event]:
        for line in self._process.stdout:
            self.events.append(json.loads(line))
            yield self.events[-1]

    def until(self, name: str, **fields: object) -> Event:
        """The next event of this name with these values."""
        for event in self:
            if event["event"] == name and all(event.get(key) == value for key, value in fields.items()):
                return event
        raise AssertionError(f"it ended without {name} {fields}: {self.stderr.read_text()[-3000:]}")

    def code(self) -> int:
        """How it leaves, with all its events read."""
        for _ in self:
            pass
        return self._process.wait(timeout=120)

    def kill(self) -> None:
        """As a power cut would end it."""
        self._process.send_signal(signal.SIGKILL)
        for _ in self:
            pass
        self._process.wait(timeout=60)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end_by(self, how: str) -> None:
        """Ask it to stop: by `Ctrl-C`, by `SIGTERM`, or by `standin stop` from another shell, which does not wait."""
        if how == "standin stop":
            command = [sys.executable, "-m", "standin_batch", "stop", str(self.folder / "out"), "--no-wait"]
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
            return
        self._process.send_signal({"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}[how])

    def named(self, name: str) -> list[Event]:
        """The events of this name, so far."""
        return [event for event in self.events if event["event"] == name]

    def by_job(self, name: str) -> dict[str, Event]:
        """The same by job; of several the last."""
        return {event["job_id"]: event for event in self.named(name)}


def write_manifest(path: Path, **changes: object) -> Path:
    """A manifest of two identities-to-be, three prompts and two seeds on the tiny model, with latents kept."""
    manifest = {
        "version": 1,
        "name": "crew",
        "output": {"folder": "out", "keep_latents": True},
        "run": {"checkpoint_every": 2},
        "defaults": {"model": "tiny", "width": 96, "height": 96, "num_frames": 9, "num_inference_steps": 8},
        "prompts": {"rain": "a person walks in the rain", "window": "a person sits by a window"},
        "jobs": [{"name": "clip", "mode": "t2v", "matrix": {"prompt": ["rain", "window"], "seed": "0..5"}}],
    }
    path.write_text(yaml.safe_dump(manifest | changes, sort_keys=False))
    return path


def latents(folder: Path) -> dict[str, bytes]:
    """The latents that are kept in an output folder, by job: the tensors' own bytes, without how long they took."""
    from safetensors.torch import load_file

    found = {path.stem: load_file(path)["latents"] for path in sorted((folder / "latents").glob("*.safetensors"))}
    return {job_id: tensor.numpy().tobytes() for job_id, tensor in found.items()}

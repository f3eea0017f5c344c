"""The names of all files in an output folder: the one place that knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin_batch.fingerprint import digest
from standin_batch.job import Job

MAX_LABEL = 60
"""Characters of a name in a file name."""

MAX_PART_BYTES = 200
"""Of one part of a path; file systems end at 255. A longer one ends in its digest, so that no two become one."""

_UNSAFE = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True)
class WorkerLayout:
    """The names of what a worker of a crew has for itself in an output folder."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Held by the worker while it is at work."""
        return self.folder / "lock"

    @property
    def stop(self) -> Path:
        """Somebody's wish that it stops."""
        return self.folder / "stop"

    @property
    def log(self) -> Path:
        """What is logged by it, as the output folder's own log has it."""
        return self.folder / "log.jsonl"


@dataclass(frozen=True)
class ArrayLayout:
    """The names of what belongs to the array of tasks that was submitted last for an output folder."""

    folder: Path

    @property
    def file(self) -> Path:
        """Which array that is, and who makes what."""
        return self.folder / "array.json"

    @property
    def stop(self) -> Path:
        """Its presence tells tasks that they are not wanted any more, also those that begin only now."""
        return self.folder / "stop"

    @property
    def tasks(self) -> Path:
        """What tasks are started with, and what they print: nobody else may write there."""
        return self.folder / "tasks"

    def done(self, rank: int) -> Path:
        """Its presence says that a task has done all it was to do."""
        return self.folder / f"done-{rank}"


@dataclass(frozen=True)
class OutputLayout:
    """Where things lie below an output folder."""

    folder: Path

    @property
    def videos(self) -> Path:
        """Folder of the mp4 files."""
        return self.folder / "videos"

    @property
    def records(self) -> Path:
        """Folder of the records."""
        return self.folder / "records"

    @property
    def index(self) -> Path:
        """One JSON line for each record."""
        return self.folder / "index.jsonl"

    @property
    def parquet(self) -> Path:
        """One typed row for each record."""
        return self.folder / "index.parquet"

    @property
    def metadata(self) -> Path:
        """What `datasets.load_dataset("videofolder", ...)` reads beside the videos."""
        return self.folder / "metadata.jsonl"

    @property
    def gallery(self) -> Path:
        """The page that shows the videos."""
        return self.folder / "gallery.html"

    @property
    def gallery_news(self) -> Path:
        """What an open gallery asks for again and again while a run is at work: whether there is a newer one."""
        return self.state / "gallery.js"

    @property
    def posters(self) -> Path:
        """Folder of one small picture for each video."""
        return self.folder / "posters"

    @property
    def report(self) -> Path:
        """What was made, in Markdown; its plots lie in a folder beside it."""
        return self.folder / "report.md"

    @property
    def lock_file(self) -> Path:
        """The manifest of the last run, resolved."""
        return self.folder / "manifest.lock.yaml"

    @property
    def lock_prompts(self) -> Path:
        """Folder of the prompt files that the lock file names."""
        return self.folder / "manifest.lock"

    @property
    def state(self) -> Path:
        """Folder of what only runs read: journals, prepared subjects, log."""
        return self.folder / ".standin"

    @property
    def journals(self) -> Path:
        """Folder of the journals, one for each process."""
        return self.state / "journal"

    @property
    def owned(self) -> Path:
        """The ids of all jobs of the last run's manifest, one job a line, with those of its further attempts."""
        return self.state / "jobs.txt"

    @property
    def subjects(self) -> Path:
        """Folder of the prepared subject images, by what decides them."""
        return self.state / "subjects"

    @property
    def prompts(self) -> Path:
        """Folder of encoded prompts that several workers of one run need."""
        return self.state / "prompts"

    @property
    def preflight(self) -> Path:
        """The first page of the contact sheet of the identities; further ones are numbered from 2."""
        return self.folder / "preflight.png"

    @property
    def people(self) -> Path:
        """Folder of what tells the people on the identities' photographs apart, by their content."""
        return self.state / "people"

    @property
    def saved(self) -> Path:
        """Folder of jobs that are on their way: latents between two steps."""
        return self.state / "saved"

    @property
    def log(self) -> Path:
        """What libraries print, and the tracebacks of failed jobs: one JSON object a line."""
        return self.state / "log.jsonl"

    @property
    def stop(self) -> Path:
        """Somebody's wish that the run at work here stops."""
        return self.state / "stop"

    @property
    def lock(self) -> Path:
        """Held by the run that is at work here."""
        return self.state / "lock"

    @property
    def workers(self) -> Path:
        """One folder for each worker of a crew that has made clips here."""
        return self.state / "workers"

    @property
    def array(self) -> ArrayLayout:
        """What an array of a scheduler has for itself."""
        return ArrayLayout(self.state / "slurm")

    def worker(self, name: str) -> WorkerLayout:
        """What a worker has for itself."""
        return WorkerLayout(self.workers / safe_name(name))

    @property
    def preview(self) -> OutputLayout:
        """The output folder of previews: beside this one, so that no data set takes them in."""
        folder = self.folder.resolve() if self.folder.name in ("", "..") else self.folder
        return OutputLayout(folder.with_name(f"{folder.name}-preview"))

    @property
    def latents_folder(self) -> Path:
        """Folder of latents before decoding."""
        return self.folder / "latents"

    def record(self, job_id: str) -> Path:
        """The record of a job."""
        return self.records / f"{job_id}.json"

    def latents(self, job_id: str) -> Path:
        """The latents of a job before decoding, where they are kept."""
        return self.latents_folder / f"{job_id}.safetensors"

    def poster(self, job_id: str) -> Path:
        """The small picture of a job's video."""
        return self.posters / f"{job_id}.webp"

    def saved_state(self, job_id: str) -> Path:
        """What is saved of a job that is on its way."""
        return self.saved / f"{job_id}.safetensors"

    def video(self, job: Job, template: str) -> Path:
        """The video of a job by the manifest's template, always inside `videos`."""
        parts = template.format_map(template_values(job)).split("/")
        names = [safe_name(part) for part in parts if part not in ("", ".", "..")]
        return self.videos.joinpath(*names[:-1], f"{names[-1]}.mp4")

    def relative(self, path: Path) -> str:
        """`path` relative to the output folder, with forward slashes."""
        return path.relative_to(self.folder).as_posix()


def template_values(job: Job) -> dict[str, Any]:
    """What a template can name."""
    labels = {
        "name": job.name,
        "identity": "none" if job.subject is None else job.subject.name,
        "prompt": job.prompt_name,
        "model": job.model,
        "mode": job.mode,
        "speed": str(job.speed),
        "job_id": job.job_id,
    }
    numbers = {"seed": job.seed, "width": job.width, "height": job.height, "num_frames": job.num_frames}
    return {**{key: safe_name(value)[:MAX_LABEL] for key, value in labels.items()}, **numbers}


def safe_name(text: str) -> str:
    """`text` as a part of a file name: no separators, nothing hidden, not too long."""
    part = _UNSAFE.sub("_", text).strip("._") or "_"
    if len(part.encode()) <= MAX_PART_BYTES:
        return part
    return f"{part.encode()[: MAX_PART_BYTES - 17].decode(errors='ignore')}-{digest(part)[:16]}"

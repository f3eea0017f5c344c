"""The inbox: the files that jobs are made from, on the disk of a worker that does not see the driver's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from standin_batch.backends.crew.freight import Content, Input
from standin_batch.files import write_atomic
from standin_batch.job import InputFile, Job, Lora, Subject, job_id
from standin_batch.output.layout import MAX_LABEL, safe_name


class Inbox:
    """Files by their content.

    Args:
        folder: where they lie.
        fetch: gives the bytes that a content stands for.

    Attributes:
        known_as: the path on the driver's machine of each file here, by its path here.
    """

    def __init__(self, folder: Path, fetch: Callable[[Content], bytes] = bytes) -> None:
        self._folder, self._fetch = folder, fetch
        self._places: dict[str, Path] = {}
        self.known_as: dict[str, str] = {}

    def take(self, inputs: Mapping[str, Input]) -> None:
        """Keep what came with a parcel. Of what the driver could not read there is no file: its jobs fail by that.

        Raises:
            DiskFullError: if there is no room.
        """
        for digest, each in inputs.items():
            place = self._folder / digest / _name(each.path)
            if each.content is not None:
                write_atomic(place, self._fetch(each.content))
            self._places[digest] = place
            self.known_as[str(place)] = str(each.path)

    def moved(self, job: Job) -> Job:
        """The same job, made from the files here: its id is of their content."""
        other = replace(
            job,
            subject=None if job.subject is None else self._subject(job.subject),
            files=self._files(job.files),
            loras=tuple(self._lora(lora) for lora in job.loras),
        )
        assert job_id(other) == job_id(job)
        return other

    def _subject(self, subject: Subject) -> Subject:
        return replace(subject, image=self._places[subject.digest])

    def _lora(self, lora: Lora) -> Lora:
        return replace(lora, files=self._files(lora.files))

    def _files(self, files: Mapping[str, InputFile]) -> dict[str, InputFile]:
        return {key: replace(file, path=self._places[file.digest]) for key, file in files.items()}


def _name(path: Path) -> str:
    """What people call it, and its suffix, by which some libraries read."""
    return f"{safe_name(path.stem)[:MAX_LABEL]}{path.suffix[:MAX_LABEL]}"

"""The mirror: an output folder of a worker's own, where it does not see the driver's; what matters of it is sent there.

Files are sent before the event that tells of them, a record behind all that it speaks of: so the driver's folder is at
every moment one that a worker beside it could have left. What has been sent, and is not judged any more, is removed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, cast

from standin_batch.backends.crew.freight import Content, Freight
from standin_batch.backends.crew.ground import Send
from standin_batch.backends.crew.inbox import Inbox
from standin_batch.backends.crew.news import Sent, Told
from standin_batch.files import write_atomic
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import read_record, recorded_ids
from standin_batch.plan.plan import Group, Plan
from standin_batch.run.events import Event, JobCompleted, JobFailed, JobRequeued, JobSaved
from standin_batch.run.failure import FailureKind
from standin_batch.run.journal import new_path

logger = logging.getLogger(__name__)

MOST_LOG = 1_000_000
"""Bytes of the log that are sent at once; of more, the last."""


class Mirror:
    """What a worker has of the output folder, and what it has sent of it. Two threads come here.

    Args:
        root: an empty folder for all that this worker has on disk.
        home: the output folder, on the driver's machine: people are told of that.
        name: of the worker.
        send: tells the driver.
        fetch: gives the bytes that a content stands for.

    Attributes:
        layout: of the mirror.
        log: of the worker.
    """

    def __init__(self, root: Path, home: Path, name: str, send: Send, fetch: Callable[[Content], bytes]) -> None:
        self._root, self._home, self._send = root, home, send
        self.layout = OutputLayout(root / "output")
        self._inbox = Inbox(root / "inbox", fetch)
        self._journal = self._name(new_path(self.layout.journals, name))
        self.log, self._logged = self.layout.worker(name).log, 0
        self._there: set[Path] = set()
        self._records: dict[str, bytes] = {}
        self._one = Lock()

    def unpack(self, plan: Plan, freight: Freight) -> Plan:
        """Take in what came with a parcel.

        Returns:
            The parcel's plan, with jobs that are made from the files here.
        """
        with self._one:
            self._forget_judged()
            self._inbox.take(freight.inputs)
            for name, content in freight.files.items():
                self._take(self.layout.folder / name, content)
        return replace(plan, groups=tuple(self._moved(group) for group in plan.groups))

    def journal(self, line: str) -> None:
        """Send a line of the journal."""
        self._send(Sent(self._journal, self._told(line, in_json=True).encode(errors="backslashreplace"), is_line=True))

    def tell(self, event: Event) -> None:
        """Send what an event tells of, then the event."""
        with self._one:
            if isinstance(event, JobCompleted):
                self._bring_clips(event.job_id)
            if isinstance(event, (JobSaved, JobCompleted, JobFailed)):
                self._bring_state(event.job_id)
            if isinstance(event, (JobFailed, JobRequeued)):
                self._bring_log()
            self._send(Told(self._translated(event)))

    def close(self) -> None:
        """Send what no event has told of: frames that could not be written, and the end of the log."""
        with self._one:
            for path in sorted(self.layout.saved.glob("[!.]*.safetensors")):
                self._bring_state(path.stem)
            self._bring_log()

    def _moved(self, group: Group) -> Group:
        return replace(group, jobs=tuple(replace(item, job=self._inbox.moved(item.job)) for item in group.jobs))

    def _take(self, path: Path, content: bytes) -> None:
        write_atomic(path, content)
        if path.parent == self.layout.records:
            self._records[path.stem] = content
        if path.parent == self.layout.saved:
            self._there.add(path)

    def _forget_judged(self) -> None:
        """What the jobs before were judged by: all their attempts have ended."""
        for job_id in self._records:
            if (record := read_record(self.layout, job_id)) is not None:
                self._remove(job_id, record)
        self._records.clear()

    def _bring_state(self, job_id: str) -> None:
        """What is saved of a job, or that there is nothing any more."""
        path = self.layout.saved_state(job_id)
        if not self._bring(path) and path in self._there:
            self._there.discard(path)
            self._send(Sent(self._name(path), None))

    def _bring_clips(self, job_id: str) -> None:
        """A clip that is done; and what other attempts of its job have come to by it."""
        others = recorded_ids(self.layout) - {job_id}
        for each in (*sorted(others), job_id):
            if (record := read_record(self.layout, each)) is not None:
                self._bring_clip(each, record, is_new=each == job_id)

    def _bring_clip(self, job_id: str, record: Mapping[str, Any], *, is_new: bool) -> None:
        path = self.layout.record(job_id)
        content = path.read_bytes()
        if not is_new and content == self._records.get(job_id):
            return
        if is_new:
            self._there.update(file for file in self._files(job_id, record) if self._bring(file))
        self._send(Sent(self._name(path), content))
        for file in self._files(job_id, record):
            if file in self._there and not file.is_file():  # it was dropped, as its record says
                self._there.discard(file)
                self._send(Sent(self._name(file), None))
        if record.get("attempt_of") is None:
            self._remove(job_id, record)
        else:
            self._records[job_id] = content

    def _bring(self, path: Path) -> bool:
        """Send a file; whether it is there."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return False
        self._send(Sent(self._name(path), content))
        if path.parent == self.layout.saved:
            self._there.add(path)
        return True

    def _remove(self, job_id: str, record: Mapping[str, Any]) -> None:
        for file in (self.layout.record(job_id), *self._files(job_id, record)):
            file.unlink(missing_ok=True)
            self._there.discard(file)

    def _files(self, job_id: str, record: Mapping[str, Any]) -> Iterator[Path]:
        yield self.layout.folder / record["video"]
        yield self.layout.poster(job_id)
        yield self.layout.latents(job_id)

    def _bring_log(self) -> None:
        """Send what was logged since the last time, up to its last whole line."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, 2)
                begin = self._logged if self._logged <= size else 0  # a full file has made room for a new one
                file.seek(max(begin, size - MOST_LOG))
                lines = file.read()
        except OSError:
            return
        whole = lines[: lines.rfind(b"\n") + 1]
        self._logged = size - len(lines) + len(whole)
        if whole:
            self._send(Sent(self._name(self.log), whole, is_line=True))

    def _name(self, path: Path) -> PurePosixPath:
        return PurePosixPath(self.layout.relative(path))

    def _translated(self, event: Event) -> Event:
        """The same, with what people know in the place of what is called otherwise here."""
        texts = {key: value for key, value in vars(event).items() if isinstance(value, str)}
        told = {key: self._told(value) for key, value in texts.items()}
        if isinstance(event, JobFailed) and event.kind == FailureKind.DISK_FULL.value:
            told["kind"] = FailureKind.MACHINE.value  # it is this machine's disk, not the run's
        return event if told == texts else replace(cast(Any, event), **told)

    def _told(self, text: str, *, in_json: bool = False) -> str:
        if str(self._root) not in text:
            return text
        for path, known in {**self._inbox.known_as, str(self.layout.folder): str(self._home)}.items():
            text = text.replace(path, json.dumps(known, ensure_ascii=False)[1:-1] if in_json else known)
        return text

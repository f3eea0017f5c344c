"""Why a job is in its state, and what becomes of it next, from what was read: nothing here looks at a disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from standin_batch.output.store import is_dropped
from standin_batch.plan.reason import Reason, ReasonKind
from standin_batch.run.failure import is_lasting
from standin_batch.run.job_facts import JobFacts
from standin_batch.run.journal import Entry, State
from standin_batch.run.log import Line
from standin_batch.run.saved import Progress

NEXT = "the next run"

REASONS = {
    ReasonKind.NEW: "its video was never made: no run has come to it yet",
    ReasonKind.INTERRUPTED: f"it was begun and not finished: {NEXT} goes on with it",
    ReasonKind.OUTPUT_MISSING: f"its record is here, but its video is not: {NEXT} makes it again",
    ReasonKind.FORCED: f"it is done, and {NEXT} was told to make it again",
}
"""Why a job would run, where a reason's own words are too few."""


@dataclass(frozen=True)
class Attempt:
    """One time that a job was tried.

    Attributes:
        at: when it began, in seconds since 1970; of one that failed before it began, when it failed.
        state: how it ended, in Slurm's words; `RUNNING` if it has not.
        seconds: that it took; None where nobody wrote down its beginning or its end.
        kind: of the failure; empty without one.
        error: why it failed, or was stopped.
        cure: what to do about it.
        worker: of a crew that tried it; empty of a run in one process.
    """

    at: float
    state: str
    seconds: float | None
    kind: str = ""
    error: str = ""
    cure: str = ""
    worker: str = ""


@dataclass(frozen=True)
class Why:
    """Where a job stands, and why.

    Attributes:
        job_id: of the job.
        label: how it is called for people.
        state: in Slurm's words.
        told: why, and what comes next, in a sentence.
        at: when it came into its state, in seconds since 1970; None of a job that no run has come to.
        video: its path below the output folder; None unless it is there.
        seconds: spent on the video, by phase.
        kind: of the last failure, if the job has failed.
        error: its message.
        cure: what to do about it.
        saved: how far its saved state is; None where nothing is saved.
        reason: why it would run, as `standin plan` says it; None without a manifest, or where it is done.
        attempts: each time that it was tried, oldest first.
        log: what the log says of it, oldest first.
    """

    job_id: str
    label: str
    state: str
    told: str
    at: float | None = None
    video: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    kind: str = ""
    error: str = ""
    cure: str = ""
    saved: Progress | None = None
    reason: str | None = None
    attempts: tuple[Attempt, ...] = ()
    log: tuple[Line, ...] = ()


def explain(facts: JobFacts) -> Why:
    """Why a job is in its state, and what becomes of it next."""
    state = _state(facts)
    last = facts.entries[-1] if facts.entries and state is not State.PENDING else None
    failed = last if last is not None and state in (State.FAILED, State.REQUEUED) else None
    record: Mapping[str, Any] = facts.record if facts.record is not None and facts.has_video else {}
    return Why(
        job_id=facts.job_id,
        label=facts.label,
        state=state.value,
        told=_TOLD[state](facts),
        at=_made_at(record) if record else None if last is None else last.at,
        video=record.get("video"),
        seconds=record.get("seconds", {}),
        kind="" if failed is None else failed.kind,
        error="" if failed is None else failed.error,
        cure="" if failed is None else failed.hint,
        saved=facts.saved,
        reason=None if facts.reason is None or record else str(facts.reason),
        attempts=tuple(_attempts(facts.entries, facts.at_work)),
        log=facts.log,
    )


def _state(facts: JobFacts) -> State:
    """A record with its video outweighs what journals say, and a job of a process that is gone was cancelled."""
    if facts.record is not None and facts.has_video:
        return State.COMPLETED
    last = facts.entries[-1].state if facts.entries else State.PENDING
    if last is State.COMPLETED:
        return State.PENDING
    if last in (State.RUNNING, State.REQUEUED) and not facts.at_work:
        return State.CANCELLED
    return last


def _made_at(record: Mapping[str, Any]) -> float | None:
    try:
        return datetime.fromisoformat(record["finished_at"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def _completed(facts: JobFacts) -> str:
    record: Mapping[str, Any] = facts.record or {}
    if record.get("accepted") is not False:
        return "done: its video and its record are here"
    return f"made, but not accepted: {_asked(record)}"


def _asked(record: Mapping[str, Any]) -> str:
    """What a clip's job asks for, and what the clip has of it."""
    scores, asked = record.get("scores") or {}, [str(each) for each in record.get("accept") or ()]
    if not asked:
        return "its job takes the best of several"
    has = ", ".join(f"{name} {scores.get(name)}" for name in dict.fromkeys(each.split(" ", 1)[0] for each in asked))
    return f"its job asks for {' and '.join(asked)}, and it has {has}"


def _running(facts: JobFacts) -> str:
    worker, host = facts.entries[-1].worker, facts.entries[-1].host
    where = f", by worker {worker} on {host}" if worker else ""
    return f"at work now{where}" if facts.saved is None else f"at work now{where}; {_step(facts.saved)} is saved"


def _requeued(_: JobFacts) -> str:
    return "it failed by a fault that may pass, and is tried again in this run"


def _failed(facts: JobFacts) -> str:
    if facts.record is not None:
        return f"none of its clips was accepted; {NEXT} leaves it out, unless `accept` asks for less or allows more"
    if is_lasting(facts.entries[-1].kind):
        return f"it would fail in the same way again, so {NEXT} leaves it out; --retry-failed tries it again"
    return f"{NEXT} tries it again" if facts.saved is None else f"{NEXT} tries it again, from {_step(facts.saved)}"


def _cancelled(facts: JobFacts) -> str:
    stopped = "stopped"
    if facts.entries[-1].state is State.RUNNING:
        worker = facts.entries[-1].worker
        stopped = f"cut off when {f'worker {worker}' if worker else 'its process'} was killed, or crashed,"
    if facts.saved is None:
        return f"{stopped} before anything of it was saved; {NEXT} begins it anew"
    if facts.saved.step == facts.saved.steps:
        return f"{stopped} after all of its {facts.saved.steps} steps; {NEXT} makes the video from them"
    return f"{stopped} at {_step(facts.saved)}; {NEXT} goes on from there"


def _pending(facts: JobFacts) -> str:
    if facts.reason is not None and facts.reason.kind is not ReasonKind.CHANGED:
        return REASONS.get(facts.reason.kind, str(facts.reason))
    if facts.reason is not None:
        changes = ", ".join(facts.reason.changes)
        return f"what it is made from has changed since its video was made ({changes}): {NEXT} makes it anew"
    if facts.record is not None and is_dropped(facts.record):
        return f"rejected, and its video was removed, as the job wants: {_asked(facts.record)}"
    if facts.record is not None:
        return REASONS[Reason.OUTPUT_MISSING.kind]
    if facts.entries:
        return f"its video was made, but its record is gone: {NEXT} makes it again"
    return "no run has come to it yet"


def _step(saved: Progress) -> str:
    return f"step {saved.step} of {saved.steps}"


_TOLD: Mapping[State, Callable[[JobFacts], str]] = {
    State.COMPLETED: _completed,
    State.RUNNING: _running,
    State.REQUEUED: _requeued,
    State.FAILED: _failed,
    State.CANCELLED: _cancelled,
    State.PENDING: _pending,
}


def _attempts(entries: Iterable[Entry], at_work: bool) -> Iterator[Attempt]:
    """Each beginning with its end. A beginning after which another follows was cut off."""
    begun: Entry | None = None
    for entry in entries:
        if entry.state is State.RUNNING:
            if begun is not None:
                yield Attempt(begun.at, State.CANCELLED.value, None, worker=begun.worker)
            begun = entry
        elif entry.state is not State.PENDING:
            yield _ended(begun, entry)
            begun = None
    if begun is not None:
        yield Attempt(begun.at, (State.RUNNING if at_work else State.CANCELLED).value, None, worker=begun.worker)


def _ended(begun: Entry | None, end: Entry) -> Attempt:
    seconds = None if begun is None else max(0.0, end.at - begun.at)
    at = end.at if begun is None else begun.at
    return Attempt(at, end.state.value, seconds, end.kind, end.error, end.hint, end.worker)

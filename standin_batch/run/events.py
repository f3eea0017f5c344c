"""What happens during a run, as values: the console draws them, and `--json` prints them.

Where a crew makes the clips, `worker` names the one that an event comes from; of a run in this process it is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from standin_batch.output.summary import Summary


@dataclass(frozen=True)
class RunStarted:
    """A run begins: jobs to make, and jobs done before.

    Attributes:
        manifest: its name.
        folder: of the output.
        to_run: jobs to make.
        done: jobs done before.
        estimated: seconds of the whole process, by what was measured here; None where that is not known.
        device: of the workers that this was measured on; empty without workers, as then it is this machine's.
    """

    manifest: str
    folder: str
    to_run: int
    done: int
    estimated: float | None = None
    device: str = ""


@dataclass(frozen=True)
class Preparing:
    """Something slow that is no job begins: loading weights, preparing identities, encoding prompts."""

    what: str
    worker: str = ""


@dataclass(frozen=True)
class Prepared:
    """It ended."""

    what: str
    seconds: float
    worker: str = ""


@dataclass(frozen=True)
class WorkerStarted:
    """A worker of a crew is at work.

    Attributes:
        worker: its name.
        host: its machine.
        device: that it works on, as torch names it.
    """

    worker: str
    host: str
    device: str


@dataclass(frozen=True)
class WorkerLeft:
    """A worker is gone: nothing is left for it to do, it was stopped, or it died.

    Attributes:
        worker: its name.
        why: in words; empty where it has done all it was to do, or was to stop.
        again: whether another follows that goes on with what it had, and so nothing is wrong.
    """

    worker: str
    why: str
    again: bool = False


@dataclass(frozen=True)
class JobStarted:
    """A job begins."""

    job_id: str
    label: str
    steps: int
    worker: str = ""


@dataclass(frozen=True)
class JobStep:
    """A denoising step of the running job is done."""

    job_id: str
    step: int
    steps: int


@dataclass(frozen=True)
class JobCompleted:
    """The video and the record of a job are on disk.

    Attributes:
        job_id: of the job.
        label: how the job is called for people.
        video: its path below the output folder.
        seconds: spent on it.
        scores: how good it is, as `scores.table` has it; empty where nobody looked.
        accepted: whether the job takes it; None where it asks for nothing, or the decision is open.
        worker: that made it.
    """

    job_id: str
    label: str
    video: str
    seconds: float
    scores: Mapping[str, Any] = field(default_factory=dict)
    accepted: bool | None = None
    worker: str = ""


@dataclass(frozen=True)
class JobRejected:
    """A finished clip is not taken: it misses what is asked of it, or another is better."""

    job_id: str
    label: str
    why: str


@dataclass(frozen=True)
class JobReseeded:
    """One more attempt of a job follows, with another seed.

    Attributes:
        job_id: of the attempt.
        label: how it is called for people.
        attempt: its number; the manifest's own seed has 0.
        seed: of the attempt.
    """

    job_id: str
    label: str
    attempt: int
    seed: int


@dataclass(frozen=True)
class JobFailed:
    """A job failed; the run goes on, unless the machine is at fault."""

    job_id: str
    label: str
    error: str
    hint: str
    kind: str
    worker: str = ""


@dataclass(frozen=True)
class JobRequeued:
    """A job is to be tried again: after a pause, or with less of the weights on the device.

    Attributes:
        job_id: of the job.
        label: how the job is called for people.
        error: why it failed.
        kind: of the failure, as `failure.FailureKind` has it.
        attempt: that failed, from 1.
        seconds: until it is tried again.
        memory: the memory profile that it is tried with, where that is another; empty otherwise.
    """

    job_id: str
    label: str
    error: str
    kind: str
    attempt: int
    seconds: float
    memory: str = ""


@dataclass(frozen=True)
class JobResumed:
    """A job goes on where it was saved."""

    job_id: str
    label: str
    step: int
    steps: int


@dataclass(frozen=True)
class JobSaved:
    """The latents of a job at work are on disk."""

    job_id: str
    step: int
    steps: int


@dataclass(frozen=True)
class Stopping:
    """The run is to stop, and does so when what it has is saved."""

    why: str


@dataclass(frozen=True)
class Warned:
    """Something that stops nothing, but that the user should know."""

    message: str
    hint: str = ""
    worker: str = ""


@dataclass(frozen=True)
class Summarised:
    """What a run amounts to: its own clips and failures, as `output.summary` counts them."""

    summary: Summary


@dataclass(frozen=True)
class RunFinished:
    """A run ends.

    Attributes:
        completed: clips made by it.
        failed: jobs that failed.
        remaining: jobs that it did not come to.
        seconds: from start to end.
        stopped: whether it was asked to stop, or its time was over.
        folder: of the output.
        failed_before: jobs that failed for good in earlier runs, and were not tried.
        why: it ended before its end: a signal, the deadline, `max_failures`, or the kind of failure that ends runs;
            empty if it did not.
        rejected: of the clips made, those that their jobs do not take.
        not_accepted: jobs, now or earlier, of whose clips none was accepted, with no attempt left.
        unscored: clips that their jobs have to judge and that could not be scored.
    """

    completed: int
    failed: int
    remaining: int
    seconds: float
    stopped: bool
    folder: str
    failed_before: int = 0
    why: str = ""
    rejected: int = 0
    not_accepted: int = 0
    unscored: int = 0


@dataclass(frozen=True)
class Profiled:
    """Where the wall time of the process went, from its start until the run ended.

    Attributes:
        seconds: in all.
        parts: seconds of each, as `run.profile.PARTS` names them; they sum to `seconds`.
        beside: seconds of the writer's thread, as `run.profile.BESIDE` names them; they are in no part.
    """

    seconds: float
    parts: Mapping[str, float]
    beside: Mapping[str, float]


@dataclass(frozen=True)
class Finishing:
    """The command for the end of the run begins; it may take a minute."""

    command: str


Event: TypeAlias = (
    "RunStarted | Preparing | Prepared | WorkerStarted | WorkerLeft | JobStarted | JobResumed | JobStep | JobSaved"
    " | JobRequeued | JobCompleted | JobRejected | JobReseeded | JobFailed | Warned | Stopping | Summarised | Profiled"
    " | RunFinished | Finishing"
)
Listener: TypeAlias = "Callable[[Event], None]"

"""What happens during a run, as values: the console draws them, and `--json` prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class RunStarted:
    """A run begins: jobs to make, and jobs done before."""

    manifest: str
    folder: str
    to_run: int
    done: int


@dataclass(frozen=True)
class Preparing:
    """Something slow that is no job begins: loading weights, preparing identities, encoding prompts."""

    what: str


@dataclass(frozen=True)
class Prepared:
    """It ended."""

    what: str
    seconds: float


@dataclass(frozen=True)
class JobStarted:
    """A job begins."""

    job_id: str
    label: str
    steps: int


@dataclass(frozen=True)
class JobStep:
    """A denoising step of the running job is done."""

    job_id: str
    step: int
    steps: int


@dataclass(frozen=True)
class JobCompleted:
    """The video and the record of a job are on disk."""

    job_id: str
    label: str
    video: str
    seconds: float


@dataclass(frozen=True)
class JobFailed:
    """A job failed; the run goes on."""

    job_id: str
    label: str
    error: str
    hint: str


@dataclass(frozen=True)
class Warned:
    """Something that stops nothing, but that the user should know."""

    message: str
    hint: str = ""


@dataclass(frozen=True)
class RunFinished:
    """A run ends.

    Attributes:
        completed: jobs made by it.
        failed: jobs that failed.
        remaining: jobs that it did not come to.
        seconds: from start to end.
        stopped: whether it was asked to stop.
        folder: of the output.
    """

    completed: int
    failed: int
    remaining: int
    seconds: float
    stopped: bool
    folder: str


Event: TypeAlias = (
    "RunStarted | Preparing | Prepared | JobStarted | JobStep | JobCompleted | JobFailed | Warned | RunFinished"
)
Listener: TypeAlias = "Callable[[Event], None]"

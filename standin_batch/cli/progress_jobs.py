"""The jobs at work, as the events of a run tell of them: whose they are, and what they have on disk."""

from __future__ import annotations

from rich.text import Text

from standin_batch.run.events import Event, JobCompleted, JobFailed, JobResumed, JobSaved, JobStarted, WorkerStarted


class JobsAtWork:
    """Follows the jobs.

    Attributes:
        has_crew: whether workers make the clips, and not this process.
    """

    def __init__(self) -> None:
        self.has_crew = False
        self._begun: dict[str, JobStarted] = {}
        self._saved: dict[str, tuple[int, int]] = {}

    def see(self, event: Event) -> None:
        """Follow one event."""
        if isinstance(event, WorkerStarted):
            self.has_crew = True
        elif isinstance(event, JobStarted):
            self._begun[event.job_id] = event
        elif isinstance(event, (JobSaved, JobResumed)):
            self._saved[event.job_id] = (event.step, event.steps)
        elif isinstance(event, (JobCompleted, JobFailed)):
            self._begun.pop(event.job_id, None)
            self._saved.pop(event.job_id, None)

    def begun(self, job_id: str) -> JobStarted | None:
        """How a job at work began; None of one that is not."""
        return self._begun.get(job_id)

    def of(self, worker: str) -> tuple[str, ...]:
        """Ids of the jobs that a worker has at work, or had when it left."""
        return tuple(job_id for job_id, job in self._begun.items() if job.worker == worker)

    def told(self) -> list[Text]:
        """A line for each job at work, when the run is stopped: how far it is saved."""
        return [Text(f"  {job.label}: {self._where(job_id)}", style="dim") for job_id, job in self._begun.items()]

    def _where(self, job_id: str) -> str:
        if job_id not in self._saved:
            return "nothing to save yet; it begins anew"
        step, steps = self._saved[job_id]
        return f"saved at step {step} of {steps}"

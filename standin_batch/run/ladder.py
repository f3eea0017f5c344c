"""The memory ladder of a run: which profile a job begins with, by what jobs like it ran out of memory with."""

from __future__ import annotations

from dataclasses import dataclass, field

from standin_batch.job import Job
from standin_batch.plan.memory import Profile, lowest

Kind = tuple[str, str, str, bool]
"""Model, dtype, mode, and whether there is an identity."""


@dataclass
class Ladder:
    """What was learnt in this run.

    Attributes:
        usual: the profile of jobs that nothing is known of.
    """

    usual: Profile
    _learnt: dict[Kind, list[tuple[int, Profile]]] = field(default_factory=dict)

    def profile_for(self, job: Job) -> Profile:
        """The profile that `job` begins with: one that a job no larger had to go down to."""
        known = [profile for size, profile in self._learnt.get(_kind(job), ()) if size <= _size(job)]
        return lowest(self.usual, *known)

    def learn(self, job: Job, profile: Profile) -> None:
        """`job` had to go down to `profile`."""
        self._learnt.setdefault(_kind(job), []).append((_size(job), profile))


def _kind(job: Job) -> Kind:
    return job.model, job.dtype, job.mode, job.subject is not None


def _size(job: Job) -> int:
    return job.width * job.height * job.num_frames

"""Deadlines: when a run has to end, and which jobs are worth beginning before that. Clocks are looked at by others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from standin_batch.durations import seconds_of
from standin_batch.errors import UsageError
from standin_batch.job import Job
from standin_batch.plan.cost import CostModel
from standin_batch.plan.state import State, state_of

USEFUL_STEPS = 3
"""Steps that have to be done before a job is worth being saved: going on with it costs about one or two."""

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})\Z")


@dataclass(frozen=True)
class Deadline:
    """When a run has to end.

    Attributes:
        at: as `time.monotonic` has it.
        costs: what this machine has measured.
    """

    at: float
    costs: CostModel

    def is_worth(self, job: Job, before: State | None, now: float, done: float = 0.0) -> bool:
        """Whether `job` can be finished, or usefully saved, if it is begun now.

        Args:
            job: that would be begun.
            before: the state that the last job left; None before weights are loaded.
            now: as `at`.
            done: share of it that is saved, 0 .. 1.
        """
        left = self.at - now
        seconds = self.costs.job_seconds(job)
        if seconds is None:  # nothing was measured yet: this is how it comes to be
            return left > 0
        left -= self.costs.switch_seconds(before, state_of(job))
        useful = USEFUL_STEPS * seconds / job.num_inference_steps
        return left >= min(seconds * (1 - done), useful)


def seconds_until(deadline: str | None, max_time: str | None, now: datetime) -> float | None:
    """Seconds from `now` to the earlier of the two; None without any.

    Args:
        deadline: a time of day, `06:00`: the next such moment; or a date with a time, `2026-01-31T06:00`.
        max_time: a length of time, `6h`.
        now: local time.

    Raises:
        UsageError: if one cannot be read, or is past.
    """
    found = [] if deadline is None else [(_moment(deadline, now) - now).total_seconds()]
    if max_time is not None:
        seconds = seconds_of(max_time)
        if not seconds:
            raise UsageError(f"--max-time: {max_time!r} is no length of time", "for example 6h, 90min or 1h30m")
        found.append(seconds)
    return min(found, default=None)


def _moment(text: str, now: datetime) -> datetime:
    moment = _next(text, now) or _dated(text)
    if moment is None:
        raise UsageError(f"--deadline: {text!r} is no time", "for example 06:00, or 2026-01-31T06:00")
    # What the clock here will show, also if it is changed until then: not by the present offset.
    moment = moment if moment.tzinfo else moment.astimezone()
    if moment <= now:
        raise UsageError(f"--deadline: {text} is past", "name a time that is to come")
    return moment


def _next(text: str, now: datetime) -> datetime | None:
    """The next moment with this time of day, without a zone; None if it is none."""
    clock = _CLOCK.match(text)
    hour, minute = map(int, clock.groups()) if clock else (24, 0)
    if hour > 23 or minute > 59:
        return None
    today = now.replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None)
    return today if today > now.replace(tzinfo=None) else today + timedelta(days=1)


def _dated(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if len(text) >= len("2026-01-31T06:00") else None
    except ValueError:
        return None

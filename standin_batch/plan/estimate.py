"""What a plan takes: steps, work, hours, gigabytes and memory. What was never measured here is unknown, not guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from standin_batch.attempts import attempt
from standin_batch.job import Job
from standin_batch.plan.cost import CostModel
from standin_batch.plan.kind import alike, besides
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import Extent, Peak, fits, fitting, peaks
from standin_batch.plan.plan import Group, Plan
from standin_batch.plan.work import job_flop, memory_bytes
from standin_batch.speed import EXACT


@dataclass(frozen=True)
class Device:
    """What jobs run on.

    Attributes:
        name: of the GPU, or `cpu`.
        memory_bytes: of the GPU; None for a CPU.
    """

    name: str
    memory_bytes: int | None = None

    @classmethod
    def imagined(cls, gigabytes: int) -> Device:
        """A GPU that is called to have so much memory, which is of 2^30 bytes each."""
        return cls(f"a GPU of {gigabytes} GB", gigabytes << 30)


CPU = Device("cpu")


@dataclass(frozen=True)
class GroupEstimate:
    """What one group takes.

    Attributes:
        model: row of the registry.
        dtype: of the computation.
        jobs: videos.
        frames: of all videos.
        steps: denoising steps of all videos.
        pixel_frames: width x height x frames of all videos.
        flop: operations of all jobs.
        seconds: of all jobs, without switches and without what is saved of them; None where this device was never
            measured with this model and dtype.
        memory_bytes: the least memory that holds weights and an identity.
        memory_bytes_in_turn: the same with one expert at a time.
        speeds: of its jobs, in words, but for the exact one.
        further: clips that follow at most, where those planned are not accepted.
        expected: how many of them are to be expected; None where none was accepted or rejected before.
        further_seconds: of those expected, or of all; None where this device was never measured.
    """

    model: str
    dtype: str
    jobs: int
    frames: int
    steps: int
    pixel_frames: int
    flop: float
    seconds: float | None
    memory_bytes: int
    memory_bytes_in_turn: int
    speeds: tuple[str, ...] = ()
    further: int = 0
    expected: float | None = None
    further_seconds: float | None = None


@dataclass(frozen=True)
class Estimate:
    """What a plan takes.

    Attributes:
        groups: in the order in which they run.
        device: that it is estimated for.
        switch_seconds: of everything that changes hands, in the planned order.
        switch_seconds_in_manifest_order: the same if jobs ran as they are written.
        measured: whether loading and computing were measured for every group; else switches are told from assumptions.
        bytes_per_pixel: of video for each pixel of each frame, measured in this folder; None where it has no videos.
        peaks: of memory, as expected, under each profile.
        once_seconds: of what a run takes besides: start, preflight, saving, end; 0 until whole runs were measured.
        waiting_seconds: for the thread that writes and scores, which works beside the jobs.
        leaves_out_compiling: whether jobs compile what was never compiled here: the seconds of that are not told.
    """

    groups: tuple[GroupEstimate, ...]
    device: Device
    switch_seconds: float
    switch_seconds_in_manifest_order: float
    measured: bool
    bytes_per_pixel: float | None
    peaks: Mapping[Profile, Peak]
    once_seconds: float = 0.0
    waiting_seconds: float = 0.0
    leaves_out_compiling: bool = False

    @property
    def jobs(self) -> int:
        """Videos to make."""
        return sum(group.jobs for group in self.groups)

    @property
    def frames(self) -> int:
        """Frames of all videos."""
        return sum(group.frames for group in self.groups)

    @property
    def steps(self) -> int:
        """Denoising steps of all videos."""
        return sum(group.steps for group in self.groups)

    @property
    def flop(self) -> float:
        """Operations of all jobs."""
        return sum(group.flop for group in self.groups)

    @property
    def seconds(self) -> float | None:
        """From the start of the process to its end; None unless every group was measured."""
        known = [group.seconds for group in self.groups if group.seconds is not None]
        besides = self.switch_seconds + self.once_seconds + self.waiting_seconds
        return sum(known) + besides if len(known) == len(self.groups) else None

    @property
    def further(self) -> int:
        """Clips that follow at most, where those planned are not accepted."""
        return sum(group.further for group in self.groups)

    @property
    def expected(self) -> float | None:
        """How many of them are to be expected; None where nothing was accepted or rejected here before."""
        known = [group.expected for group in self.groups if group.expected is not None]
        return sum(known) if len(known) == len(self.groups) else None

    @property
    def further_seconds(self) -> float | None:
        """Of those expected, or else of all; None unless every group was measured."""
        known = [group.further_seconds for group in self.groups if group.further_seconds is not None]
        return sum(known) if len(known) == len(self.groups) else None

    @property
    def video_bytes(self) -> float | None:
        """Of all videos; None where the folder has none to go by."""
        if self.bytes_per_pixel is None:
            return None
        return self.bytes_per_pixel * sum(group.pixel_frames for group in self.groups)

    @property
    def memory_bytes(self) -> int:
        """Of the group that needs most."""
        return max((group.memory_bytes for group in self.groups), default=0)

    @property
    def memory_bytes_in_turn(self) -> int:
        """Of the group that needs most when experts take turns."""
        return max((group.memory_bytes_in_turn for group in self.groups), default=0)

    @property
    def profile(self) -> Profile:
        """The memory profile that `auto` means for this device."""
        return fitting(self.peaks, self.device.memory_bytes)

    @property
    def peak(self) -> Peak:
        """The expected peak of memory under that profile."""
        return self.peaks[self.profile]

    @property
    def fits(self) -> bool | None:
        """Whether the device is expected to hold every job, under some profile; None on a CPU."""
        memory = self.device.memory_bytes
        return None if memory is None else fits(self.peak, memory)


def estimate(
    plan: Plan,
    costs: CostModel,
    device: Device = CPU,
    bytes_per_pixel: float | None = None,
    acceptance: float | None = None,
    scored: bool = False,
    memory: Profile | None = None,
) -> Estimate:
    """Estimate what `plan` takes.

    Args:
        plan: what would run.
        costs: as measured on `device`.
        device: that it would run on.
        bytes_per_pixel: of video for each pixel of each frame, where that is known.
        acceptance: share of clips that are accepted, 0 to 1, where that is known.
        scored: whether all clips are looked at; otherwise those whose jobs ask something of their scores.
        memory: the profile that it would run under; the first that is expected to fit unless given.
    """
    jobs = [item.job for item in plan.to_run]
    together = alike(jobs)
    expected = peaks(Extent.of(one.job) for one in together)
    costs = replace(costs, memory=memory or fitting(expected, device.memory_bytes))
    models = {(group.model, group.dtype) for group in plan.groups}
    return Estimate(
        groups=tuple(_group(group, costs, acceptance) for group in plan.groups),
        device=device,
        switch_seconds=costs.order_seconds(jobs),
        switch_seconds_in_manifest_order=costs.order_seconds(plan.as_written),
        measured=all(model in costs.throughput and model in costs.loading for model in models),
        bytes_per_pixel=bytes_per_pixel,
        peaks=expected,
        once_seconds=costs.once_seconds(together, besides(jobs)),
        waiting_seconds=costs.waiting_seconds(together, scored),
        leaves_out_compiling=any(costs.leaves_out_compiling(one.job) for one in together),
    )


def _group(group: Group, costs: CostModel, acceptance: float | None) -> GroupEstimate:
    jobs = [item.job for item in group.jobs]
    together = alike(jobs)
    whole = [_times(costs.job_seconds(one.job), one.number) for one in together]
    saved = [_times(costs.job_seconds(item.job), -item.reason.saved) for item in group.jobs if item.reason.saved]
    further = list(_further(jobs))
    expected = None if acceptance is None else sum(_expected(one, acceptance) for one in further)
    more = [
        _times(costs.job_seconds(one.job), one.at_most if acceptance is None else _expected(one, acceptance))
        for one in further
    ]
    return GroupEstimate(
        model=group.model,
        dtype=group.dtype,
        jobs=len(jobs),
        frames=sum(job.num_frames for job in jobs),
        steps=sum(job.num_inference_steps for job in jobs),
        pixel_frames=sum(job.width * job.height * job.num_frames for job in jobs),
        flop=sum(one.number * job_flop(one.job) for one in together),
        seconds=_sum([*whole, *saved]),
        memory_bytes=max(memory_bytes(one.job) for one in together),
        memory_bytes_in_turn=max(memory_bytes(one.job, in_turn=True) for one in together),
        speeds=tuple(dict.fromkeys(str(one.job.speed) for one in together if one.job.speed != EXACT)),
        further=sum(one.at_most for one in further),
        expected=expected,
        further_seconds=None if None in whole else _sum(more),
    )


def _times(seconds: float | None, factor: float) -> float | None:
    return None if seconds is None else seconds * factor


def _sum(seconds: Sequence[float | None]) -> float | None:
    """None where one of them is unknown."""
    known = [each for each in seconds if each is not None]
    return sum(known) if len(known) == len(seconds) else None


@dataclass(frozen=True)
class _Further:
    """Attempts of one job that may follow: how many are planned, and how many more there may be."""

    job: Job
    planned: int
    at_most: int


def _further(jobs: Iterable[Job]) -> Iterator[_Further]:
    together: dict[str, list[Job]] = {}
    for job in jobs:
        if job.accept is not None:
            together.setdefault(attempt(job, 0).job_id, []).append(job)
    for planned in together.values():
        last = planned[-1]
        if last.accept is not None:
            begun = max(0, last.attempt + 1 - last.accept.best_of)
            yield _Further(last, len(planned), last.accept.max_reseeds - begun)


def _expected(further: _Further, acceptance: float) -> float:
    """An attempt follows when all before it were rejected."""
    return sum((1 - acceptance) ** (further.planned + number) for number in range(further.at_most))

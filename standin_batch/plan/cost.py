"""The cost model: seconds of each switch between jobs, and of the jobs themselves.

What this machine has measured stands above what is assumed. Assumed rates only weigh the switches against each other,
so that the order is a good one before anything was measured; how long jobs take is never told from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from standin_batch.job import Job
from standin_batch.plan.kind import Alike, kept_kind, marks_of, work_kind
from standin_batch.plan.learnt import Learnt, overhang
from standin_batch.plan.memory import Profile
from standin_batch.plan.state import ModelKey, State, Switches, path, switch
from standin_batch.plan.work import identity_flop, job_flop, prompt_flop
from standin_batch.weights.registry import ROWS

VAE_DISK_BYTES, TEXT_ENCODER_DISK_BYTES = 4, 2
"""Of one number: Wan's VAE is kept in float32, umT5 in bfloat16."""

FUSED_BYTES = 4
"""LoRAs are added in float32."""


@dataclass(frozen=True)
class Rates:
    """What a machine is assumed to do where it has not been measured.

    Attributes:
        opening: seconds to open, check and place a model, a module or a set of LoRAs, however small.
        read: bytes of weights a second, from disk to where they compute.
        fuse: bytes of weights a second that a LoRA is added to, or taken off.
        flop: operations a second.
        shape: seconds until another size runs at full speed, or blocks that are compiled or not any more: kernels
            chosen, memory laid out anew.
    """

    opening: float = 2.0
    read: float = 1e9
    fuse: float = 20e9
    flop: float = 100e12
    shape: float = 1.0


@dataclass(frozen=True)
class CostModel:
    """Seconds of switches and jobs on one device.

    Attributes:
        throughput: FLOP a second, measured, by model and dtype.
        loading: seconds to load, measured, by model and dtype.
        rates: assumed where nothing was measured.
        learnt: from whole runs.
        memory: the profile that jobs are made under.
    """

    throughput: Mapping[ModelKey, float] = field(default_factory=dict)
    loading: Mapping[ModelKey, float] = field(default_factory=dict)
    rates: Rates = field(default_factory=Rates)
    learnt: Learnt = field(default_factory=Learnt)
    memory: Profile = Profile.RESIDENT

    def job_seconds(self, job: Job) -> float | None:
        """Seconds of a job besides its switches: of its kind, or else by its work; None where nothing was measured."""
        known = self._known(job)
        rate = self.throughput.get((job.model, job.dtype))
        return known if known is not None or rate is None else job_flop(job) / rate

    def leaves_out_compiling(self, job: Job) -> bool:
        """Whether a job compiles what was never compiled here, so that nothing tells how long that takes."""
        return job.speed.compile and self._known(job) is None

    def _known(self, job: Job) -> float | None:
        """Seconds of jobs of its kind."""
        return self.learnt.jobs.get(work_kind(job, self.memory.value)) if self.learnt.jobs else None

    def switch_seconds(self, before: State | None, after: State) -> float:
        """Seconds until a job in state `after` can begin.

        Args:
            before: the state that the last job left; None at the start.
            after: the state that is needed.
        """
        return sum(self._seconds(before, after, switch(before, after)).values())

    def _seconds(self, before: State | None, after: State, changed: Switches) -> dict[str, float]:
        """The same by what changes hands."""
        sizes, experts = ROWS[after.model[0]].sizes, len(ROWS[after.model[0]].experts)
        return {
            "models": changed.models * self._load(after.model),
            "modules": changed.modules * self._read(sizes.vace_parameters * sizes.dit_disk_bytes),
            "loras": self._fuse(before, after, changed),
            "speeds": self._compiles(before, after, changed) * self.rates.shape,
            "shapes": changed.shapes * self.rates.shape,
            "identities": changed.identities * experts * identity_flop(sizes) / self._flop_rate(after.model),
        }

    def path_seconds(self, states: Iterable[State]) -> float:
        """Seconds of all switches when these states follow each other."""
        seconds, before = 0.0, None
        for state in states:
            seconds += self.switch_seconds(before, state)
            before = state
        return seconds

    def order_seconds(self, jobs: Sequence[Job]) -> float:
        """Seconds of all switches when jobs run in this order, and of encoding those prompts that no run has had.

        What whole runs have taught stands above what is assumed. Modules and shapes cost nothing then: what they take
        is in what a run is known to take once.
        """
        prompts = self._new_texts(jobs)
        if not self.learnt.runs:
            return self.path_seconds(path(jobs)) + self.prompt_seconds(prompts)
        seconds, number = dict.fromkeys(Switches._fields, 0.0), [0] * len(Switches._fields)
        before: State | None = None
        for state in path(jobs):
            changed = switch(before, state)
            number = [total + count for total, count in zip(number, changed, strict=True)]
            for what, taken in self._seconds(before, state, changed).items():
                seconds[what] += taken
            before = state
        seconds |= {"modules": 0.0, "shapes": 0.0, "prompts": self.prompt_seconds(prompts)}
        counts = dict(zip(Switches._fields, number, strict=True)) | {"prompts": sum(prompts.values())}
        return sum((seconds | self.learnt.counted_seconds(counts)).values())

    def once_seconds(self, together: Sequence[Alike], counts: Mapping[str, int]) -> float:
        """Seconds that a run takes besides its jobs and their switches; 0 until whole runs were measured.

        Args:
            together: its jobs.
            counts: of what it does besides, as `besides` counts it.
        """
        if not together or not self.learnt.runs:
            return 0.0
        kinds = {work_kind(one.job, self.memory.value) for one in together}
        return self.learnt.once_seconds(kinds) + sum(self.learnt.counted_seconds(counts).values())

    def waiting_seconds(self, together: Sequence[Alike], scored: bool) -> float:
        """Seconds that jobs wait for the thread that writes and scores their clips; 0 where that is not known.

        Args:
            together: the jobs of a run.
            scored: whether all clips are looked at.
        """
        made = kept = 0.0
        kinds = [kept_kind(one.job, scored or one.job.accept is not None) for one in together]
        for one, kind in zip(together, kinds, strict=True):
            making, keeping = self.job_seconds(one.job), self.learnt.kept.get(kind)
            if making is None or keeping is None:
                return 0.0
            made, kept = made + one.number * making, kept + one.number * keeping
        clips = sum(one.number for one in together)
        return overhang(made, kept + self.learnt.kept_once_seconds(kinds), clips)

    def prompt_seconds(self, number: Mapping[ModelKey, int]) -> float:
        """Seconds to encode a number of texts with each model."""
        work = ((model, count * prompt_flop(ROWS[model[0]].sizes)) for model, count in number.items())
        return sum(flop / self._flop_rate(model) for model, flop in work)

    def _new_texts(self, jobs: Iterable[Job]) -> dict[ModelKey, int]:
        """How many texts each model has to encode: those of earlier runs are remembered."""
        return {model: len(set(marks) - self.learnt.texts) for model, marks in marks_of(jobs).items()}

    def _compiles(self, before: State | None, after: State, changed: Switches) -> bool:
        there = before is not None and not changed.models and before.speed[1]
        return after.speed[1] != there

    def _flop_rate(self, model: ModelKey) -> float:
        return self.throughput.get(model, self.rates.flop)

    def _load(self, model: ModelKey) -> float:
        return self.loading.get(model, self._read(disk_bytes(model[0])))

    def _read(self, size: float) -> float:
        return self.rates.opening + size / self.rates.read

    def _fuse(self, before: State | None, after: State, changed: Switches) -> float:
        """LoRAs that are there come off, and others go on, and so do 8 bits; each touches every weight of the DiT."""
        if not changed.loras and not changed.speeds:
            return 0.0
        row = ROWS[after.model[0]]
        touched = len(row.experts) * row.sizes.dit_parameters * FUSED_BYTES
        once = self.rates.opening + touched / self.rates.fuse
        there = before if before is not None and not changed.models else None
        on, off = changed.loras * bool(after.loras), changed.loras * bool(there and there.loras)
        was_fp8, is_fp8 = bool(there and there.speed[0]), after.speed[0]
        on, off = on + (is_fp8 and not was_fp8), off + (was_fp8 and not is_fp8)
        # Weights can also be loaded anew to take things off: were that cheaper, a detour over another model would be.
        return min(off * once, self._load(after.model)) + on * once


def disk_bytes(model: str) -> int:
    """Bytes that are read to load a model: every expert, the text encoder and the VAE."""
    row = ROWS[model]
    sizes = row.sizes
    return (
        len(row.experts) * sizes.dit_parameters * sizes.dit_disk_bytes
        + sizes.text_encoder_parameters * TEXT_ENCODER_DISK_BYTES
        + sizes.vae_parameters * VAE_DISK_BYTES
    )

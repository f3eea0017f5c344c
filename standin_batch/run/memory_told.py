"""What people are told of memory: the profile that a GPU would get, what it takes, and what the one above would take.

None of it was measured, and every sentence says that it is expected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from standin_batch.environment import Finding, Level
from standin_batch.plan.estimate import Device
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import GPUS, Extent, Peak, fits, fitting, gpu_for, peaks
from standin_batch.weights.registry import ROWS

GB, MB = 10**9, 10**6


def memory_told(found: Mapping[Profile, Peak], device: Device) -> str:
    """The profile that `auto` means for a run, in a sentence.

    Args:
        found: the expected peak under each profile.
        device: a GPU.
    """
    profile, memory = fitting(found, device.memory_bytes), device.memory_bytes or 0
    peak, there = found[profile], f"the {size_told(memory)} of {device.name}"
    if not fits(peak, memory):
        return f"{_expected(profile, peak)}: does not fit into {there}{_larger(peak)}"
    told = f"{_expected(profile, peak)} of {there}"
    if profile is Profile.RESIDENT:
        return told
    above = found[_above(profile)]
    return f"{told}; {_above(profile).value} would take {size_told(above.most)}{_larger(above)}"


def profile_findings(device: Device) -> Iterator[Finding]:
    """The profile that each large model would get on a GPU, at the size that its makers recommend."""
    if device.memory_bytes is None:
        return
    for row in ROWS.values():
        if row.is_downloaded:
            found = peaks([Extent.usual(row)])
            fitting_one = fits(found[fitting(found, device.memory_bytes)], device.memory_bytes)
            level = Level.OK if fitting_one else Level.WARNING
            cure = "" if fitting_one else "run it on a larger GPU, or with model: tiny"
            yield Finding("memory", level, f"{row.name}: {memory_told(found, device)}", cure)


def profile_table() -> str:
    """The profile of each large model on each size of GPU, as Markdown: what `docs/memory.md` shows."""
    sizes = [f"{size >> 30} GB" for size in GPUS]
    lines = [
        "| model, profile | denoising | decoding | encoding prompts | chosen on |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for row in ROWS.values():
        if row.is_downloaded:
            found = peaks([Extent.usual(row)])
            chosen = [fitting(found, size) for size in GPUS]
            for profile, peak in found.items():
                gigabytes = (f"{each / GB:.1f} GB" for each in (peak.denoising, peak.decoding, peak.encoding))
                on = (
                    ", ".join(size for size, one in zip(sizes, chosen, strict=True) if one is profile)
                    or "none of these"
                )
                lines.append(f"| `{row.name}`, `{profile.value}` | {' | '.join(gigabytes)} | {on} |")
    return "\n".join(lines) + "\n"


def _expected(profile: Profile, peak: Peak) -> str:
    return f"{profile.value}, expected peak {size_told(peak.most)} ({peak.phase})"


def size_told(size: float) -> str:
    """Bytes in words: whole megabytes below 1 GB."""
    return f"{size / GB:,.1f} GB" if size >= GB else f"{size / MB:,.0f} MB"


def _above(profile: Profile) -> Profile:
    rungs = list(Profile)
    return rungs[rungs.index(profile) - 1]


def _larger(peak: Peak) -> str:
    size = gpu_for(peak)
    return "" if size is None else f", for which a GPU of {size >> 30} GB would do"

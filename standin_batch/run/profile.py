"""The profile of a run: where the wall time of its process went, from its start until nothing is left but to leave.

The parts sum to the whole, as each second of the main thread is counted once (`stopwatch`). What the writer's thread
did meanwhile stands beside them. How it is drawn is `cli.profile`'s business, what is learnt from it `run.measured`'s.
"""

from __future__ import annotations

from standin_batch.run.events import Profiled
from standin_batch.stopwatch import OTHER, START, Stopwatch

PLAN, TORCH, DIFFSYNTH, WEIGHTS = "plan", "torch", "diffsynth", "weights"
PREFLIGHT, LOAD, SAVE, WAIT, SCORE, FINISH = "preflight", "load", "save", "wait", "score", "finish"
WRITE = "write"

PARTS = {
    START: "start-up of Python, and its imports",
    PLAN: "manifest, digests, plan",
    TORCH: "importing torch",
    WEIGHTS: "finding weights",
    PREFLIGHT: "preflight",
    SCORE: "scoring",
    DIFFSYNTH: "importing DiffSynth",
    LOAD: "loading weights",
    "prompt": "prompts",
    "identity": "identities",
    "inputs": "inputs of modes, noise",
    "switch": "switches: LoRAs, experts",
    "denoise": "denoising",
    "decode": "decoding",
    SAVE: "saving latents",
    WAIT: "waiting for the writer",
    FINISH: "winding up: memory, index, gallery",
    OTHER: "other",
}
"""What people call the parts, in about the order in which a run comes to them. Those without a name here are the phases
of the engine's clock."""

BESIDE = {WRITE: "writing videos and records", SCORE: "scoring"}
"""What the writer's thread does."""


def profile_of(stopwatch: Stopwatch) -> Profiled:
    """What `stopwatch`, and those beside it, have counted until now."""
    found = stopwatch.seconds()
    parts = {name: found.pop(name, 0.0) for name in PARTS}
    parts[OTHER] += sum(found.values())
    beside = dict.fromkeys(BESIDE, 0.0)
    for other in stopwatch.beside:
        for name, seconds in other.seconds().items():
            if name in beside:
                beside[name] += seconds
    return Profiled(sum(parts.values()), parts, beside)


def told(profiled: Profiled) -> str:
    """A profile in one line, for the log."""
    parts = sorted(profiled.parts.items(), key=lambda part: -part[1])
    shown = ", ".join(f"{PARTS[name]} {seconds:.2f} s" for name, seconds in parts if seconds >= 0.005)
    beside = ", ".join(f"{BESIDE[name]} {seconds:.2f} s" for name, seconds in profiled.beside.items())
    return f"where {profiled.seconds:.2f} s went: {shown}; beside them {beside}"

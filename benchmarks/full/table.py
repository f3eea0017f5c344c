"""The table of the full-size run, from what its steps left: a row that nothing was measured for says so."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.calls import Call, Finished, read_records
from benchmarks.common import Row
from benchmarks.full.clips import CLIPS, EXACT, RUNS, SPEEDS, SWITCH, why_failed
from benchmarks.full.stock import RESULT
from standin_batch.plan.work import forward
from standin_batch.weights.registry import ROWS

FLOOR_BAR = 0.8
SHARE_BAR = 0.05


@dataclass(frozen=True)
class Ran:
    """All calls of one run.

    Attributes:
        kept: what `clips.run` has written for each.
        folder: of the output.
    """

    kept: Sequence[Mapping[str, Any]]
    folder: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> Ran:
        """The run called `name`; without calls if it never ran."""
        here = folder / RUNS / name
        kept = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(here.glob("call-*.json"))]
        return cls(kept, here / "output")

    def records(self, job: str) -> list[dict[str, Any]]:
        """Of the clips of one job."""
        return [record for record in read_records(self.folder) if record["name"] == job]

    def step(self) -> float | None:
        """Seconds of a step of the timed clips, the median: events run ahead of a GPU, the engine's clock does not."""
        found = [record["seconds"]["denoise"] / record["num_inference_steps"] for record in self.records(CLIPS)]
        return median(found) if found else None

    def denoising(self) -> float | None:
        """Seconds that denoising a timed clip takes, the median."""
        found = [float(record["seconds"]["denoise"]) for record in self.records(CLIPS)]
        return median(found) if found else None

    def rate(self) -> float | None:
        """FLOP a second of a matrix product, right before each of the calls; None without calls."""
        found = [float(kept["matmul_flop_per_second"]) for kept in self.kept]
        return median(found) if found else None

    def floor(self) -> float | None:
        """Seconds of a step if all its work ran as fast as a matrix product: two forwards with the identity."""
        rate, clips = self.rate(), self.records(CLIPS)
        return 2 * _flop(clips[0], identity=True) / rate if rate and clips else None

    def loading(self) -> float | None:
        """Seconds of the first call's loading: the run's own clock, imports left out, and its prompts encoded.

        The text encoder is read when there are prompts to encode, so both belong together. None if that call was
        killed: a later one finds the prompts encoded.
        """
        first = self.kept[0] if self.kept else {}
        if first.get("load_seconds") is None:
            return None
        call = Call(Finished(**first["process"]), first["events"], self.folder)
        return float(first["load_seconds"]) + call.prepared("encoding")


def rows(folder: Path) -> list[Row]:
    """The whole table of a folder."""
    exact = Ran.of(folder, EXACT)
    step = exact.step()
    return [
        *_step_rows(exact, step),
        *_stock_rows(folder, step),
        *_clip_rows(exact),
        *_load_rows(exact),
        *(row for name in _opt_ins(folder) for row in _opt_in_rows(folder, name, exact)),
    ]


def machine(folder: Path) -> str:
    """Where and with what the run of a folder was made, in a line."""
    exact = Ran.of(folder, EXACT)
    if not exact.kept:
        return "On no machine yet."
    first = exact.kept[0]
    where = ", ".join(gpu["name"] for gpu in first["machine"]["gpus"]) or first["machine"]["cpu"]
    told = ", ".join(f"{name} {version}" for name, version in first["versions"].items())
    return f"On {where}, at commit {first['commit']}; {told}."


def _step_rows(exact: Ran, step: float | None) -> list[Row]:
    floor, rate = exact.floor(), exact.rate()
    return [
        Row("a CFG step, exact", step, "s", note="the phase `denoise` over its steps, median of the clips"),
        Row("  the floor: 2 forwards at the rate of a matrix product", floor, "s"),
        Row(
            "  rate of a matrix product",
            rate / 1e12 if rate else None,
            "TFLOP/s",
            note="in a process right before the run",
        ),
        Row("floor / step", floor / step if floor and step else None, least=FLOOR_BAR),
    ]


def _stock_rows(folder: Path, step: float | None) -> list[Row]:
    same, own = "exact step / stock DiffSynth's, with the same attention", "exact step / stock DiffSynth's, as it comes"
    path = folder / RESULT
    if step is None or not path.is_file():
        return [Row(what, note="needs the steps `run` and `stock`") for what in (same, own)]
    stock = json.loads(path.read_text(encoding="utf-8"))
    told = f"both by {stock['engine_attention']}; stock has no identity, which is 1.7 % of a forward at 14B"
    return [
        Row(same, step / stock["same_attention_step_seconds"], note=told),
        Row(own, step / stock["step_seconds"], note=f"{stock['engine_attention']} against {stock['attention']}"),
    ]


def _clip_rows(exact: Ran) -> list[Row]:
    clips = exact.records(CLIPS)
    peaks = [record["peak_memory"] for record in clips if record["peak_memory"] is not None]
    shares = [1 - record["seconds"]["denoise"] / sum(record["seconds"].values()) for record in clips]
    what = f"share of a {clips[0]['num_inference_steps']}-step clip" if clips else "share of a 20-step clip"
    return [
        Row("a clip", median(sum(record["seconds"].values()) for record in clips) if clips else None, "s"),
        Row(f"{what} that is not denoising", median(shares) if shares else None, most=SHARE_BAR),
        Row("peak memory", max(peaks) / 1e9 if peaks else None, "GB", note="" if peaks else "of a GPU"),
        Row("putting a LoRA on", _switch(exact), "s", note="the phase `switch` of the job that has it"),
    ]


def _switch(exact: Ran) -> float | None:
    found = exact.records(SWITCH)
    return float(found[0]["seconds"]["switch"]) if found else None


def _load_rows(exact: Ran) -> list[Row]:
    load, reads = exact.loading(), [kept["reading"] for kept in exact.kept if kept["reading"] is not None]
    first, again = (reads[0][key] if reads else None for key in ("first_seconds", "again_seconds"))
    size = f"{reads[0]['bytes'] / 1e9:.1f} GB, " if reads else ""
    return [
        Row("loading the weights and encoding two prompts", load, "s", note="of the first call, imports left out"),
        Row("  reading the same bytes plainly, first", first, "s", note=f"{size}from the disk: the system forgot them"),
        Row("  reading them again", again, "s", note="as loading finds them: from memory if they fit"),
        Row("loading / reading again", load / again if load and again else None),
    ]


def _opt_ins(folder: Path) -> list[str]:
    there = [path.name for path in sorted((folder / RUNS).glob("*")) if path.is_dir() and path.name != EXACT]
    return list(dict.fromkeys((*SPEEDS, *there)))


def _opt_in_rows(folder: Path, name: str, exact: Ran) -> Iterator[Row]:
    ran = Ran.of(folder, name)
    own, theirs = ran.denoising(), exact.denoising()
    told = why_failed(folder, name) or (shlex.join(ran.kept[0]["further"]) if ran.kept else "")
    yield Row(f"{name}: denoising a clip", own, "s", note=told)
    yield Row(f"{name}: a step", ran.step(), "s")
    yield Row(f"{name}: exact / this, denoising a clip", theirs / own if own and theirs else None)
    yield Row(
        f"{name}: error of the latents against exact", _error(ran, exact), note="relative, L2, median of the clips"
    )


def _error(ran: Ran, exact: Ran) -> float | None:
    """|this - exact| / |exact| of the latents, by identity and seed."""
    from safetensors.torch import load_file

    theirs = {_key(record): record for record in ran.records(CLIPS)}
    errors = []
    for record in exact.records(CLIPS):
        if (other := theirs.get(_key(record))) is not None:
            a, b = (
                load_file(where / each["latents"])["latents"]
                for where, each in ((exact.folder, record), (ran.folder, other))
            )
            errors.append(float((a - b).norm() / a.norm()))
    return median(errors) if errors else None


def _key(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return record["identity"], record["seed"]


def _flop(record: Mapping[str, Any], *, identity: bool) -> float:
    tokens = ((record["num_frames"] - 1) // 4 + 1) * (record["height"] // 16) * (record["width"] // 16)
    return forward(ROWS[record["model"]].sizes, tokens, identity=identity).total

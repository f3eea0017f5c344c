"""How far is one pass of the transformer from the floor, and where does its time go?

Random weights at the sizes of a model, one pass by part, against the floor: its operations, counted, at the rate of a
matrix product, measured in the same call. Stock DiffSynth's block and pass stand beside the engine's; stock has no
identity. All are timed in turns. Without a GPU the tiny model is timed, and only ratios mean anything:
on two cores that takes one to three minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from benchmarks.block_parts import Block
from benchmarks.common import Report, Row, guarded, parser, publish, size
from benchmarks.stock import stock_attention
from benchmarks.timing import REPEATS, default_device, interleaved, matmul_rate, usual_model
from benchmarks.transformer import Model, random_model
from standin_batch.plan.work import forward as work_of
from standin_batch.weights.registry import ROWS, ModelRow

FLOOR_BAR = 0.8
WITHOUT = "a pass without identity, attention as stock's"
STOCK = "stock DiffSynth's pass, which has none"
BLOCK = "the engine's block, sdpa, with identity"


@dataclass(frozen=True)
class Timer:
    """Times pieces of work on a device, against its floor.

    Attributes:
        device: as torch names it.
        repeats: that count.
        rate: FLOP a second of a matrix product.
    """

    device: str
    repeats: int
    rate: float

    def floor_share(self, flop: float, taken: float) -> float:
        """The floor of so many operations over the seconds that they took."""
        return flop / self.rate / taken


def main() -> None:
    """Measure, and say what came out."""
    made = parser("benchmarks.kernel", __doc__)
    made.add_argument("--model", choices=ROWS, help="row of the table of models; 14B on a GPU, else tiny, unless said")
    made.add_argument("--layers", type=int, help="blocks; all of the model's unless said")
    made.add_argument("--size", type=size, metavar="WxH", help="of the video; the model's own unless said")
    made.add_argument("--frames", type=int, help="of the video; the model's own unless said")
    made.add_argument("--dtype", choices=("float32", "bfloat16"), help="the model's own unless said")
    made.add_argument("--repeats", type=int, default=REPEATS, help="that count; of whole passes a third")
    made.add_argument("--compile", action="store_true", help="time the compiled block, too")
    arguments = made.parse_args()
    device = default_device()
    arguments.model = arguments.model or usual_model(device)
    publish(measure(arguments, device), arguments.json)


def measure(arguments: argparse.Namespace, device: str) -> Report:
    """The whole table."""
    import torch

    row = ROWS[arguments.model]
    width, height, frames = size = _size(row, arguments)
    dtype = arguments.dtype or row.defaults["dtype"]
    rate = matmul_rate(device, getattr(torch, dtype), arguments.repeats)
    model = random_model(row, arguments.layers, size, dtype, device)
    timer = Timer(device, arguments.repeats, rate)
    with torch.no_grad():
        rows = [Row("rate of a matrix product", rate / 1e12, "TFLOP/s")]
        rows += [*_passes(model, timer), *_parts(model, timer, arguments.compile)]
    settings = {"model": row.name, "layers": model.sizes.num_layers, "size": f"{width}x{height}x{frames}"}
    settings |= {"dtype": dtype, "tokens": model.tokens, "device": device}
    return Report("One pass of the transformer, by part", rows, settings)


def _size(row: ModelRow, arguments: argparse.Namespace) -> tuple[int, int, int]:
    width, height = row.defaults["width"], row.defaults["height"]
    if arguments.size:
        width, height = map(int, arguments.size.split("x"))
    return width, height, arguments.frames or row.defaults["num_frames"]


def _passes(model: Model, timer: Timer) -> Iterator[Row]:
    """Whole passes: the engine's with each attention that is here, and stock DiffSynth's."""
    from standin_batch.engine.dit.attention import EXACT

    stock = stock_attention()
    named = {f"a pass with identity, {name}": partial(_engine_pass, model, EXACT[name]) for name in EXACT}
    alone = {WITHOUT: partial(_engine_pass, model, _kernel(stock), False), STOCK: partial(_stock_pass, model)}
    found, failed = interleaved({**named, **alone}, timer.device, max(1, timer.repeats // 3), 1)
    work = {name: work_of(model.sizes, model.tokens, identity=name in named).total for name in (*named, *alone)}
    for name, flop in work.items():
        taken = found.get(name)
        told = failed[name] if taken is None else f"floor / this: {timer.floor_share(flop, taken):.0%}"
        yield Row(name, None if taken is None else 1000 * taken, "ms", note=told)
    floors = {name: timer.floor_share(work[name], found[name]) for name in named if name in found}
    told = f"{work[next(iter(named))] / 1e12:.4g} TFLOP"
    yield Row("floor / the fastest pass with identity", max(floors.values(), default=None), least=FLOOR_BAR, note=told)
    ratio, why = over(found.get(WITHOUT), found.get(STOCK)), failed.get(WITHOUT) or failed.get(STOCK)
    yield Row("engine / stock, without identity", ratio, note=why or f"attention of both by {stock}")


def over(this: float | None, that: float | None) -> float | None:
    """Their ratio; None where one was not measured."""
    return None if this is None or that is None else this / that


def _kernel(name: str) -> Any:  # noqa: ANN401
    from standin_batch.engine.dit.attention import EXACT, INEXACT

    return {**EXACT, **INEXACT}[name]


def _engine_pass(model: Model, attention: Any, identity: bool = True) -> object:  # noqa: ANN401
    forward = _forward(str(model.latents.device), attention)
    return forward(model.dit, model.latents, model.timestep, model.prompt, model.identity if identity else None)


@cache
def _forward(device: str, attention: Any) -> Any:  # noqa: ANN401
    from standin_batch.engine.dit.forward import Forward

    return Forward(device, attention)


def _stock_pass(model: Model) -> object:
    from diffsynth.pipelines.wan_video import model_fn_wan_video

    return model_fn_wan_video(model.dit, latents=model.latents, timestep=model.timestep, context=model.prompt)


def _parts(model: Model, timer: Timer, compiled: bool) -> Iterator[Row]:
    """One block: the engine's, stock's, and what they are made of."""
    block = Block.of(model)
    parts = block.parts()
    if compiled:
        parts["the engine's block, compiled"] = (block.compiled, parts[BLOCK][1])
    dos: dict[str, Callable[[], object]] = {name: do for name, (do, _) in parts.items()}
    found, failed = interleaved(dos, timer.device, timer.repeats)
    for name, (_, flop) in parts.items():
        taken, share = found.get(name), over(found.get(name), found.get(BLOCK))
        notes = [failed[name]] if taken is None else []
        notes += [f"{share:.1%} of the engine's block"] if share is not None else []
        notes += [f"floor / this: {timer.floor_share(flop, taken):.0%}"] if flop and taken is not None else []
        yield Row(f"  {name}", None if taken is None else 1000 * taken, "ms", note="; ".join(notes))


if __name__ == "__main__":
    guarded(main)

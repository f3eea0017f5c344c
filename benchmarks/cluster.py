"""How well is a plan shared out among 8 to 512 GPUs? A simulation that drives the real sharding and the real deck.

No clip is made: the clock is virtual, speeds are assumed, and each job takes up to a tenth more or less than was told.
An efficiency is a lower bound over the makespan: all work shared out evenly behind the shortest start that there is, or
the longest job with its own. On one core it takes some minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from benchmarks.cluster_jobs import RATES, Rate, drawn
from benchmarks.cluster_play import Cluster, Played, World
from benchmarks.common import Report, Row, guarded, parser, publish
from standin_batch.job import Job
from standin_batch.plan.plan import Plan
from standin_batch.plan.shards import shards

GPUS = (8, 16, 32, 64, 128, 256, 512)
JOBS, CLIPS, NOISE = 100_000, 20, 0.1
GOAL, GOAL_GPUS = 0.95, 64


def main() -> None:
    """Simulate, and say what came out."""
    made = parser("benchmarks.cluster", __doc__)
    made.add_argument("--gpus", type=int, nargs="+", default=GPUS, metavar="N", help="numbers of GPUs")
    made.add_argument("--jobs", type=int, default=JOBS, help="of the large manifest; 0 leaves it out")
    made.add_argument("--clips", type=int, default=CLIPS, help="for each GPU, of the small manifests")
    made.add_argument("--noise", type=float, default=NOISE, help="by which a job may be longer or shorter, as a share")
    made.add_argument("--life", type=float, default=6.0, help="hours that a GPU lives, where they die")
    arguments = made.parse_args()
    publish(measure(arguments), arguments.json)


def measure(arguments: argparse.Namespace) -> Report:
    """Small manifests at each speed and number; the large one at the higher speed, at which loading weighs more."""
    rows = [row for rate in RATES for gpus in arguments.gpus for row in _small(arguments, rate, gpus)]
    if arguments.jobs:
        rows += _large(arguments, RATES[-1])
    settings = {"jobs": arguments.jobs, "clips": arguments.clips, "noise": arguments.noise, "life": arguments.life}
    return Report("How well a plan is shared out, simulated", rows, settings)


def _large(arguments: argparse.Namespace, rate: Rate) -> Iterator[Row]:
    jobs, plan = drawn(arguments.jobs, rate.costs)
    world = World(rate.costs, jobs, arguments.noise)
    for gpus in arguments.gpus:
        yield from _rows(rate, world, plan, gpus)


def _small(arguments: argparse.Namespace, rate: Rate, gpus: int) -> list[Row]:
    jobs, plan = drawn(arguments.clips * gpus, rate.costs)
    world = World(rate.costs, jobs, arguments.noise)
    dying = Cluster(world, plan, gpus, arguments.life).play()
    lost = f"{dying.deaths:,} deaths, {dying.again / sum(world.seconds.values()):.1%} made twice"
    return [
        *_rows(rate, world, plan, gpus),
        Row("  deck, GPUs die and come back", world.least(gpus) / dying.seconds, note=lost),
    ]


def _rows(rate: Rate, world: World, plan: Plan, gpus: int) -> list[Row]:
    """One manifest on so many GPUs, shared out in each way."""
    least = world.least(gpus)
    deck = Cluster(world, plan, gpus).play()
    fixed = max(world.sequence(item.job for item in shard.plan.to_run) for shard in shards(plan, gpus, rate.costs))
    turns = max(world.sequence(world.jobs[start::gpus]) for start in range(gpus))
    whole = _whole_groups(world, plan, gpus)
    bar = GOAL if gpus == GOAL_GPUS else None
    return [
        Row(f"{rate.name}; {len(world.jobs):,} jobs, {gpus} GPUs: deck", least / deck.seconds, least=bar),
        Row("  fixed shards", least / fixed, note="as under Slurm"),
        Row("  round-robin in manifest order", least / turns),
        Row("  groups whole", least / whole, note="longest first"),
        *_cost(deck),
    ]


def _cost(deck: Played) -> list[Row]:
    return [
        Row("  making the deck", deck.building, "s", note="of this machine"),
        Row("  the longest take", 1000 * deck.longest, "ms", note="of this machine"),
    ]


def _whole_groups(world: World, plan: Plan, gpus: int) -> float:
    """Each group to who is free first, the longest first."""
    ends = [0.0] * gpus
    for seconds in sorted((world.sequence(_jobs(plan, place)) for place in range(len(plan.groups))), reverse=True):
        ends[ends.index(min(ends))] += seconds
    return max(ends)


def _jobs(plan: Plan, place: int) -> list[Job]:
    return [item.job for item in plan.groups[place].jobs]


if __name__ == "__main__":
    guarded(main)

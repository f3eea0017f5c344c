"""How fast do weights come to the device, against reading the same bytes plainly?

Every way reads the same safetensors files, in a fresh process, in turns; one plain reading before has them in the
system's memory, so that the disk counts for none of them. fastsafetensors is timed where it can be imported, pinned
memory where there is a GPU. On a CPU a file may only be mapped: there, a byte of every page is asked for besides.
It takes one to three minutes.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.calls import python
from benchmarks.common import BenchmarkError, Report, Row, guarded, parser, publish
from benchmarks.timing import default_device
from standin_batch.weights.streaming import Outgoing, write_safetensors

TENSORS, SHAPE = 16, (4096, 4096)
"""Of the file that is made: half a gigabyte."""

TIMED = """
import sys, time
device, files = sys.argv[1], sys.argv[2:]
{before}
start = time.perf_counter()
{code}
if device.startswith("cuda"):
    torch.cuda.synchronize()
for each in kept if device == "cpu" else []:
    each.flatten().view(torch.uint8)[::4096].sum()
print(time.perf_counter() - start)
"""

TORCH = "import torch\nif device.startswith('cuda'): torch.zeros(1, device=device)"

WAYS: dict[str, tuple[str, str]] = {
    "reading plainly": (
        "buffer = bytearray(1 << 24)",
        "for name in files:\n"
        "    with open(name, 'rb', buffering=0) as file:\n"
        "        while file.readinto(buffer): pass\n"
        "kept = []",
    ),
    "safetensors, straight to the device": (
        f"{TORCH}\nfrom safetensors.torch import load_file",
        "kept = [each for name in files for each in load_file(name, device=device).values()]",
    ),
    "DiffSynth's loader": (
        f"{TORCH}\nfrom diffsynth.core.loader.file import load_state_dict",
        "kept = list(load_state_dict(files, device=device).values())",
    ),
    "fastsafetensors": (
        f"{TORCH}\nfrom fastsafetensors import fastsafe_open",
        "with fastsafe_open(filenames=files, nogds=True, device=device, debug_log=False) as file:\n"
        "    kept = [file.get_tensor(name).clone().detach() for name in file.keys()]",
    ),
    "pinned memory, then the device": (
        f"{TORCH}\nfrom safetensors.torch import load_file\nassert device.startswith('cuda'), 'needs a GPU'",
        "kept = []\n"
        "for name in files:\n"
        "    staged = {key: each.pin_memory() for key, each in load_file(name).items()}\n"
        "    kept += [each.to(device, non_blocking=True) for each in staged.values()]",
    ),
}
"""What is done before the clock runs, and what it times."""


def main() -> None:
    """Measure, and say what came out."""
    made = parser("benchmarks.load", __doc__)
    made.add_argument("files", type=Path, nargs="*", help="safetensors files; one that is made for it unless said")
    made.add_argument("--device", help="as torch names it; the GPU where there is one, unless said")
    made.add_argument("--repeats", type=int, default=3, help="the median counts")
    arguments = made.parse_args()
    arguments.device = arguments.device or default_device()
    with tempfile.TemporaryDirectory(prefix="standin-bench-") as folder:
        publish(measure(arguments, Path(folder)), arguments.json)


def measure(arguments: argparse.Namespace, folder: Path) -> Report:
    """Each way, in turns."""
    files = [str(path.resolve()) for path in arguments.files or [_made(folder)]]
    size = sum(Path(name).stat().st_size for name in files)
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    failed: dict[str, str] = {}
    _seconds("reading plainly", arguments.device, files, folder)
    for _ in range(arguments.repeats):
        for name in WAYS:
            if name not in failed:
                try:
                    found[name].append(_seconds(name, arguments.device, files, folder))
                except BenchmarkError as error:
                    failed[name] = error.message.splitlines()[-1]
    plain = median(found["reading plainly"])
    rows = [
        Row(name, median(taken) / plain, note=f"{size / median(taken) / 1e9:.3g} GB/s")
        if taken
        else Row(name, note=failed[name])
        for name, taken in found.items()
    ]
    settings = {
        "files": len(files),
        "GB": round(size / 1e9, 3),
        "device": arguments.device,
        "repeats": arguments.repeats,
    }
    return Report("Bringing weights to the device, over reading their bytes plainly", rows, settings)


def _seconds(name: str, device: str, files: Sequence[str], folder: Path) -> float:
    before, code = WAYS[name]
    return float(python(TIMED.format(before=before, code=code), device, *files, workplace=folder).output)


def _made(folder: Path) -> Path:
    """A file of random numbers in bfloat16."""
    path = folder / "random.safetensors"
    tensors = [Outgoing(f"{number}", "BF16", SHAPE, _noise) for number in range(TENSORS)]
    write_safetensors(path, tensors, {"format": "pt"})
    return path


def _noise() -> Iterator[bytes]:
    yield os.urandom(2 * math.prod(SHAPE))


if __name__ == "__main__":
    guarded(main)

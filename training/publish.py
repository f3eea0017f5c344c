"""Put what was trained where the repository keeps it: `python -m training.publish --out outputs/demo`.

Weights go to `checkpoints/demo`, the LoRA to `manifests/loras`, the logs of all stages to `training/logs`. What then
has to be written into the row, `DEMO_DIGESTS`, is printed.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.files import replace_atomic
from standin_batch.weights.content import weight_digests
from training.weights import ROOT, ROW

LOGS = Path("training/logs")
LORA = Path("manifests/loras/ink.safetensors")
FACES = ("antelopev2", "face-parsing")
WEIGHTS = (".pth", ".safetensors", ".ckpt", ".onnx", ".json")


def main() -> None:
    """Copy everything, and print the digests."""
    parser = argparse.ArgumentParser(prog="python -m training.publish", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the whole training")
    publish(parser.parse_args().out, ROOT)
    for part, digest in weight_digests(ROW, ROOT, DigestCache.default(), tuple(ROW.modules)).items():
        print(f'    "{part}": "{digest}",')


def publish(out: Path, root: Path, lora: Path = LORA, logs: Path = LOGS) -> None:
    """Copy weights, LoRA and logs from `out`.

    Args:
        out: folder of the whole training.
        root: of the demo model's files.
        lora: where the style goes.
        logs: folder for one log of each stage.
    """
    sources = [out / "weights", *(out / "faces" / name for name in FACES)]
    for source, into in zip(sources, [root, *(root / name for name in FACES)], strict=True):
        for path in sorted(each for each in source.rglob("*") if each.suffix in WEIGHTS):
            _copy(path, into / path.relative_to(source))
    _copy(out / "ink.safetensors", lora)
    for log in sorted(out.rglob("*log.jsonl")):
        _copy(log, logs / _name(log.relative_to(out)))


def _name(log: Path) -> str:
    """Of a stage's log among all others: `vae-clips.jsonl` of `vae/clips/log.jsonl`."""
    parts = [part for part in (*log.parent.parts, log.name.removesuffix("log.jsonl").strip(".")) if part]
    return "-".join(parts) + ".jsonl"


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomic(to) as path:
        shutil.copyfile(source, path)


if __name__ == "__main__":
    main()

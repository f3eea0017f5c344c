"""What the weights of the demo model contain, as digests: to write into its row when they are trained anew.

python -m training.digests [DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.weights.content import weight_digests
from training.weights import ROOT, ROW


def main() -> None:
    """Print them as `DEMO_DIGESTS` has them."""
    parser = argparse.ArgumentParser(prog="python -m training.digests", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT, help="of the weights")
    found = weight_digests(ROW, parser.parse_args().folder, DigestCache.default(), tuple(ROW.modules))
    for part, digest in found.items():
        print(f'    "{part}": "{digest}",')


if __name__ == "__main__":
    main()

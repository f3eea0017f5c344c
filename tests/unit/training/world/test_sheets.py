"""The sheets of `python -m training.world`."""

import subprocess
import sys

from PIL import Image


def test_the_command_writes_the_sheets(tmp_path):
    subprocess.run([sys.executable, "-m", "training.world", "--out", str(tmp_path)], check=True, capture_output=True)
    names = {path.stem for path in tmp_path.glob("*.png")}
    assert names == {"portraits", "views", "clips", "ink", "backgrounds", "control"}
    assert Image.open(tmp_path / "portraits.png").size == (8 * 160, 5 * 160)

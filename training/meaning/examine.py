"""The whole examination: what asks the model, and what looks at the answers with its own face models."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from standin_batch.face.detect import InsightFaceDetector, fitting
from standin_batch.weights.locate import DETECTOR
from training.meaning.answers import MeaningError
from training.meaning.cases import Case, people
from training.meaning.judges import judges
from training.meaning.likeness import gallery
from training.meaning.measure import Answers, Values, measure
from training.world.draw import SIZE, Clip


def run(manifest: Path, output: Path, checkpoints: Path | None) -> None:
    """Call `standin run`.

    Args:
        manifest: what is asked.
        output: the folder of the answers.
        checkpoints: root of the demo model's files; None looks where `standin` does.

    Raises:
        MeaningError: if it does not end well.
    """
    command = [sys.executable, "-m", "standin_batch", "run", str(manifest), "--set", f"output.folder={output}"]
    if checkpoints is not None:
        command += ["--checkpoints", str(checkpoints)]
    if subprocess.run(command, check=False).returncode:
        raise MeaningError("`standin run` has not made all clips", "do what it says above, and run this again")


def examine(asked: Sequence[Case], clips: Mapping[str, Clip], count: int, root: Path) -> Values:
    """Measure everything.

    Args:
        asked: the cases, at least one of each kind.
        clips: their answers by their names, uint8 `[T, H, W, 3]`.
        count: of characters with whom the one in a clip is compared.
        root: of the demo model's files.

    Raises:
        FaceModelsMissing: if the face models are not there.
    """
    folder = root / DETECTOR
    portraits = InsightFaceDetector(folder, "cpu", with_embedding=True)
    frames = InsightFaceDetector(folder, "cpu", with_embedding=True, size=fitting(SIZE, SIZE))
    tracks = InsightFaceDetector(folder, "cpu", size=fitting(SIZE, SIZE))
    return measure(Answers.of(asked, clips, frames, gallery(people(count), portraits), judges(tracks)))

"""The clips that a run has made, by the names of their jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from standin_batch.errors import StandinError
from standin_batch.media.clip import Clip, load_clip
from standin_batch.media.video import probe_video
from standin_batch.output.layout import OutputLayout


class MeaningError(StandinError):
    """What the model was asked has not been answered."""


def answers(output: Path, names: Iterable[str]) -> dict[str, Clip]:
    """Read the clips of an output folder.

    Args:
        output: with an index, as a run leaves it.
        names: of the jobs whose clips are wanted.

    Returns:
        uint8 `[T, H, W, 3]`, RGB, by the names.

    Raises:
        MeaningError: if there is no index, or it lacks one of them.
        VideoInputError: if a clip cannot be read.
    """
    places = _places(OutputLayout(output))
    wanted = list(names)
    if missing := [name for name in wanted if name not in places]:
        raise MeaningError(f"there is no clip of {', '.join(missing)} in {output}", f"run `standin why {output}`")
    return {name: _read(output / places[name]) for name in wanted}


def _places(layout: OutputLayout) -> dict[str, str]:
    if not layout.index.is_file():
        raise MeaningError(f"there is no {layout.index}", "run the manifest first; a run ends by writing it")
    records = map(json.loads, layout.index.read_text(encoding="utf-8").splitlines())
    return {name: record["video"] for record in records for name in (record["name"], *record["also"])}


def _read(path: Path) -> Clip:
    info = probe_video(path)
    return load_clip(path, info, info.width, info.height, info.num_frames, info.fps)

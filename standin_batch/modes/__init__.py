"""The modes, in a table: a new mode is a file here and a line below."""

from __future__ import annotations

from standin_batch.modes import face_swap, t2v, vace
from standin_batch.modes.mode import Mode, ModeInputs, ModeRequest, Params

MODES: dict[str, Mode] = {mode.name: mode for mode in (t2v.MODE, vace.MODE, face_swap.MODE)}

__all__ = ["MODES", "Mode", "ModeInputs", "ModeRequest", "Params"]

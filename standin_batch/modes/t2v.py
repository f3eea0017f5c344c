"""Text to video: a prompt, and an identity where there is one."""

from __future__ import annotations

from typing import Any

from standin_batch.modes.mode import Mode, ModeRequest, Params


class T2VParams(Params):
    """Text to video reads no keys of its own."""


def _inputs(request: ModeRequest) -> dict[str, Any]:
    return {}


MODE = Mode(name="t2v", summary="text to video", params=T2VParams, inputs=_inputs)

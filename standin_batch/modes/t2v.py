"""Text to video: a prompt, and an identity where there is one."""

from __future__ import annotations

from standin_batch.modes.mode import Mode, ModeInputs, ModeRequest, Params


class T2VParams(Params):
    """Text to video reads no keys of its own."""


def _inputs(request: ModeRequest) -> ModeInputs:
    return ModeInputs()


MODE = Mode(name="t2v", summary="text to video", params=T2VParams, inputs=_inputs)

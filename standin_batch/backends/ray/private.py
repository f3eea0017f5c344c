"""A Ray cluster that is started here is of this machine and this user: what Ray has to be told for that."""

from __future__ import annotations

import os
import sys

PRIVATE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
"""Ray listens to its own machine only, as it does on Windows and macOS; elsewhere it listens to whoever reaches it. And
it obeys who has the token in the user's `~/.ray`, from 2.52 on; the latest do so anyway, but warn each time."""


def keep_private() -> None:
    """Have clusters that Ray starts be private, unless the environment says otherwise.

    Ray reads that when it is imported: where whoever calls has done so before, what Ray does by itself stays.
    """
    if "ray" not in sys.modules:
        for name, value in PRIVATE.items():
            os.environ.setdefault(name, value)

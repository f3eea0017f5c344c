"""How much memory was taken when it ran out, as the allocator counts it."""

from __future__ import annotations

import re

import torch

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

_ASKED = re.compile(r"[Tt]ried to allocate ([0-9.]+) (KiB|MiB|GiB)")


def measured(device: str, error: BaseException) -> tuple[int | None, int | None]:
    """Bytes that were needed, and bytes that the device has; None where nobody counts.

    Args:
        device: as torch names it.
        error: that memory ran out with: it says what was asked for last.
    """
    if not device.startswith("cuda"):
        return None, None
    _, capacity = torch.cuda.mem_get_info(device)
    return torch.cuda.max_memory_allocated(device) + asked(error), capacity


def asked(error: BaseException) -> int:
    """The bytes that the last allocation asked for; 0 where `error` does not say."""
    found = _ASKED.search(str(error))
    return int(float(found[1]) * UNITS[found[2]]) if found else 0

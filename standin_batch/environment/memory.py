"""How much memory this machine has to spare."""

from __future__ import annotations

import re
from pathlib import Path

MEMINFO = Path("/proc/meminfo")


def available_bytes(meminfo: Path = MEMINFO) -> int | None:
    """Bytes that can be taken without anybody having to give way, the page cache aside; None where nobody says.

    Args:
        meminfo: of Linux, https://docs.kernel.org/filesystems/proc.html, `MemAvailable`.
    """
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) << 10 if found else None

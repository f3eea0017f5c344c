"""Whether what is slow can be compiled here."""

from __future__ import annotations

import shutil
from functools import cache


@cache
def can_compile() -> bool:
    """Whether there are a C++ compiler and ninja; all works without, and takes half as long again or twice as long."""
    return bool(shutil.which("c++") and shutil.which("ninja"))

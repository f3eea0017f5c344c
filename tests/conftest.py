"""What all tests share: caches of their own, and the data that lies beside them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
GOLDEN = REPOSITORY / "tests" / "data" / "golden"


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the user's caches or settings."""
    os.environ["STANDIN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ.pop("STANDIN_CHECKPOINTS", None)
    os.environ.pop("STANDIN_CONFIG", None)
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))
    # Several processes share few cores here; threads that spin while they wait would take them from each other.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of the golden cases: what the reference computes on small random weights."""
    return GOLDEN


@pytest.fixture(scope="session")
def docs() -> Path:
    """The folder of the documentation."""
    return REPOSITORY / "docs"


@pytest.fixture(scope="session")
def manifests() -> Path:
    """The folder of the manifests that come with the project."""
    return REPOSITORY / "manifests"

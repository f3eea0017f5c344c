"""What the tests of planning share."""

from __future__ import annotations

import pytest
from jobs import make_job


@pytest.fixture(scope="session")
def job():
    """Makes a job."""
    return make_job

"""Where a run from Python happens is asked before anything else is done."""

from __future__ import annotations

import pytest

from standin_batch import run
from standin_batch.errors import UsageError


def test_a_backend_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="there is no backend 'kubernetes'"):
        run("there-is-none.yaml", backend="kubernetes", progress=False)


def test_a_machine_file_that_was_named_has_to_be_there(tmp_path):
    with pytest.raises(UsageError, match=r"1 problem in .*gone\.toml"):
        run("there-is-none.yaml", config=str(tmp_path / "gone.toml"), progress=False)

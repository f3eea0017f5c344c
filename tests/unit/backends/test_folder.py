"""The output folder of a run: who may take it, and what is tidied there."""

from __future__ import annotations

import pytest
from holding import held_elsewhere

from standin_batch.backends.folder import opened
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputOptions, Store
from standin_batch.run.lock import LockedError


@pytest.fixture
def store(tmp_path):
    return Store(OutputLayout(tmp_path / "out"), OutputOptions("{job_id}", 5, lossless=False, keep_latents=False))


@pytest.fixture
def half_written(store):
    """A video that somebody is writing, or has left so."""
    path = store.layout.videos / ".tmp-1-a.mp4"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_a_folder_is_not_taken_from_workers_that_go_on_without_their_driver(store, half_written):
    with held_elsewhere(store.layout.worker("w0").lock):
        with pytest.raises(LockedError, match="worker w0"), opened(store):
            pytest.fail("over the heads of the workers")
        assert half_written.exists()


def test_a_driver_that_comes_back_attaches_and_leaves_alone_what_they_write(store, half_written):
    with held_elsewhere(store.layout.worker("w0").lock), opened(store, beside_workers=True):
        assert half_written.exists()


def test_where_no_worker_is_at_work_it_tidies(store, half_written):
    with opened(store, beside_workers=True):
        assert not half_written.exists()

"""A worker that does not see the output folder stands in a folder of its own, which is gone when it goes."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from standin_batch.backends.crew.away import OLD, PREFIX, away
from standin_batch.backends.crew.news import Sent
from standin_batch.backends.crew.orders import Orders
from standin_batch.errors import NotReadyError
from standin_batch.locks.lock import exclusive
from standin_batch.manifest.manifest import ScoreOptions
from standin_batch.output.store import OutputOptions


@pytest.fixture(autouse=True)
def own_log():
    """The log of this process is its own again afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def orders(stage_to, **changes):
    told = {
        "version": "0",
        "manifest": "m",
        "directory": Path("/nowhere"),
        "folder": None,
        "home": Path("/home/out"),
        "options": OutputOptions("{job_id}", 5, lossless=False, keep_latents=False),
        "bytes_per_pixel": None,
        "device": "cpu",
        "memory": "auto",
        "checkpoints": None,
        "stage_to": stage_to,
        "every": 2,
        "scores": ScoreOptions(enabled=False, frames=4),
        "samples": (),
        "extents": frozenset(),
    }
    return Orders(**told | changes)


def test_all_that_it_has_lies_below_one_folder_and_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("NODE_DISK", str(tmp_path / "disk"))
    with away(orders(Path("$NODE_DISK/standin")), "w1", lambda news: None, bytes) as ground:
        (root,) = (tmp_path / "disk" / "standin").iterdir()
        assert ground.layout.folder.is_relative_to(root) and ground.layout.folder.is_dir()
    assert not list((tmp_path / "disk" / "standin").iterdir())


def test_without_a_disk_of_its_own_it_takes_a_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with away(orders(None), "w1", lambda news: None, bytes) as ground:
        assert ground.layout.folder.is_relative_to(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_variable_that_this_node_does_not_have_is_named(monkeypatch):
    monkeypatch.delenv("NODE_DISK", raising=False)
    with pytest.raises(NotReadyError, match=r"\$NODE_DISK"), away(orders(Path("$NODE_DISK")), "w1", print, bytes):
        pass


def test_why_it_failed_is_in_the_log_that_it_sends(tmp_path):
    sent = []
    with pytest.raises(ValueError, match="odd"), away(orders(tmp_path), "w1", sent.append, bytes):
        raise ValueError("odd")
    (log,) = (news for news in sent if isinstance(news, Sent))
    assert str(log.path) == ".standin/workers/w1/log.jsonl" and log.is_line
    assert b"ValueError: odd" in log.content


def test_what_a_killed_worker_left_behind_goes_and_what_a_living_one_has_stays(tmp_path):
    names = ("killed", "alive", "just-begun")
    killed, alive, begun = (tmp_path / f"{PREFIX}{name}" for name in names)
    for folder in (killed, alive, begun):
        (folder / "output").mkdir(parents=True)
    (killed / "lock").write_text("")
    with exclusive(alive / "lock"):
        for folder in (killed, alive):
            then = folder.stat().st_mtime - OLD - 1
            os.utime(folder, (then, then))
        with away(orders(tmp_path), "w1", lambda news: None, bytes):
            assert not killed.exists() and alive.exists() and begun.exists()


def test_its_weights_lie_where_the_drivers_do_or_where_this_machine_has_them(tmp_path):
    there, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    there.mkdir()
    for named, meant in ((there, there), (elsewhere, None), (None, None)):
        with away(orders(tmp_path / "disk", checkpoints=named), "w1", lambda news: None, bytes) as ground:
            assert ground.orders.checkpoints == meant

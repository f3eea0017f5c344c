"""Downloading as a function: what is told, what is taken down, and what one failure leaves of the others."""

from __future__ import annotations

import hashlib
import threading

import pytest
from hub import serving
from hub_weights import ASSET, small_hub

from standin_batch.digests import DigestCache
from standin_batch.weights.download import DownloadFailed, download
from standin_batch.weights.download_events import (
    DownloadFinished,
    DownloadStarted,
    FileDone,
    FileFailed,
    FileRetried,
    FileStarted,
    Waiting,
)
from standin_batch.weights.ledger import Ledger
from standin_batch.weights.needs import Need
from standin_batch.weights.sources import PARSER
from standin_batch.weights.staging import Staging

NEED = Need(PARSER, PARSER.files[0], ("x",))
FILE = "face-parsing/parsing_bisenet.pth"


@pytest.fixture
def hub(monkeypatch):
    with serving(small_hub()) as served:
        monkeypatch.setenv("STANDIN_GITHUB_MIRROR", served.url)
        yield served


@pytest.fixture
def bring(tmp_path):
    """Downloads the parser, and gives the events."""

    def bring(**options):
        told = []
        try:
            download([NEED], tmp_path / "root", told.append, cache=DigestCache(tmp_path / "cache"), **options)
        except DownloadFailed as error:
            told.append(error)
        return told

    return bring


def test_it_is_told_from_beginning_to_end(hub, bring):
    content = hub.assets[ASSET]
    hub.cuts["parsing_bisenet.pth"] = [20_000]
    told = bring()
    assert told[0] == DownloadStarted(told[0].folder, files=1, bytes=0, resumed_bytes=0, here=0)
    assert told[1] == FileStarted(FILE, None, 0)
    assert [type(event) for event in told if isinstance(event, FileRetried)] == [FileRetried]
    assert told[-2] == FileDone(FILE, len(content), hashlib.sha256(content).hexdigest())
    assert isinstance(told[-1], DownloadFinished) and (told[-1].fetched, told[-1].failed) == (1, 0)


def test_it_is_taken_down_in_the_ledger_and_for_planning(hub, bring, tmp_path):
    bring()
    entry = Ledger(tmp_path / "root").entries()[FILE]
    sha256 = hashlib.sha256(hub.assets[ASSET]).hexdigest()
    assert (entry.sha256, entry.source, entry.revision) == (sha256, "face-parsing", f"{hub.url}/{ASSET}")
    assert sha256 in (tmp_path / "cache").read_text()


def test_a_failure_is_told_with_its_cure_and_counted(hub, bring):
    del hub.assets[ASSET]
    told = bring()
    failed = next(event for event in told if isinstance(event, FileFailed))
    assert f"{hub.url}/{ASSET} is not there (HTTP 404)" in failed.error
    assert failed.hint and isinstance(told[-1], DownloadFailed) and FILE in told[-1].message
    assert told[-2].failed == 1


def test_who_comes_second_waits_for_the_first(hub, bring, tmp_path):
    staging, waits, told = Staging(tmp_path / "root"), threading.Event(), []

    def tell(event):
        told.append(event)
        waits.set()

    with staging.held(lambda: None):
        cache = DigestCache(tmp_path / "cache")
        second = threading.Thread(target=download, args=([NEED], tmp_path / "root", tell), kwargs={"cache": cache})
        second.start()
        assert waits.wait(10)
        assert told == [Waiting(str(tmp_path / "root"))] and hub.seen == []
    second.join(10)
    assert isinstance(told[-1], DownloadFinished) and told[-1].fetched == 1


def test_a_folder_that_has_the_file_is_linked_to_without_asking(hub, bring, tmp_path):
    have = tmp_path / "have" / "face-parsing"
    have.mkdir(parents=True)
    (have / "parsing_bisenet.pth").write_bytes(hub.assets[ASSET])
    told = bring(folders=[tmp_path / "have"])
    assert told[-1].linked == 1 and hub.seen == []
    assert (tmp_path / "root" / FILE).resolve() == have / "parsing_bisenet.pth"

"""A file over HTTP: resumed where it stopped, and given up only when nothing comes any more."""

from __future__ import annotations

import pytest
from hub import Hub, serving

from standin_batch.errors import ExitCode
from standin_batch.weights.fetch import Stopped, StorageError, TransferError, fetch

NAME, CONTENT = "file.bin", bytes(range(256)) * 400
SIZE = len(CONTENT)


@pytest.fixture
def hub():
    with serving(Hub({"owner/name": {NAME: CONTENT}}, assets={NAME: CONTENT})) as served:
        yield served


class Watch:
    """Writes down what it is told, and stops where it is told to."""

    def __init__(self, stop_at=None):
        self.places, self.reasons, self.stop_at = [], [], stop_at

    def at(self, done):
        self.places.append(done)
        if self.stop_at is not None and done >= self.stop_at:
            raise Stopped

    def again(self, reason, pause):
        self.reasons.append(reason)


@pytest.fixture
def bring(hub, tmp_path):
    """Fetches the file and gives what has come."""

    def bring(watch=None, path=NAME, **options):
        part = tmp_path / "x.part"
        fetch(f"{hub.url}/{path}", part, watch or Watch(), **{"size": SIZE, "pauses": (0.0, 0.0), **options})
        return part.read_bytes()

    return bring


def test_it_comes_whole(bring):
    watch = Watch()
    assert bring(watch) == CONTENT
    assert watch.places == sorted(watch.places) and watch.places[-1] == SIZE


@pytest.mark.parametrize("size", [None, SIZE])
def test_after_cuts_only_the_rest_is_asked_for(hub, bring, size):
    hub.cuts[NAME] = [30_000, 20_000, 10_000, 5_000]
    watch = Watch()
    assert bring(watch, size=size) == CONTENT
    assert hub.starts(NAME) == [0, 30_000, 50_000, 60_000, 65_000], "more cuts than pauses: each brought something"
    assert watch.reasons[0] == f"cut at 30000 of {SIZE} bytes"


def test_what_an_earlier_call_left_is_not_asked_for_again(hub, bring, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT[:40_000])
    assert bring() == CONTENT
    assert hub.starts(NAME) == [40_000]


def test_what_is_whole_already_is_not_asked_for_at_all(hub, bring, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT)
    assert bring() == CONTENT
    assert hub.seen == []


@pytest.mark.parametrize("size", [None, SIZE])
def test_what_is_longer_than_the_file_begins_anew(bring, tmp_path, size):
    (tmp_path / "x.part").write_bytes(bytes(SIZE + 1))
    assert bring(size=size) == CONTENT


def test_a_server_without_ranges_sends_all_and_nothing_is_doubled(hub, bring, tmp_path):
    hub.ignores_ranges = True
    (tmp_path / "x.part").write_bytes(CONTENT[:40_000])
    assert bring() == CONTENT


def test_when_nothing_comes_any_more_it_is_given_up_and_kept(hub, bring, tmp_path):
    hub.cuts[NAME] = [30_000, 0, 0, 0]
    watch = Watch()
    with pytest.raises(TransferError, match=f"cut at 30000 of {SIZE} bytes") as raised:
        bring(watch)
    assert len(watch.reasons) == 2 and "goes on where it stopped" in raised.value.hint
    assert raised.value.exit_code is ExitCode.NOT_READY
    assert (tmp_path / "x.part").read_bytes() == CONTENT[:30_000]


def test_nobody_there_is_given_up_after_the_pauses(tmp_path):
    watch = Watch()
    with pytest.raises(TransferError, match="refused"):
        fetch("http://127.0.0.1:9/x", tmp_path / "x.part", watch, pauses=(0.0, 0.0))
    assert len(watch.reasons) == 2


def test_a_file_that_is_not_there_is_not_asked_for_twice(hub, bring):
    with pytest.raises(TransferError, match="is not there"):
        bring(path="owner/name/resolve/main/no.bin")


def test_a_file_of_another_size_than_promised_does_not_come(bring):
    with pytest.raises(TransferError, match=f"has {SIZE} bytes, not {SIZE + 1}"):
        bring(size=SIZE + 1)


def test_it_stops_when_told_and_keeps_what_has_come(bring, tmp_path):
    with pytest.raises(Stopped):
        bring(Watch(stop_at=20_000))
    kept = (tmp_path / "x.part").read_bytes()
    assert len(kept) >= 20_000 and CONTENT.startswith(kept)


def test_a_disk_that_does_not_take_it_is_named(hub, tmp_path):
    with pytest.raises(StorageError, match="does not take the file") as raised:
        fetch(f"{hub.url}/{NAME}", tmp_path / "no" / "x.part", Watch())
    assert raised.value.hint.startswith("make room")


def test_a_token_goes_to_the_hub_and_to_no_other_host(hub, bring):
    hub.gated.add("owner/name")
    path = "owner/name/resolve/main/file.bin"
    with pytest.raises(TransferError, match="not open to this user"):
        bring(path=path)
    assert bring(path=path, headers={"Authorization": "Bearer secret"}) == CONTENT
    assert [each.token for each in hub.seen] == [False], "only the store sends contents"

"""One process at a time: the kernel's lock decides, and the file says who, also to other machines."""

from __future__ import annotations

import json
import os
import signal

import pytest
from holding import Rests, held_elsewhere, interrupted, long_ago, pid_in, released, write

from standin_batch.locks import heartbeat
from standin_batch.locks.heartbeat import LOOKS, PERIODS, is_touched
from standin_batch.locks.held import HeldError
from standin_batch.locks.holder import named
from standin_batch.locks.lock import exclusive, holder

ELSEWHERE = {"host": "elsewhere", "boot": "another", "namespace": "another"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out" / "lock"


def never(_seconds):
    pytest.fail("there is nothing to wait for")


def refused(path, rest=never):
    with pytest.raises(HeldError) as caught, exclusive(path, rest=rest):
        pytest.fail("two at once")
    return caught.value


def test_the_second_is_told_who_holds_it(path):
    with held_elsewhere(path) as process:
        error = refused(path)
        assert error.holder == holder(path) == named(path)
        assert error.holder.pid == process.pid
        assert f"process {process.pid} on {error.holder.host}, since {error.holder.since}" in error.message


def test_a_lock_that_was_given_back_names_nobody(path):
    with exclusive(path):
        assert holder(path).pid == os.getpid()
    assert path.read_bytes() == b""
    assert holder(path) is None
    with exclusive(path, rest=never):
        assert pid_in(path) == os.getpid()


def test_it_is_given_back_when_the_block_fails(path):
    with pytest.raises(ZeroDivisionError), exclusive(path):
        raise ZeroDivisionError
    with exclusive(path, rest=never):
        pass


def test_twice_in_one_process_is_refused_too(path):
    with exclusive(path):
        assert refused(path).holder.pid == os.getpid()


def test_a_killed_holder_holds_nothing(path):
    with held_elsewhere(path) as process:
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert pid_in(path) == process.pid, "it could not clear the file"
        assert holder(path) is None
        with exclusive(path, rest=never):
            assert pid_in(path) == os.getpid()


def test_a_reused_id_is_not_the_holder(path):
    write(path, pid=1, born="1")
    assert holder(path) is None
    with exclusive(path, rest=never):
        pass


def test_a_living_holder_is_not_overridden_though_the_kernel_grants_the_lock(path):
    found = write(path)
    assert refused(path).holder == found == holder(path)
    assert named(path) == found, "the file is as it was"


def test_a_holder_before_a_reboot_is_gone(path):
    write(path, boot="another")
    long_ago(path)
    assert holder(path) is None
    with exclusive(path, rest=never):
        pass


def test_a_holder_just_before_a_quick_reboot_is_gone_after_two_periods(path):
    write(path, boot="another")
    rests = Rests()
    with exclusive(path, rest=rests):
        assert pid_in(path) == os.getpid()
    assert sum(rests) == pytest.approx(PERIODS * heartbeat.HEARTBEAT)


@pytest.mark.parametrize("of", [ELSEWHERE, {"boot": "another"}, {"namespace": "another"}], ids=["host", "boot", "pids"])
def test_one_that_cannot_be_asked_holds_it_while_it_gives_signs_of_life(path, of):
    found = write(path, **of)
    assert refused(path, rest=Rests(lambda: os.utime(path))).holder == found
    assert holder(path) == found


def test_a_silent_one_of_another_machine_is_dead_where_the_kernel_grants_the_lock(path):
    write(path, **ELSEWHERE)
    rests = Rests()
    with exclusive(path, rest=rests):
        assert pid_in(path) == os.getpid()
    assert len(rests) == PERIODS * LOOKS


def test_a_long_silent_one_is_not_even_waited_for(path):
    write(path, **ELSEWHERE)
    long_ago(path)
    assert holder(path) is None
    with exclusive(path, rest=never):
        pass


def test_one_of_another_machine_that_gives_it_back_meanwhile_is_succeeded_at_once(path):
    write(path, **ELSEWHERE)
    rests = Rests(lambda: path.write_bytes(b""))
    with exclusive(path, rest=rests):
        pass
    assert len(rests) == 1


def test_the_holder_gives_signs_of_life(path, monkeypatch):
    monkeypatch.setattr(heartbeat, "HEARTBEAT", 0.1)
    with exclusive(path):
        assert is_touched(path)
    assert not is_touched(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"pid": 1}', json.dumps({"host": "a", "pid": 1, "since": "b"}).encode()],
)
def test_a_file_that_names_nobody_holds_nothing(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert holder(path) is None
    with exclusive(path, rest=never):
        assert pid_in(path) == os.getpid()


def test_nobody_holds_what_is_not_there(tmp_path):
    assert holder(tmp_path / "nowhere" / "lock") is None
    assert not (tmp_path / "nowhere").exists()


def test_who_waits_is_told_once_for_whom_and_is_next(path):
    told = []
    with held_elsewhere(path) as process:
        rests = iter([lambda: None, lambda: None, lambda: released(process)])
        with exclusive(path, told.append, rest=lambda _: next(rests)()):
            assert pid_in(path) == os.getpid()
    assert [each.pid for each in told] == [process.pid]


def test_waiting_can_be_ended(path):
    told = []
    with held_elsewhere(path) as process:
        with pytest.raises(KeyboardInterrupt), exclusive(path, told.append, interrupted):
            pytest.fail("two at once")
        assert pid_in(path) == process.pid


def test_a_lock_that_is_not_left_is_removed_and_still_excludes(path):
    with exclusive(path, leave=False):
        refused(path)
    assert not path.exists()


def test_who_locked_a_file_that_was_removed_does_not_hold_it(path, monkeypatch):
    import fcntl

    lock = fcntl.flock

    def removed_meanwhile(file, how):
        lock(file, how)
        path.unlink()
        monkeypatch.undo()

    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    rests = Rests()
    with exclusive(path, lambda _: None, rests):
        assert pid_in(path) == os.getpid(), "the file that is there now"
    assert len(rests) == 1


def test_a_folder_that_cannot_be_made_stays_the_system_s_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError), exclusive(tmp_path / "file" / "lock"):
        pytest.fail("held")

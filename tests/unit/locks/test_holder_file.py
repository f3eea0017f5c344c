"""File systems without locks: a file that one process makes takes their place, and dead ones are told from living."""

from __future__ import annotations

import errno
import os
import signal

import pytest
from holding import Rests, held_elsewhere, interrupted, long_ago, pid_in, released, without_flock, write

from standin_batch.locks.heartbeat import LOOKS, PERIODS
from standin_batch.locks.held import HeldError
from standin_batch.locks.holder_file import MOMENT, file_of
from standin_batch.locks.lock import UNSUPPORTED, exclusive, holder

ELSEWHERE = {"host": "elsewhere", "boot": "another", "namespace": "another"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out" / "lock"


@pytest.fixture(params=UNSUPPORTED, ids=errno.errorcode.get)
def every_refusal(request, monkeypatch):
    without_flock(monkeypatch, request.param)


@pytest.fixture
def no_flock(monkeypatch):
    without_flock(monkeypatch)


def never(_seconds):
    pytest.fail("there is nothing to wait for")


def refused(path, rest=never, wait=None):
    with pytest.raises(HeldError) as caught, exclusive(path, wait, rest):
        pytest.fail("two at once")
    return caught.value


def test_a_file_names_the_holder_and_goes_with_it(path, every_refusal):
    with exclusive(path, rest=never):
        assert pid_in(file_of(path)) == os.getpid() == holder(path).pid
        assert refused(path).holder == holder(path)
    assert holder(path) is None
    assert [each.name for each in path.parent.iterdir()] == ["lock"]


def test_another_process_is_refused_and_may_wait(path, no_flock):
    with held_elsewhere(path, flock=False) as process:
        assert refused(path).holder.pid == process.pid
        with exclusive(path, lambda _: None, Rests(lambda: released(process))):
            assert pid_in(file_of(path)) == os.getpid()


def test_a_killed_one_is_succeeded_after_a_second_look(path, no_flock):
    with held_elsewhere(path, flock=False) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
        rests = Rests()
        with exclusive(path, rest=rests):
            assert pid_in(file_of(path)) == os.getpid()
        assert rests == [MOMENT]


def test_who_takes_over_at_the_same_time_and_later_has_it(path, no_flock):
    write(file_of(path), pid=1, born="1")
    error = refused(path, rest=lambda _: write(file_of(path), mark="the other one"))
    assert error.holder.mark == "the other one"
    assert holder(path) == error.holder, "nothing was taken from it"


def test_waiting_to_take_over_can_be_ended_and_leaves_nothing(path, no_flock):
    write(file_of(path), pid=1, born="1")
    with pytest.raises(KeyboardInterrupt), exclusive(path, rest=interrupted):
        pytest.fail("held")
    assert holder(path) is None
    assert [each.name for each in path.parent.iterdir()] == ["lock"]


def test_one_of_another_machine_with_signs_of_life_is_waited_for(path, no_flock):
    found = write(file_of(path), **ELSEWHERE)
    error = refused(path, rest=lambda _: os.utime(file_of(path)))
    assert (error.holder, error.cure) == (found, "")


@pytest.mark.parametrize("is_long", [True, False])
def test_a_silent_one_of_another_machine_is_left_to_the_user_also_by_who_would_wait(path, no_flock, is_long):
    found = write(file_of(path), **ELSEWHERE)
    if is_long:
        long_ago(file_of(path))
    error = refused(path, never if is_long else Rests(), wait=never)
    assert error.holder == found
    assert f"rm {file_of(path)}" in error.hint and "elsewhere" in error.hint


def test_one_before_a_reboot_is_gone(path, no_flock):
    write(file_of(path), boot="another")
    long_ago(file_of(path))
    rests = Rests()
    with exclusive(path, rest=rests):
        pass
    assert rests == [MOMENT]


def test_one_that_was_killed_before_it_wrote_its_name_is_succeeded(path, no_flock):
    path.parent.mkdir()
    file_of(path).touch()
    rests = Rests()
    with exclusive(path, rest=rests):
        assert pid_in(file_of(path)) == os.getpid()
    assert len(rests) == PERIODS * LOOKS + 1


def test_one_that_is_writing_its_name_is_not_overridden(path, no_flock):
    path.parent.mkdir()
    file_of(path).touch()
    error = refused(path, rest=lambda _: (write(file_of(path)), os.utime(file_of(path), (1, 1))))
    assert error.holder.pid == os.getpid()


def test_who_has_the_kernel_s_lock_is_seen_by_who_cannot_ask_for_it(path, no_flock):
    with held_elsewhere(path) as process:
        assert refused(path).holder.pid == process.pid


def test_a_silent_one_that_had_the_kernel_s_lock_elsewhere_is_left_to_the_user_too(path, no_flock):
    write(path, **ELSEWHERE)
    long_ago(path)
    assert f"rm {path}  #" in refused(path).hint


def test_who_could_not_ask_for_the_kernel_s_lock_is_seen_by_who_has_it(path):
    with held_elsewhere(path, flock=False) as process:
        assert refused(path).holder.pid == process.pid


def test_another_error_is_no_missing_lock(path, monkeypatch):
    without_flock(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output"), exclusive(path):
        pytest.fail("held")

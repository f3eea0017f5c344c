"""What libraries print goes to the log, others are heard meanwhile, and the streams come back."""

from __future__ import annotations

import io
import logging
import sys
import threading
import warnings

from standin_batch.hushed import aloud, hushed, hushed_threads


def test_what_is_printed_within_is_logged(caplog, capsys):
    with caplog.at_level(logging.INFO), hushed():
        print("a banner")
        print("an error of theirs", file=sys.stderr)
        warnings.warn("old names", stacklevel=1)
    print("a result")
    assert [record.getMessage() for record in caplog.records][:2] == ["a banner", "an error of theirs"]
    assert capsys.readouterr() == ("a result\n", "")


def test_the_streams_come_back_whichever_thread_leaves_first(capsys):
    """As when a video is scored while the next job begins: each thread enters and leaves in between the other's."""
    before, entered, left = sys.stdout, threading.Event(), threading.Event()

    def other():
        with hushed():
            entered.set()
            assert left.wait(10)

    thread = threading.Thread(target=other)
    with hushed():
        thread.start()
        assert entered.wait(10)
    left.set()
    thread.join(10)
    assert sys.stdout is before
    print("a result")
    assert capsys.readouterr().out == "a result\n"


def test_blocks_can_stand_in_one_another(capsys):
    with hushed(), hushed():
        print("inner")
    print("outer")
    assert capsys.readouterr().out == "outer\n"


def test_other_threads_are_heard_meanwhile(capsys, caplog):
    """As a notebook's `on_event` while a video is scored."""
    entered, told = threading.Event(), threading.Event()

    def scoring():
        with hushed():
            entered.set()
            assert told.wait(10)
            print("a banner")

    thread = threading.Thread(target=scoring)
    with caplog.at_level(logging.INFO):
        thread.start()
        assert entered.wait(10)
        print("a step")
        print("a warning", file=sys.stderr)
        told.set()
        thread.join(10)
    assert capsys.readouterr() == ("a step\n", "a warning\n")
    assert [record.getMessage() for record in caplog.records] == ["a banner"]


def test_who_is_called_from_within_can_be_heard(capsys, caplog):
    with caplog.at_level(logging.INFO), hushed():
        with aloud():
            print("a step")
        print("a banner")
    assert capsys.readouterr().out == "a step\n"
    assert [record.getMessage() for record in caplog.records] == ["a banner"]


def test_streams_that_somebody_else_has_changed_meanwhile_are_left_alone(capsys):
    before = sys.stdout
    try:
        with hushed():
            sys.stdout = theirs = io.StringIO()
            with hushed():
                print("a banner")
            sys.stdout = theirs
        assert sys.stdout is theirs
        assert theirs.getvalue() == ""
    finally:
        sys.stdout = before
    assert capsys.readouterr().out == ""


def test_a_thread_that_a_library_began_is_hushed_by_its_name(caplog, capsys):
    def talk():
        print(f"{threading.current_thread().name} talks")

    with caplog.at_level(logging.INFO), hushed_threads("talker"):
        for name in ("talker", "other"):
            thread = threading.Thread(target=talk, name=name)
            thread.start()
            thread.join()
    assert [record.getMessage() for record in caplog.records] == ["talker talks"]
    assert capsys.readouterr().out == "other talks\n"

"""What libraries print goes to the log, in whichever thread, and the streams come back."""

from __future__ import annotations

import logging
import sys
import threading
import warnings

from standin_batch.hushed import hushed


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

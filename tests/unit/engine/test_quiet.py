"""What libraries print goes to the log."""

from __future__ import annotations

import logging
import sys

from standin_batch.engine.quiet import to_log


def test_lines_become_log_records(caplog, capsys):
    caplog.set_level(logging.INFO)
    with to_log():
        print("one\ntwo")
        print("half", end=" ")
        print("line", file=sys.stderr)
        print("end")
    assert [record.message for record in caplog.records][:2] == ["one", "two"]
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_afterwards_printing_is_printing_again(capsys):
    with to_log():
        pass
    print("hello")
    assert capsys.readouterr().out == "hello\n"

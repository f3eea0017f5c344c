"""The ledger: the last line of a file wins, and a crash costs at most the line it cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from standin_batch.weights.ledger import Entry, Ledger

ENTRY = Entry("Wan2.1-T2V/a.safetensors", "Wan2.1-T2V", "Wan-AI/x", "abc", 3, "0" * 64, "2026-01-01T00:00:00+00:00")


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "checkpoints")


def test_a_root_without_a_ledger_has_no_entries_and_gets_no_folder(ledger):
    assert ledger.entries() == {}
    assert not ledger.root.exists()


def test_what_was_added_is_read_by_its_file(ledger):
    ledger.add(ENTRY)
    other = replace(ENTRY, file="antelopev2/b.onnx")
    ledger.add(other)
    assert Ledger(ledger.root).entries() == {ENTRY.file: ENTRY, other.file: other}


def test_the_last_line_of_a_file_wins(ledger):
    ledger.add(ENTRY)
    newer = replace(ENTRY, revision="def", size=4)
    ledger.add(newer)
    assert ledger.entries() == {ENTRY.file: newer}


def test_a_line_cut_by_a_crash_costs_itself_alone(ledger):
    ledger.add(ENTRY)
    ledger.add(replace(ENTRY, file="cut"))
    ledger.path.write_bytes(ledger.path.read_bytes()[:-20])
    after = replace(ENTRY, file="after")
    ledger.add(after)
    assert ledger.entries() == {ENTRY.file: ENTRY, "after": after}


def test_lines_that_say_something_else_are_passed_over(ledger):
    ledger.add(ENTRY)
    with ledger.path.open("a") as file:
        file.write('[1, 2]\n{"file": "x"}\nnull\n')
    assert ledger.entries() == {ENTRY.file: ENTRY}

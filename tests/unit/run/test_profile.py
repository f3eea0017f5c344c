"""Where the time of a run went."""

from __future__ import annotations

import pytest

from standin_batch.run.profile import BESIDE, PARTS, WRITE, profile_of, told
from standin_batch.stopwatch import OTHER, Stopwatch, beside, part


def test_parts_have_names_and_sum_to_the_whole(docs):
    with Stopwatch(2.0).running() as stopwatch:
        with part("denoise"), part("a part that nobody has named"):
            pass
        profiled = profile_of(stopwatch)
    assert list(profiled.parts) == list(PARTS)
    assert sum(profiled.parts.values()) == pytest.approx(profiled.seconds)
    assert profiled.parts["start"] == 2.0
    assert profiled.parts[OTHER] > 0, "what has no name is other"


def test_what_the_writer_does_is_no_part_of_the_sum():
    with Stopwatch().running() as stopwatch:
        other = beside()
    with other.running(), part(WRITE):
        pass
    profiled = profile_of(stopwatch)
    assert profiled.beside[WRITE] > 0
    assert set(profiled.beside) == set(BESIDE)
    assert WRITE not in profiled.parts


def test_the_log_names_the_longest_first():
    assert told(profile_of(Stopwatch(9.0))).startswith("where 9.00 s went: start-up of Python, and its imports 9.00 s;")


def test_every_part_is_in_the_documentation(docs):
    section = (docs / "running.md").read_text().partition("## Where the time went")[2].partition("\n## ")[0]
    for name in (*PARTS, *BESIDE):
        assert f"`{name}`" in section, name

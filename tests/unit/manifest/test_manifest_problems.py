"""How a problem looks: as a compiler would show it."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from standin_batch.errors import ExitCode
from standin_batch.manifest.problems import MAX_PROBLEMS, SNIPPET_WIDTH, ManifestError, Problem, Problems


def shown(line: str, column: int, length: int, **more: str) -> str:
    return str(Problem("m.yaml", 7, column, length, "wrong", source_line=line, **more))


def test_whole_picture():
    problem = Problem(
        "m.yaml", 12, 15, 2, "`num_frames` is 80, which is not 4n+1", "the nearest are 77 and 81", "  num_frames: 80"
    )
    assert str(problem) == (
        "m.yaml:12:15: `num_frames` is 80, which is not 4n+1\n"
        "   |\n"
        "12 |   num_frames: 80\n"
        "   |               ^^\n"
        "   = help: the nearest are 77 and 81"
    )


def test_a_problem_without_a_line_is_its_message():
    assert str(Problem("m.yaml", 0, 1, 1, "there is no such file")) == "m.yaml: there is no such file"


def test_the_underline_is_below_wide_characters():
    lines = shown("prompt: 女人 {x}", 12, 3).splitlines()
    assert lines[2] == "7 | prompt: 女人 {x}"
    assert lines[3] == "  |              ^^^"
    assert shown("a: 女人", 4, 2).splitlines()[3] == "  |    ^^^^"


def test_tabs_are_expanded():
    lines = shown("\ta:\tb", 5, 1).splitlines()
    assert lines[2] == "7 |     a:  b"
    assert lines[3] == "  |         ^"


def test_nothing_in_the_line_steers_the_terminal():
    assert "\x1b" not in shown("a: \x1b[31mred\u202e", 4, 3)
    assert "\u202e" not in shown("a: \x1b[31mred\u202e", 4, 3)


def test_neither_do_messages_hints_and_names():
    assert "\x1b" not in str(Problem("a\x1b[2J", 1, 1, 1, "no \x1b]0;x\x07", "see \x1b[31m", "a"))


def test_a_long_line_is_cut_around_the_token():
    lines = shown("x" * 5000 + "HERE" + "y" * 5000, 5001, 4).splitlines()
    assert lines[2].startswith("7 | …x") and lines[2].endswith("y…")
    assert len(lines[2]) < 120
    assert lines[2].index("HERE") == lines[3].index("^^^^")


def test_a_token_longer_than_the_line_shown_ends_with_it():
    lines = shown("a: " + "x" * 500, 4, 500).splitlines()
    assert len(lines[3]) <= len(lines[2])


@given(st.text(max_size=300), st.integers(1, 400), st.integers(1, 400))
def test_the_picture_never_leaves_the_terminal_nor_the_underline_the_line(line, column, length):
    parts = str(Problem("m", 1, column, length, "wrong", source_line=line)).split("\n")
    assert len(parts) in (1, 4)
    if len(parts) == 4:
        assert set(parts[3][4:].strip()) == {"^"}
        assert max(map(cell_len, parts)) <= SNIPPET_WIDTH + 1


@given(st.text(st.sampled_from("a女 "), max_size=200), st.integers(1, 200), st.integers(1, 9), st.integers(40, 110))
def test_the_underline_is_below_its_token_at_any_width(line, column, length, width):
    token = line[column - 1 : column - 1 + length]
    if not token.strip():
        return
    _, _, shown, below = Problem("m", 1, column, length, "wrong", source_line=line).to_text(width).plain.split("\n")
    in_cells = "".join(char * cell_len(char) for char in shown)
    assert in_cells[below.index("^") : len(below)].strip() == "".join(char * cell_len(char) for char in token).strip()
    assert cell_len(shown) <= width


def test_colours_do_not_change_the_text_and_brackets_are_no_markup():
    problem = Problem("[m].yaml", 1, 1, 5, "there is no [bold]x[/bold]", "write [x]", "[red]")
    console = Console(file=StringIO(), width=200, force_terminal=False)
    console.print(problem.to_text(200))
    assert console.file.getvalue().rstrip("\n") == str(problem)


def test_a_warning_says_so():
    assert "warning: wrong" in shown("a", 1, 1, severity="warning")


def test_the_error_is_sorted_and_leaves_with_two():
    problems = [
        Problem("b", 1, 1, 1, "x"),
        Problem("a", 10, 1, 1, "y"),
        Problem("a", 2, 9, 1, "z"),
        Problem("a", 2, 1, 1, "w"),
    ]
    error = ManifestError(problems)
    assert [found.message for found in error.problems] == ["w", "z", "y", "x"]
    assert error.exit_code is ExitCode.USAGE
    assert error.message == "4 problems in a and 1 other file"


def test_a_problem_told_twice_is_one_and_too_many_are_counted():
    problems = Problems()
    for line in range(1, MAX_PROBLEMS + 51):
        for _ in range(2):
            problems.add(Problem("a", line, 1, 1, "wrong"))
    with pytest.raises(ManifestError) as caught:
        problems.raise_errors()
    assert len(caught.value.problems) == MAX_PROBLEMS
    assert "shown" in caught.value.message


def test_warnings_alone_raise_nothing():
    problems = Problems()
    problems.add(Problem("a", 1, 1, 1, "wrong", severity="warning"))
    problems.raise_errors()
    assert len(problems.warnings) == 1

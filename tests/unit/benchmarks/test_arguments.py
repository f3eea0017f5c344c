"""What a benchmark is told is checked before anything is measured."""

from __future__ import annotations

import argparse

import pytest

from benchmarks import batch, clip, kernel, plan, runner
from benchmarks.common import guarded, multiple_of, size
from standin_batch.errors import ExitCode, NotReadyError


def test_numbers_of_jobs_are_multiples():
    assert multiple_of(40)("80") == 80
    for word in ("0", "-40", "30"):
        with pytest.raises(argparse.ArgumentTypeError, match=f"{word} is no multiple of 40"):
            multiple_of(40)(word)


@pytest.mark.parametrize("word", ["832", "832x", "0x480", "832x480x81", "a x b"])
def test_a_size_has_a_width_and_a_height(word):
    assert size("832x480") == "832x480"
    with pytest.raises(argparse.ArgumentTypeError, match="an example is 832x480"):
        size(word)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (plan, ["--jobs", "1000", "30"]),
        (runner, ["--jobs", "5"]),
        (batch, ["--jobs", "25"]),
        (clip, ["--model", "nothing"]),
        (kernel, ["--size", "3"]),
    ],
)
def test_wrong_words_are_told_as_such(script, words, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmark", *words])
    with pytest.raises(SystemExit) as left:
        script.main()
    assert left.value.code == ExitCode.USAGE
    assert f"argument {words[0]}: " in capsys.readouterr().err


def test_an_error_is_told_with_its_cure_and_its_exit_code(capsys):
    def fail():
        raise NotReadyError("there are no weights", "download them")

    with pytest.raises(SystemExit) as left:
        guarded(fail)
    assert left.value.code == ExitCode.NOT_READY
    assert capsys.readouterr().err == "error: there are no weights\n  cure: download them\n"


def test_a_model_without_weights_is_an_error_with_a_cure(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["benchmark", "--model", "wan2.1-t2v-14b"])
    with pytest.raises(SystemExit) as left:
        guarded(clip.main)
    assert left.value.code == ExitCode.NOT_READY
    assert "cure: standin weights download" in capsys.readouterr().err

"""Pieces of work in turns: what does not run is told, and costs the others nothing."""

from __future__ import annotations

import torch

from benchmarks.timing import interleaved


def missing():
    raise ImportError("no module named flash_attn. Install it")


def test_what_is_not_here_is_told_and_the_others_are_timed():
    found, failed = interleaved({"missing": missing, "there": list}, "cpu", repeats=2, warm_up=0)
    assert set(found) == {"there"}
    assert failed == {"missing": "not here: no module named flash_attn"}


def test_too_little_memory_is_not_called_a_missing_kernel():
    def too_large():
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert interleaved({"large": too_large}, "cpu", repeats=1)[1] == {"large": "out of memory"}


def test_what_fails_later_has_no_value():
    left = [1, 2]

    def shrinking():
        if not left:
            raise torch.OutOfMemoryError("CUDA out of memory")
        left.pop()

    found, failed = interleaved({"shrinking": shrinking}, "cpu", repeats=3, warm_up=0)
    assert (found, failed) == ({}, {"shrinking": "out of memory"})

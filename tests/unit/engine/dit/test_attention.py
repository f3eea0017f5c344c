"""Attention kernels: those that are exact give the same; one is measured, chosen and remembered."""

from __future__ import annotations

import json

import pytest
import torch

from standin_batch.engine.dit.attention import EXACT, INEXACT, PLAIN, Package, Shape, attend, fastest, found
from standin_batch.engine.dit.chosen import Kernels

SHAPE = Shape(queries=30, keys=40, heads=2, head=8)


def choose(name, asked):
    """A machine on which one kernel is the fastest, and that notes what it is asked for."""

    def measure(shape, dtype, device):
        asked.append(shape)
        return name, {name: 0.1}

    return measure


def test_attention_is_the_softmax_of_scores_over_the_values():
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, tokens, 16, generator=generator) for tokens in (30, 40, 40))
    heads = [each.view(1, -1, 2, 8).transpose(1, 2) for each in (q, k, v)]
    scores = (heads[0] @ heads[1].transpose(2, 3) / 8**0.5).softmax(-1)
    expected = (scores @ heads[2]).transpose(1, 2).flatten(2)
    torch.testing.assert_close(attend(EXACT[PLAIN], q, k, v, 2), expected)


def test_no_kernel_is_both_exact_and_not():
    assert not set(EXACT) & set(INEXACT)


def test_a_cpu_has_one_kernel_and_measures_nothing():
    assert fastest(SHAPE, torch.float32, "cpu") == (PLAIN, {})


def test_what_was_measured_once_is_remembered_by_later_runs(tmp_path):
    asked = []
    path = tmp_path / "cache" / "attention.json"
    for _ in range(2):
        kernels = Kernels("cuda", path, choose("cudnn", asked))
        assert kernels.name_for(SHAPE, torch.bfloat16) == "cudnn"
    assert asked == [SHAPE]


def test_each_shape_and_dtype_has_its_own(tmp_path):
    asked = []
    path = tmp_path / "attention.json"
    larger = Shape(60, 70, 2, 8)
    Kernels("cuda", path, choose("cudnn", asked)).name_for(SHAPE, torch.bfloat16)
    Kernels("cuda", path, choose("flash", asked)).name_for(larger, torch.bfloat16)
    Kernels("cuda", path, choose(PLAIN, asked)).name_for(SHAPE, torch.float32)
    kept = Kernels("cuda", path, choose("unasked", asked))
    assert [kept.name_for(SHAPE, torch.bfloat16), kept.name_for(larger, torch.bfloat16)] == ["cudnn", "flash"]
    assert kept.name_for(SHAPE, torch.float32) == PLAIN


def test_two_processes_take_what_the_first_of_them_found(tmp_path):
    path = tmp_path / "attention.json"
    one, other = Kernels("cuda", path, choose("flash", [])), Kernels("cuda", path, choose("cudnn", []))
    assert one.name_for(SHAPE, torch.bfloat16) == other.name_for(SHAPE, torch.bfloat16) == "flash"


def test_where_nothing_can_be_remembered_a_run_keeps_to_its_choices(tmp_path):
    """So that a job is the same alone and after others."""
    (tmp_path / "file").write_text("where the folder should be")
    left = ["cudnn", "flash"]
    kernels = Kernels("cuda", tmp_path / "file" / "attention.json", lambda *_: (left.pop(0), {}))
    larger = Shape(60, 70, 2, 8)
    assert [kernels.name_for(each, torch.bfloat16) for each in (SHAPE, larger, SHAPE, larger)] == ["cudnn", "flash"] * 2


def test_a_package_is_looked_up_once(tmp_path, monkeypatch):
    (tmp_path / "some_attention.py").write_text("def attend(q, k, v, sign='+'):\n    return (q, sign)\n")
    monkeypatch.syspath_prepend(tmp_path)
    package = Package("some_attention", "attend", (("sign", "-"),))
    kernel = found(package)
    assert kernel is not package
    assert kernel("q", "k", "v") == package("q", "k", "v") == "q"
    assert found(EXACT[PLAIN]) is EXACT[PLAIN]


@pytest.mark.parametrize("content", ["", "{", "[1]", json.dumps({"x": 1})])
def test_a_damaged_memory_is_measured_anew(tmp_path, content):
    path = tmp_path / "attention.json"
    path.write_text(content)
    assert Kernels("cuda", path, choose("flash", [])).name_for(SHAPE, torch.bfloat16) == "flash"


def test_a_kernel_that_is_no_longer_known_is_measured_anew(tmp_path):
    path = tmp_path / "attention.json"
    Kernels("cuda", path, choose("retired", [])).name_for(SHAPE, torch.bfloat16)
    assert Kernels("cuda", path, choose("flash", [])).name_for(SHAPE, torch.bfloat16) == "flash"


@pytest.mark.gpu
@pytest.mark.parametrize("name", EXACT)
def test_every_exact_kernel_that_is_there_gives_the_same_on_a_gpu(name):
    q = torch.randn(1, 300, 8, 128, device="cuda", dtype=torch.bfloat16)
    k, v = (torch.randn(1, 400, 8, 128, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    try:
        found = EXACT[name](q, k, v)
    except (ImportError, AttributeError, RuntimeError) as error:
        pytest.skip(str(error))
    torch.testing.assert_close(found, EXACT[PLAIN](q, k, v), rtol=2e-2, atol=2e-2)


@pytest.mark.gpu
def test_a_gpu_measures_and_chooses():
    name, seconds = fastest(Shape(4096, 5120, 8, 128), torch.bfloat16, "cuda")
    assert seconds[name] == min(seconds.values())

"""Stock DiffSynth with the engine's attention: the same values by another kernel, and only within the block."""

from __future__ import annotations

import torch
from diffsynth.models import wan_video_dit

from benchmarks.full.parts import row_of
from benchmarks.full.stock import engine_kernel
from benchmarks.kernel import over
from benchmarks.stock import attention_by, stock_attention
from standin_batch.engine.dit.attention import EXACT, INEXACT, PLAIN


def test_stock_takes_a_kernel_that_the_engine_knows():
    assert stock_attention() in {**EXACT, **INEXACT}


def test_within_the_block_the_kernel_computes_what_stock_would():
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, 10, 24).unbind()
    module, asked = wan_video_dit.AttentionModule(num_heads=2), []

    def kernel(*heads):
        asked.append([each.shape for each in heads])
        return EXACT[PLAIN](*heads)

    own = module(q, k, v)
    with attention_by(kernel):
        assert torch.equal(module(q, k, v), own)
    module(q, k, v)
    assert asked == [[(1, 10, 2, 12)] * 3]


def test_on_a_cpu_the_engine_takes_the_plain_kernel(tmp_path):
    assert engine_kernel(tmp_path, row_of("tiny"), (1, 16, 2, 8, 8), "cpu") == PLAIN


def test_no_ratio_is_made_of_what_was_not_measured():
    assert over(3.0, 2.0) == 1.5
    assert over(None, 2.0) is over(3.0, None) is None

"""Rotary positions: DiffSynth's rotation, in float32."""

from __future__ import annotations

import pytest
import torch
from diffsynth.models.wan_video_dit import precompute_freqs_cis_3d, rope_apply

from standin_batch.engine.dit.rope import Rope, Ropes, identity_rope

HEADS, HEAD, GRID = 3, 24, (3, 4, 5)
TOKENS = GRID[0] * GRID[1] * GRID[2]


class Dit:
    """All that is asked of a transformer."""

    freqs = precompute_freqs_cis_3d(HEAD)


def diffsynths(grid):
    f, h, w = grid
    frames, rows, columns = Dit.freqs
    parts = (frames[:f, None, None], rows[None, :h, None], columns[None, None, :w])
    return torch.cat([part.expand(f, h, w, -1) for part in parts], dim=-1).reshape(f * h * w, 1, -1)


@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_a_video_is_rotated_as_diffsynth_does(dtype, rounding):
    x = torch.randn(1, TOKENS, HEADS * HEAD, generator=torch.Generator().manual_seed(0)).to(dtype)
    rope = Ropes("cpu").video(Dit, GRID)
    found = rope.rotate(x, out=torch.empty_like(x))
    torch.testing.assert_close(found, rope_apply(x, diffsynths(GRID), HEADS), rtol=rounding, atol=rounding)


def test_it_may_be_rotated_in_its_place():
    x = torch.randn(1, TOKENS, HEADS * HEAD)
    rope = Ropes("cpu").video(Dit, GRID)
    expected = rope.rotate(x, out=torch.empty_like(x))
    assert torch.equal(rope.rotate(x, out=x), expected)


def test_the_table_is_made_once_for_a_grid_and_follows_it():
    ropes = Ropes("cpu")
    first = ropes.video(Dit, GRID)
    assert ropes.video(Dit, GRID) is first
    other = ropes.video(Dit, (1, 2, 2))
    assert len(other.turns) == 4
    assert torch.equal(ropes.video(Dit, GRID).turns, first.turns)


def test_an_identity_stands_at_frame_minus_one_and_behind_the_video():
    """Turned forward by one frame and back by the video's grid, it would stand at the origin."""
    rope = identity_rope(Dit, GRID[1:], 2, 2, "cpu")
    turns = torch.view_as_complex(rope.turns)[:, 0]
    frames, rows, columns = (axis.to(torch.complex64) for axis in Dit.freqs)
    split = (frames.shape[1], rows.shape[1], columns.shape[1])
    frame, row, column = turns.split(split, dim=-1)
    torch.testing.assert_close(frame * frames[1], torch.ones_like(frame))
    torch.testing.assert_close(row, rows[[4, 4, 5, 5]])
    torch.testing.assert_close(column, columns[[5, 6, 5, 6]])


def test_a_table_is_float32():
    assert Rope.of(*(axis[:2] for axis in Dit.freqs), device="cpu").turns.dtype == torch.float32

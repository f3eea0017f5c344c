"""What is trained is what runs: the passes of `training` are the engine's, in batches and with gradients."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from diffsynth.models.wan_video_dit import WanModel
from diffsynth.models.wan_video_vace import VaceWanModel

from standin_batch.engine.adapter import BlockAdapter, LowRank
from standin_batch.engine.dit.forward import Forward, Vace
from standin_batch.engine.identity import identity_kv
from standin_batch.weights.rows_tiny import TINY_DIT, TINY_VACE
from training.compiler import can_compile
from training.dit import forward
from training.dit.forward import PROMPT_TOKENS, Adapter, Text, identity_of, velocity

GRID = (6, 5)
WORDS = 7


@dataclass(frozen=True)
class Model:
    """A transformer with all that stands beside it, of random numbers."""

    dit: WanModel
    vace: VaceWanModel
    adapter: Adapter

    @property
    def as_loaded(self) -> tuple[BlockAdapter, ...]:
        """The adapter as the engine has it."""
        return tuple(
            BlockAdapter(**{part: _low_rank(block.self_attn[f"{part}_loras"]) for part in "qkv"})
            for block in self.adapter.blocks
        )


def _low_rank(lora: torch.nn.Module) -> LowRank:
    return LowRank(lora.down.weight.detach(), lora.up.weight.detach())


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    dit, vace = WanModel(**TINY_DIT), VaceWanModel(**TINY_VACE)
    adapter = Adapter(dit, 8)
    for parameter in (*dit.parameters(), *vace.parameters(), *adapter.parameters()):
        torch.nn.init.normal_(parameter, std=0.08)
    return Model(dit, vace, adapter)


@pytest.fixture(autouse=True)
def _is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling takes most of a minute; one test below does it."""
    monkeypatch.setattr(forward, "can_compile", lambda: False)


@pytest.fixture
def chance() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def _text(chance: torch.Generator, rows: int) -> tuple[torch.Tensor, Text]:
    """Prompts as the engine has them, and short."""
    tokens = torch.randn(rows, WORDS, TINY_DIT["text_dim"], generator=chance)
    whole = torch.nn.functional.pad(tokens, (0, 0, 0, PROMPT_TOKENS - WORDS))
    return whole, Text(whole[:, : WORDS + 1])


def test_the_identity_is_the_engines(model: Model, chance: torch.Generator) -> None:
    picture = torch.randn(1, 16, 1, 12, 12, generator=chance)
    engine = identity_kv(model.dit, model.as_loaded, picture, GRID)
    for ours, theirs in zip(identity_of(model.dit, model.adapter, picture, GRID), engine, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("with_identity", [False, True])
@pytest.mark.parametrize("with_control", [False, True])
def test_the_velocity_is_the_engines_for_every_clip_of_a_batch(
    model: Model, chance: torch.Generator, with_identity: bool, with_control: bool
) -> None:
    latents = torch.randn(2, 16, 3, 12, 10, generator=chance)
    pictures = torch.randn(2, 16, 1, 12, 12, generator=chance)
    shown, timesteps = torch.randn(2, 96, 3, 12, 10, generator=chance), torch.tensor([900.0, 100.0])
    whole, short = _text(chance, 2)
    identity = identity_of(model.dit, model.adapter, pictures, GRID) if with_identity else None
    batch = velocity(model.dit, latents, timesteps, short, identity, (model.vace, shown) if with_control else None)
    for row in range(2):
        one = slice(row, row + 1)
        alone = identity_kv(model.dit, model.as_loaded, pictures[one], GRID) if with_identity else None
        vace = Vace(model.vace, shown[one], 1.0) if with_control else None
        engine = Forward("cpu")(model.dit, latents[one], timesteps[one], whole[one], alone, vace)
        torch.testing.assert_close(batch[one], engine, atol=1e-4, rtol=1e-4)


def test_gradients_reach_the_adapter_through_the_frozen_transformer(model: Model, chance: torch.Generator) -> None:
    identity = identity_of(model.dit, model.adapter, torch.randn(1, 16, 1, 12, 12, generator=chance), GRID)
    latents, timesteps = torch.randn(1, 16, 2, 12, 10, generator=chance), torch.tensor([500.0])
    velocity(model.dit, latents, timesteps, _text(chance, 1)[1], identity).square().mean().backward()
    # The last block's query serves the identity's own tokens alone, and those of the last block go nowhere.
    last = f"blocks.{len(model.adapter.blocks) - 1}.self_attn.q_loras"
    for name, parameter in model.adapter.named_parameters():
        assert name.startswith(last) or float(parameter.grad.abs().sum()) > 0, name


@pytest.mark.slow
@pytest.mark.skipif(not can_compile(), reason="there is no C++ compiler, or no ninja")
def test_compiled_it_has_the_same_gradients(
    model: Model, chance: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, latents = torch.randn(1, 16, 1, 12, 12, generator=chance), torch.randn(1, 16, 2, 12, 10, generator=chance)
    text = _text(chance, 1)[1]
    found = []
    for compiled in (False, True):
        monkeypatch.setattr(forward, "can_compile", lambda answer=compiled: answer)
        model.adapter.zero_grad()
        identity = identity_of(model.dit, model.adapter, picture, GRID)
        velocity(model.dit, latents, torch.tensor([500.0]), text, identity).square().mean().backward()
        found.append([each.grad.clone() for each in model.adapter.parameters() if each.grad is not None])
    torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=1e-3)

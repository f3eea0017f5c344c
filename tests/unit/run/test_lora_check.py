"""LoRAs are looked at before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from jobs import make_job
from safetensors.torch import load_file, save_file

from standin_batch.job import InputFile, Lora
from standin_batch.plan.planner import make_plan
from standin_batch.run.events import Warned
from standin_batch.run.lora_check import check_loras
from standin_batch.weights.locate import locate
from standin_batch.weights.lora_keys import LoraError
from standin_batch.weights.registry import ROWS


@pytest.fixture
def check(golden):
    """Checks jobs with these LoRAs, one each; gives what was said."""

    def run(*loras, model="tiny", modules=()):
        jobs = [make_job(number, model=model, loras=(lora,)) for number, lora in enumerate(loras)]
        plan, said = make_plan(jobs, {}), []
        (group,) = plan.groups
        check_loras(plan, {(model, group.base): locate(ROWS[model], golden / "weights", modules)}, said.append)
        return said

    return run


def lora(path, key="all"):
    return Lora(path.stem, {key: InputFile(Path(path), path.stem)}, 1.0)


@pytest.fixture
def style(golden):
    return golden / "weights" / "loras" / "style.safetensors"


@pytest.fixture
def flux(tmp_path):
    save_file({"double_blocks.0.img_attn.qkv.lora_A.weight": torch.zeros(4, 8)}, tmp_path / "flux.safetensors")
    return tmp_path / "flux.safetensors"


def test_one_that_fits_is_nothing_to_speak_of(check, style):
    assert check(lora(style)) == []
    assert check(lora(style), lora(style, "low_noise"), model="tiny-2.2") == []


def test_one_for_another_model_is_an_error_wherever_it_stands(check, style, flux):
    with pytest.raises(LoraError, match=r"flux\.safetensors"):
        check(lora(style), lora(flux))


def test_leftover_keys_are_said_once_for_each_file(check, style, tmp_path):
    extra = {f"lora_te_layer_{number}.lora_down.weight": torch.zeros(4, 4) for number in range(5)}
    save_file({**load_file(style), **extra}, tmp_path / "more.safetensors")
    (said,) = check(lora(tmp_path / "more.safetensors"), lora(tmp_path / "more.safetensors"))
    assert isinstance(said, Warned)
    assert "5 of its keys" in said.message
    assert "lora_te_layer_0" in said.message
    assert "2 more" in said.message


def test_keys_for_a_module_are_left_over_even_where_its_checkpoint_is_the_base(golden, tmp_path, style):
    path = tmp_path / "control.safetensors"
    sides = {"A": torch.zeros(4, 96), "B": torch.zeros(96, 4)}
    extra = {f"vace_blocks.0.self_attn.q.lora_{side}.weight": tensor for side, tensor in sides.items()}
    save_file({**load_file(style), **extra}, path)
    (tmp_path / "weights").mkdir()
    for folder in (golden / "weights").iterdir():
        if folder.name != "Wan2.1-T2V":
            (tmp_path / "weights" / folder.name).symlink_to(folder)
    files, said = locate(ROWS["tiny"], tmp_path / "weights", ("vace",)), []
    plan = make_plan([make_job(mode="vace", loras=(lora(path),))], {})
    check_loras(plan, {("tiny", plan.groups[0].base): files}, said.append)
    assert "2 of its keys" in said[0].message

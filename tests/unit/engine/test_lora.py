"""LoRAs in the DiT's weights: exact, in every style, and off again to the very bits."""

from __future__ import annotations

import pytest
import torch
from diffsynth.models.wan_video_dit import WanModel
from diffsynth.utils.lora.general import GeneralLoRALoader
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_styles import STYLES, write_styles
from safetensors.torch import load_file, save_file

from standin_batch.engine.lora import Fusion, FusionError, LoraFile
from standin_batch.engine.pristine import CHUNK, Pristine, is_pinned_worth
from standin_batch.weights.header import HeaderError
from standin_batch.weights.lora_keys import LoraError
from standin_batch.weights.rows_tiny import TINY_DIT

Q = "blocks.0.self_attn.q"
WEIGHT = f"{Q}.weight"


@pytest.fixture(scope="module")
def checkpoint(golden):
    tensors = {}
    for shard in sorted((golden / "weights" / "Wan2.1-T2V").glob("*.safetensors")):
        tensors.update(load_file(shard))
    return tensors


@pytest.fixture
def make_dit(checkpoint):
    def make(dtype=torch.float32):
        dit = WanModel(**TINY_DIT)
        dit.load_state_dict(checkpoint)
        return dit.to(dtype)

    return make


@pytest.fixture
def dit(make_dit):
    return make_dit()


@pytest.fixture(scope="module")
def style(golden):
    return golden / "weights" / "loras" / "style.safetensors"


@pytest.fixture(scope="module")
def styles(style, tmp_path_factory):
    return write_styles(style, tmp_path_factory.mktemp("styles"))


@pytest.fixture
def write(tmp_path):
    """Writes tensors as a LoRA and gives its path."""

    def to(name, tensors):
        save_file(tensors, tmp_path / f"{name}.safetensors")
        return tmp_path / f"{name}.safetensors"

    return to


def fuse(dit, loras):
    """A DiT that had none has these LoRAs now."""
    fusion = Fusion(dit)
    fusion.put_on(loras)
    return fusion


def weights(dit):
    return {name: parameter.detach().clone() for name, parameter in dit.named_parameters()}


def same(one, other):
    """Equal to the bit, where -0.0 is not 0.0."""
    return one.keys() == other.keys() and all(bits(one[name]).equal(bits(other[name])) for name in one)


def bits(tensor):
    return tensor.contiguous().view(torch.uint8)


def normal(*shape, seed=0, std=0.05):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * std


def pair(module, seed=0, rank=4, down=96, up=96, std=0.05):
    return {
        f"{module}.lora_A.weight": normal(rank, down, seed=seed, std=std),
        f"{module}.lora_B.weight": normal(up, rank, seed=seed + 1, std=std),
    }


@pytest.fixture(scope="module")
def expected(checkpoint, style):
    """What DiffSynth, and so the reference, computes in float32 at a scale of 0.7."""
    dit = WanModel(**TINY_DIT)
    dit.load_state_dict(checkpoint)
    GeneralLoRALoader(device="cpu", torch_dtype=torch.float32).fuse_lora_to_base_model(dit, load_file(style), alpha=0.7)
    return weights(dit)


@pytest.mark.parametrize("name", STYLES)
def test_every_style_gives_the_weights_of_the_reference_to_the_bit(dit, styles, expected, name):
    pristine = weights(dit)
    fuse(dit, [LoraFile(styles[name], 0.7)])
    assert same(weights(dit), expected)
    assert sum(not torch.equal(pristine[name], expected[name]) for name in pristine) == 28


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_restoring_puts_back_the_very_bits(make_dit, style, dtype):
    dit = make_dit(dtype)
    with torch.no_grad():
        dit.get_parameter(WEIGHT)[0, :2] = torch.tensor([-0.0, 1e-40])
    pristine = weights(dit)
    places = {name: parameter.data_ptr() for name, parameter in dit.named_parameters()}
    fused = fuse(dit, [LoraFile(style, 0.7)])
    assert not same(weights(dit), pristine)
    fused.take_off()
    assert same(weights(dit), pristine)
    assert {name: parameter.data_ptr() for name, parameter in dit.named_parameters()} == places


def test_a_model_in_bfloat16_gets_the_float32_result_rounded_once(make_dit, style, expected):
    dit = make_dit(torch.bfloat16)
    fuse(dit, [LoraFile(style, 0.7)])
    assert same(weights(dit), {name: weight.bfloat16() for name, weight in expected.items()})


def test_in_bfloat16_the_exact_sum_is_rounded_once(make_dit, write, checkpoint):
    """A LoRA far below the step of bfloat16 is lost when each is rounded by itself, and kept when the sum is."""
    step = torch.finfo(torch.bfloat16).eps
    delta = checkpoint[WEIGHT].float().abs() * step * 0.3
    one, two = (write(name, {f"{Q}.diff": delta}) for name in ("one", "two"))
    dit = make_dit(torch.bfloat16)
    fuse(dit, [LoraFile(one, 1.0)]).take_off()
    fuse(dit, [LoraFile(one, 1.0), LoraFile(two, 0.9)])
    exact = checkpoint[WEIGHT].double() + delta.double() * 1.9
    alone = (checkpoint[WEIGHT].float() + delta).bfloat16()
    twice = (alone.float() + delta * 0.9).bfloat16()
    found = dit.get_parameter(WEIGHT).detach()
    assert torch.equal(found, exact.bfloat16())
    assert not torch.equal(twice, exact.bfloat16()), "fused one by one, it would have been lost"


@pytest.mark.parametrize("scale", [1.0, 0.7, -0.4, 1e-3])
def test_the_scale_is_exact(dit, write, checkpoint, scale):
    tensors = pair(Q)
    fuse(dit, [LoraFile(write("x", tensors), scale)])
    down, up = (tensor.double() for tensor in tensors.values())
    exact = checkpoint[WEIGHT].double() + scale * (up @ down)
    torch.testing.assert_close(dit.get_parameter(WEIGHT).double(), exact, rtol=3e-7, atol=1e-8)


@pytest.mark.parametrize(("alpha", "rank"), [(4, 4), (2, 4), (1, 32), (16.5, 4), (0, 4)])
def test_alpha_over_rank_is_the_strength(make_dit, write, alpha, rank):
    tensors = pair(Q, rank=rank)
    with_alpha, without = make_dit(), make_dit()
    fuse(with_alpha, [LoraFile(write("a", {**tensors, f"{Q}.alpha": torch.tensor(float(alpha))}), 0.7)])
    fuse(without, [LoraFile(write("b", tensors), 0.7 * (alpha / rank))])
    assert same(weights(with_alpha), weights(without))


def test_a_whole_alpha_and_one_of_one_dimension_are_numbers_too(make_dit, write):
    dits = []
    for alpha in (torch.tensor(2.0), torch.tensor(2), torch.tensor([2.0]), torch.tensor(2.0, dtype=torch.bfloat16)):
        dits.append(make_dit())
        fuse(dits[-1], [LoraFile(write("x", {**pair(Q), f"{Q}.alpha": alpha}), 1.0)])
    assert all(same(weights(dit), weights(dits[0])) for dit in dits)


def test_several_loras_add_up_in_their_order(make_dit, write, checkpoint):
    files = [LoraFile(write(str(i), pair(Q, seed=i)), scale) for i, scale in enumerate((0.9, -0.3, 0.25))]
    dit = make_dit()
    fuse(dit, files)
    total = checkpoint[WEIGHT].float()
    for i, file in enumerate(files):
        down, up = pair(Q, seed=i).values()
        total = total + file.scale * (up @ down)
    assert torch.equal(dit.get_parameter(WEIGHT), total)


def test_the_same_file_twice_counts_twice(make_dit, write):
    path = write("x", {f"{Q}.diff": normal(96, 96)})
    twice, double = make_dit(), make_dit()
    fuse(twice, [LoraFile(path, 0.5), LoraFile(path, 0.5)])
    fuse(double, [LoraFile(path, 1.0)])
    torch.testing.assert_close(twice.get_parameter(WEIGHT), double.get_parameter(WEIGHT), rtol=1e-6, atol=1e-8)


def test_only_parameters_that_a_lora_names_are_touched(dit, write):
    pristine = weights(dit)
    fuse(dit, [LoraFile(write("x", pair(Q)), 1.0)])
    after = weights(dit)
    assert [name for name in after if not torch.equal(after[name], pristine[name])] == [WEIGHT]


def test_a_scale_of_zero_changes_no_bit(make_dit, write):
    dit = make_dit()
    with torch.no_grad():
        dit.get_parameter(WEIGHT)[0, 0] = -0.0
    pristine = weights(dit)
    fuse(dit, [LoraFile(write("x", pair(Q)), 0.0)])
    assert same(weights(dit), pristine)


def test_deltas_of_weights_biases_and_modulations_are_added(dit, write, checkpoint):
    deltas = {
        "diffusion_model.blocks.1.norm3.diff": ("blocks.1.norm3.weight", normal(96, seed=1)),
        "diffusion_model.blocks.1.ffn.0.diff_b": ("blocks.1.ffn.0.bias", normal(192, seed=2)),
        "diffusion_model.blocks.1.diff_m": ("blocks.1.modulation", normal(1, 6, 96, seed=3)),
        "diffusion_model.head.diff_m": ("head.modulation", normal(1, 2, 96, seed=4)),
        "diffusion_model.patch_embedding.diff": ("patch_embedding.weight", normal(96, 16, 1, 2, 2, seed=5)),
    }
    fuse(dit, [LoraFile(write("x", {key: delta for key, (_, delta) in deltas.items()}), 0.6)])
    for target, delta in deltas.values():
        assert torch.equal(dit.get_parameter(target), checkpoint[target].float() + 0.6 * delta)


def test_a_pair_and_a_delta_for_one_weight_are_both_added(dit, write, checkpoint):
    tensors, delta = pair("head.head", up=64), normal(64, 96, seed=9)
    fuse(dit, [LoraFile(write("x", {**tensors, "head.head.diff": delta}), 1.0)])
    down, up = tensors.values()
    exact = checkpoint["head.head.weight"].double() + up.double() @ down.double() + delta.double()
    torch.testing.assert_close(dit.get_parameter("head.head.weight").double(), exact, rtol=3e-7, atol=1e-8)


@pytest.mark.parametrize("up_shape", [(96, 4), (96, 4, 1, 1, 1)])
def test_a_lora_of_the_patch_embedding_acts_like_two_convolutions(dit, write, up_shape):
    down, up = normal(4, 16, 1, 2, 2), normal(*up_shape, seed=1)
    key = "diffusion_model.patch_embedding.lora_{}.weight"
    video = normal(1, 16, 3, 8, 8, seed=2, std=1.0)
    before = dit.patch_embedding(video)
    inner = torch.nn.functional.conv3d(video, down, stride=(1, 2, 2))
    added = torch.nn.functional.conv3d(inner, up.view(96, 4, 1, 1, 1))
    fuse(dit, [LoraFile(write("x", {key.format("down"): down, key.format("up"): up}), 0.7)])
    torch.testing.assert_close(dit.patch_embedding(video), before + 0.7 * added, rtol=1e-4, atol=1e-5)


def test_without_loras_nothing_happens(dit):
    pristine = weights(dit)
    fused = fuse(dit, [])
    assert same(weights(dit), pristine)
    fused.take_off()
    assert same(weights(dit), pristine)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_set_after_another_gives_the_bits_of_a_fresh_fusion(make_dit, style, write, dtype):
    other = write("other", {**pair(Q, seed=7), "diffusion_model.blocks.1.norm3.diff": normal(96, seed=1)})
    sets = ([LoraFile(style, 0.7)], [LoraFile(other, 1.0)], [LoraFile(style, -0.3), LoraFile(other, 0.4)], [])
    dit = make_dit(dtype)
    fusion = Fusion(dit)
    for number in (0, 1, 2, 0, 3, 2, 1, 3):
        fresh = make_dit(dtype)
        fuse(fresh, sets[number])
        fusion.put_on(sets[number])
        assert same(weights(dit), weights(fresh))


def test_taking_off_twice_does_nothing(dit, style):
    pristine = weights(dit)
    fusion = fuse(dit, [LoraFile(style, 1.0)])
    fusion.take_off()
    versions = {name: parameter._version for name, parameter in dit.named_parameters()}
    fusion.take_off()
    assert {name: parameter._version for name, parameter in dit.named_parameters()} == versions
    assert same(weights(dit), pristine)


def test_a_weight_is_copied_once_for_all_sets(dit, style, write):
    other = write("other", {**pair(Q, seed=7), **pair("head.head", up=64)})
    fusion = fuse(dit, [LoraFile(style, 1.0)])
    first = copies(fusion)
    assert len(first) == 28
    fusion.put_on([LoraFile(other, 1.0)])
    fusion.put_on([])
    fusion.put_on([LoraFile(style, 0.5), LoraFile(other, 1.0)])
    assert first.items() <= copies(fusion).items()
    assert len(copies(fusion)) == 29, "the head was new"


def copies(fusion):
    return {name: copy.data_ptr() for name, copy in fusion._pristine._copies.items()}


def test_where_nothing_can_be_pinned_copies_are_kept_all_the_same():
    pristine, weight = Pristine(pinned=True), normal(3, 5)
    for name in ("one", "two"):
        pristine.keep(name, weight)
        assert same({"": pristine[name]}, {"": weight})


def test_copies_of_weights_that_are_pristine_can_be_given_up(make_dit, style, write):
    dit, other = make_dit(), write("other", pair("head.head", up=64))
    pristine = weights(dit)
    fusion = fuse(dit, [LoraFile(style, 1.0)])
    fusion.put_on([LoraFile(other, 1.0)])
    assert len(fusion._pristine) == 29
    fusion.let_go()
    assert len(fusion._pristine) == 1, "the one of the weight that is fused stays"
    fusion.put_on([LoraFile(style, 0.5)])
    fusion.take_off()
    assert same(weights(dit), pristine)


@pytest.mark.parametrize(
    ("device", "available", "worth"),
    [("cuda", 60, True), ("cuda:1", 56, True), ("cuda", 55, False), ("cuda", None, False), ("cpu", 60, False)],
)
def test_copies_are_pinned_for_a_gpu_where_as_much_memory_is_left_as_they_take(device, available, worth):
    assert is_pinned_worth(device, 28, available) is worth


@pytest.mark.gpu
def test_pinned_copies_come_back_to_the_bit_and_share_chunks(make_dit, style):
    dit = make_dit(torch.bfloat16).cuda()
    pristine, fusion = weights(dit), Fusion(dit, "cuda")
    for scale in (0.7, 0.2):
        fusion.put_on([LoraFile(style, scale)])
        assert not same(weights(dit), pristine)
    copies = list(fusion._pristine._copies.values())
    assert all(copy.is_pinned() for copy in copies)
    assert len({copy.untyped_storage().data_ptr() for copy in copies}) == 1
    assert copies[0].untyped_storage().nbytes() == CHUNK
    fusion.take_off()
    assert same(weights(dit), pristine)


@pytest.mark.parametrize("then", ["style", "nothing"])
def test_an_error_in_the_second_set_leaves_every_weight_pristine(dit, style, write, then):
    pristine = weights(dit)
    fusion = fuse(dit, [LoraFile(style, 1.0)])
    broken = pair("blocks.3.ffn.2", down=192)
    broken["blocks.3.ffn.2.lora_B.weight"][3, 1] = float("nan")
    with pytest.raises(FusionError):
        fusion.put_on([LoraFile(style, 0.2), LoraFile(write("broken", broken), 1.0)])
    assert same(weights(dit), pristine)
    fusion.put_on([LoraFile(style, 1.0)] if then == "style" else [])
    assert same(weights(dit), pristine) is (then == "nothing")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_an_error_and_everything_is_as_before(dit, style, write, bad):
    pristine = weights(dit)
    broken = pair("blocks.3.ffn.2", down=192)
    broken["blocks.3.ffn.2.lora_B.weight"][3, 1] = bad
    with pytest.raises(FusionError, match=r"blocks\.3\.ffn\.2\.weight is infinite or no number") as caught:
        fuse(dit, [LoraFile(style, 1.0), LoraFile(write("broken", broken), 1.0)])
    assert "broken.safetensors" in caught.value.message
    assert same(weights(dit), pristine)
    fuse(dit, [LoraFile(style, 1.0)]).take_off()


def test_files_are_checked_before_the_first_weight_is_touched(dit, style, write):
    versions = {name: parameter._version for name, parameter in dit.named_parameters()}
    for wrong in (pair("double_blocks.0.img_attn.qkv"), pair(Q, down=95)):
        with pytest.raises(LoraError):
            fuse(dit, [LoraFile(style, 1.0), LoraFile(write("wrong", wrong), 1.0)])
    with pytest.raises(HeaderError):
        fuse(dit, [LoraFile(style, 1.0), LoraFile(style.with_name("nothing.safetensors"), 1.0)])
    assert {name: parameter._version for name, parameter in dit.named_parameters()} == versions


def test_gradients_are_neither_needed_nor_made(dit, style):
    fuse(dit, [LoraFile(style, 1.0)])
    assert all(parameter.is_leaf and parameter.requires_grad for parameter in dit.parameters())


@pytest.mark.gpu
def test_on_a_gpu_the_product_is_exact_whatever_float32_means_there(make_dit, write, checkpoint):
    tensors = pair(Q, rank=64)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        dit = make_dit().cuda()
        fuse(dit, [LoraFile(write("x", tensors), 0.7)])
    finally:
        torch.set_float32_matmul_precision(before)
    down, up = (tensor.double() for tensor in tensors.values())
    exact = checkpoint[WEIGHT].double() + 0.7 * (up @ down)
    torch.testing.assert_close(dit.get_parameter(WEIGHT).cpu().double(), exact, rtol=3e-7, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([Q, "blocks.3.cross_attn.o", "blocks.2.ffn.0", "text_embedding.2", "time_projection.1"]),
            st.floats(-2, 2, width=32),
            st.sampled_from([None, 1.0, 7.0]),
            st.integers(1, 9),
        ),
        max_size=4,
    ),
    st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_any_choice_of_loras_is_near_the_exact_sum_and_comes_off(tmp_path_factory, checkpoint, loras, dtype):
    folder, dit = tmp_path_factory.getbasetemp(), WanModel(**TINY_DIT)
    dit.load_state_dict(checkpoint)
    dit.to(dtype)
    pristine = weights(dit)
    exact = {name: weight.double() for name, weight in pristine.items()}
    files = []
    for i, (module, scale, alpha, rank) in enumerate(loras):
        out, width = exact[f"{module}.weight"].shape
        tensors = pair(module, seed=i, rank=rank, down=width, up=out)
        down, up = (tensor.double() for tensor in tensors.values())
        exact[f"{module}.weight"] += scale * (1.0 if alpha is None else alpha / rank) * (up @ down)
        files.append(LoraFile(folder / f"any{i}.safetensors", scale))
        save_file({**tensors, **({} if alpha is None else {f"{module}.alpha": torch.tensor(alpha)})}, files[-1].path)
    fused = fuse(dit, files)
    step = torch.finfo(dtype).eps
    for name, weight in weights(dit).items():
        torch.testing.assert_close(weight.double(), exact[name], rtol=step, atol=2e-7)
    fused.take_off()
    assert same(weights(dit), pristine)

"""LoRA files in every style of keys come to one layout, and a file that cannot be used says why."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_styles import STYLES, write_styles
from safetensors.numpy import save_file

from standin_batch.errors import ExitCode
from standin_batch.weights.header import HeaderError, tensor_shapes
from standin_batch.weights.lora_config import adapter_config
from standin_batch.weights.lora_keys import Delta, LoraError, Pair, read_layout
from standin_batch.weights.lora_names import bare, in_diffusers, spellings

Q = "blocks.0.self_attn.q"


@pytest.fixture(scope="module")
def shapes(golden):
    return tensor_shapes(sorted((golden / "weights" / "Wan2.1-T2V").glob("*.safetensors")))


@pytest.fixture(scope="module")
def styles(golden, tmp_path_factory):
    return write_styles(golden / "weights" / "loras" / "style.safetensors", tmp_path_factory.mktemp("styles"))


@pytest.fixture
def layout_of(tmp_path, shapes):
    """Writes a LoRA of these shapes by key (an array is kept as it is), and reads its layout."""

    def read(keys, metadata=None):
        arrays = {
            key: np.zeros(shape, np.float32) if isinstance(shape, tuple) else shape for key, shape in keys.items()
        }
        save_file(arrays, tmp_path / "x.safetensors", metadata)
        return read_layout(tmp_path / "x.safetensors", shapes)

    return read


def pair(module, down=(4, 96), up=(96, 4), names=("lora_A", "lora_B")):
    return {f"{module}.{names[0]}.weight": down, f"{module}.{names[1]}.weight": up}


def refused(layout_of, keys, metadata=None):
    with pytest.raises(LoraError) as caught:
        layout_of(keys, metadata)
    assert caught.value.exit_code == ExitCode.NOT_READY
    return caught.value


def test_all_styles_are_tested(styles):
    assert list(styles) == STYLES


@pytest.mark.parametrize("style", STYLES)
def test_every_style_comes_to_the_same_targets_with_nothing_left_over(styles, shapes, style):
    layout = read_layout(styles[style], shapes)
    assert layout.leftovers == ()
    assert layout.additions.keys() == read_layout(styles["lora_A"], shapes).additions.keys()
    assert len(layout.additions) == 28
    assert {type(part) for (part,) in layout.additions.values()} == {Delta if style == "diff" else Pair}


def test_the_keys_of_a_pair_and_its_alpha_are_those_of_the_file(styles, shapes):
    name = "lora_unet_blocks_2_ffn_0"
    assert read_layout(styles["kohya"], shapes).additions["blocks.2.ffn.0.weight"] == (
        Pair("blocks.2.ffn.0.weight", f"{name}.lora_up.weight", f"{name}.lora_down.weight", f"{name}.alpha"),
    )


def test_a_pair_without_alpha_has_none(layout_of):
    (part,) = layout_of(pair(Q)).additions[f"{Q}.weight"]
    assert part.alpha is None


def test_every_parameter_is_found_by_the_name_that_diffusers_gives_it(shapes):
    from diffsynth.utils.state_dict_converters.wan_video_dit import WanVideoDiTFromDiffusers

    for name in shapes:
        module, dot, last = name.rpartition(".")
        theirs = f"{in_diffusers(module)}{dot}{last}" if last in ("weight", "bias") else in_diffusers(name)
        assert WanVideoDiTFromDiffusers({theirs: name}) == {name: name}


def test_no_spelling_means_two_modules(shapes):
    table = spellings(shapes)
    modules = {name.rpartition(".")[0] for name in shapes}
    for write in (str, in_diffusers):
        for separator in (".", "_"):
            assert {module: table[write(module).replace(".", separator)] for module in modules} == {
                module: module for module in modules
            }


@pytest.mark.parametrize(
    ("key", "target"),
    [
        ("diffusion_model.blocks.1.norm3.diff", "blocks.1.norm3.weight"),
        ("diffusion_model.blocks.1.norm3.diff_b", "blocks.1.norm3.bias"),
        ("transformer.blocks.1.norm2.diff_b", "blocks.1.norm3.bias"),
        ("diffusion_model.blocks.1.diff_m", "blocks.1.modulation"),
        ("diffusion_model.blocks.1.modulation.diff", "blocks.1.modulation"),
        ("diffusion_model.head.diff_m", "head.modulation"),
        ("transformer.scale_shift_table.diff", "head.modulation"),
        ("diffusion_model.blocks.1.self_attn.norm_k.diff", "blocks.1.self_attn.norm_k.weight"),
        ("lora_unet_blocks_1_cross_attn_norm_q.diff", "blocks.1.cross_attn.norm_q.weight"),
        ("diffusion_model.head.head.diff_b", "head.head.bias"),
        ("patch_embedding.diff", "patch_embedding.weight"),
        ("diffusion_model.time_projection.1.diff", "time_projection.1.weight"),
        ("transformer.condition_embedder.text_embedder.linear_2.diff_b", "text_embedding.2.bias"),
    ],
)
def test_full_deltas_find_weights_biases_and_modulations(layout_of, shapes, key, target):
    assert layout_of({key: shapes[target]}).additions == {target: (Delta(target, key),)}


@pytest.mark.parametrize(
    ("down", "up"),
    [
        ((4, 16, 1, 2, 2), (96, 4, 1, 1, 1)),
        ((4, 16, 1, 2, 2), (96, 4)),
        ((4, 64), (96, 4)),
    ],
)
def test_a_convolution_takes_its_kernel_or_flat_factors(layout_of, down, up):
    assert "patch_embedding.weight" in layout_of(pair("diffusion_model.patch_embedding", down, up)).additions


def test_a_linear_layer_takes_factors_with_sides_of_one_behind(layout_of):
    assert f"{Q}.weight" in layout_of(pair(Q, (4, 96, 1, 1), (96, 4, 1, 1))).additions


def test_a_pair_and_a_delta_for_one_weight_both_count(layout_of):
    additions = layout_of({**pair("head.head", up=(64, 4)), "head.head.diff": (64, 96)}).additions
    assert [type(part) for part in additions["head.head.weight"]] == [Pair, Delta]


def test_what_belongs_to_no_parameter_is_left_over_by_name(layout_of):
    foreign = {
        **pair("diffusion_model.blocks.0.cross_attn.k_img"),
        **pair("diffusion_model.blocks.7.self_attn.q"),
        **pair("diffusion_model.vace_blocks.0.self_attn.q"),
        **pair("text_encoder.blocks.0.self_attn.q"),
        **pair("transformer_2.blocks.0.self_attn.q"),
        "diffusion_model.blocks.0.self_attn.norm_q.diff_b": (96,),
        "diffusion_model.blocks.0.self_attn.q.weight": (96, 96),
        "diffusion_model.blocks.0.self_attn.k.alpha": (),
        "words": (1,),
    }
    layout = layout_of({**pair("diffusion_model." + Q), **foreign})
    assert layout.leftovers == tuple(sorted(foreign))
    assert layout.additions.keys() == {f"{Q}.weight"}


def test_what_wan_calls_norm2_is_not_what_diffusers_calls_norm2(layout_of, shapes):
    named = {**shapes, "blocks.0.norm2.weight": (96,)}
    assert spellings(named)["blocks.0.norm2"] == "blocks.0.norm2"
    assert spellings(shapes)["blocks.0.norm2"] == "blocks.0.norm3"


def test_prefixes_come_off_in_any_depth():
    for prefix in ("", "diffusion_model.", "base_model.model.diffusion_model.", "model.diffusion_model.", "lora_unet_"):
        assert bare(f"{prefix}blocks.0") == "blocks.0"


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        ({"lora_te_layers_0.lora_up.weight": (4, 4), "text_encoder.x.lora_A.weight": (4, 4)}, "text encoder"),
        (pair("diffusion_model.blocks.0.cross_attn.k_img"), "image-to-video"),
        (pair("double_blocks.0.img_attn.qkv"), "another model"),
        ({"diffusion_model.blocks.0.self_attn.q.weight": (96, 96)}, "whole weights"),
        ({}, "download it again"),
    ],
    ids=["text encoder only", "image to video", "another architecture", "a checkpoint", "nothing in it"],
)
def test_a_file_that_matches_nothing_says_what_it_may_be_for(layout_of, keys, hint):
    error = refused(layout_of, keys)
    assert hint in error.hint
    assert all(key in error.message for key in keys)


def test_of_many_keys_that_match_nothing_some_are_named(layout_of):
    error = refused(layout_of, {f"k{i}": (1,) for i in range(9)})
    assert "k0, k1, k2 and 6 more" in error.message


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        (pair(Q, (4, 95)), "96 x 4 times blocks.0.self_attn.q.lora_A.weight 4 x 95"),
        (pair(Q, up=(95, 4)), "95 x 4"),
        (pair(Q, up=(96, 5)), "96 x 5"),
        (pair(Q, (0, 96), (96, 0)), "96 x 0"),
        (pair(Q, (96,), (96, 4)), "q.lora_A.weight 96 does not fit"),
        (pair(Q, (), (96, 4)), "(one number)"),
        (pair("blocks.0.norm3", (4, 1)), "does not fit blocks.0.norm3.weight 96"),
        (pair("patch_embedding", (4, 36, 1, 2, 2), (96, 4, 1, 1, 1)), "4 x 36 x 1 x 2 x 2"),
        (pair("patch_embedding", (4, 2, 2, 1, 16), (96, 4, 1, 1, 1)), "4 x 2 x 2 x 1 x 16"),
        ({f"{Q}.diff": (96, 97)}, "96 x 97 does not fit blocks.0.self_attn.q.weight 96 x 96"),
        ({f"{Q}.diff_b": (1,)}, "does not fit blocks.0.self_attn.q.bias 96"),
    ],
)
def test_wrong_shapes_are_an_error_naming_keys_and_shapes(layout_of, keys, named):
    error = refused(layout_of, keys)
    assert named in error.message
    assert "another model" in error.hint


@pytest.mark.parametrize("gone", ["lora_A", "lora_B"])
def test_half_a_pair_is_an_error(layout_of, gone):
    keys = {key: shape for key, shape in pair(Q).items() if gone not in key}
    missing = {"lora_A": "down", "lora_B": "up"}[gone]
    assert f"{next(iter(keys))} has no {missing} beside it" in refused(layout_of, keys).message


@pytest.mark.parametrize(
    "second",
    [
        pair(Q, names=("lora_down", "lora_up")),
        pair("lora_unet_blocks_0_self_attn_q"),
        pair(Q, names=("lora_A.one", "lora_B.one")),
    ],
    ids=["other names of the sides", "other spelling of the module", "two adapters"],
)
def test_two_pairs_for_one_weight_are_an_error(layout_of, second):
    assert "adds to blocks.0.self_attn.q.weight twice" in refused(layout_of, {**pair(Q), **second}).message


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("lora_unet_blocks_0_self_attn_q.dora_scale", "DoRA"),
        ("base_model.model.blocks.0.self_attn.q.lora_magnitude_vector.weight", "DoRA"),
        ("lora_unet_blocks_0_self_attn_q.hada_w1_a", "LoHa"),
        ("lora_unet_blocks_0_self_attn_q.lokr_w2", "LoKr"),
        ("lora_unet_blocks_0_self_attn_q.lora_mid.weight", "middle"),
        ("lora_unet_blocks_0_self_attn_q.oft_blocks", "OFT"),
        ("transformer.blocks.0.attn1.to_q.lora_B.bias", "biases"),
        ("transformer.blocks.0.attn1.to_q.lora_B.default.bias", "biases"),
        ("diffusion_model.blocks.0.self_attn.q.set_weight", "replaces"),
    ],
)
def test_kinds_that_are_no_plain_lora_are_refused_by_name(layout_of, key, kind):
    error = refused(layout_of, {**pair(Q), key: (4, 4)})
    assert kind in error.message and key in error.message and "not supported" in error.message


def test_whole_numbers_are_refused_except_as_alpha(layout_of):
    alpha = {f"{Q}.alpha": np.array(4, np.int64)}
    assert layout_of({**pair(Q), **alpha}).leftovers == ()
    error = refused(layout_of, {**pair(Q), f"{Q}.lora_A.weight": np.zeros((4, 96), np.int8)})
    assert "is I8" in error.message


def test_an_alpha_of_several_numbers_is_an_error(layout_of):
    assert layout_of({**pair(Q), f"{Q}.alpha": (1,)}).leftovers == ()
    assert "is not one number" in refused(layout_of, {**pair(Q), f"{Q}.alpha": (2,)}).message


@pytest.mark.parametrize("name", ["x.pt", "x.ckpt", "x.bin", "x"])
def test_another_format_is_refused_with_the_cure(tmp_path, shapes, name):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(LoraError, match=r"not a \.safetensors file") as caught:
        read_layout(tmp_path / name, shapes)
    assert "convert" in caught.value.hint


def test_a_missing_or_truncated_file_is_an_error(tmp_path, shapes, styles):
    with pytest.raises(HeaderError, match="there is no file"):
        read_layout(tmp_path / "x.safetensors", shapes)
    (tmp_path / "x.safetensors").write_bytes(styles["lora_A"].read_bytes()[:-1])
    with pytest.raises(HeaderError, match="cut short"):
        read_layout(tmp_path / "x.safetensors", shapes)


def metadata(**config):
    return {"format": "pt", "lora_adapter_metadata": json.dumps(config)}


DIFFUSERS_Q = "transformer.blocks.0.attn1.to_q"


@pytest.mark.parametrize(
    ("config", "alpha"),
    [
        ({"transformer.lora_alpha": 8, "transformer.r": 4}, 8.0),
        ({"lora_alpha": 8, "r": 4}, 8.0),
        ({"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"attn1.to_q": 2}}, 2.0),
        ({"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"^blocks.0.attn1.to_q": 2}}, 2.0),
        ({"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"^attn1.to_q": 2, "to_k": 3}}, 8.0),
        ({"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"ttn1.to_q": 2}}, 8.0),
        ({"transformer.lora_alpha": 8, "transformer.use_rslora": True}, 8.0 * math.sqrt(4)),
        ({"text_encoder.lora_alpha": 8}, None),
        ({}, None),
    ],
)
def test_the_strength_in_the_metadata_counts(layout_of, config, alpha):
    (part,) = layout_of(pair(DIFFUSERS_Q), metadata(**config)).additions[f"{Q}.weight"]
    assert part.alpha == alpha


def test_an_alpha_of_its_own_counts_more_than_the_metadata(layout_of):
    keys = {**pair(DIFFUSERS_Q), f"{DIFFUSERS_Q}.alpha": ()}
    (part,) = layout_of(keys, metadata(**{"transformer.lora_alpha": 8})).additions[f"{Q}.weight"]
    assert part.alpha == f"{DIFFUSERS_Q}.alpha"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "3",
        '{"lora_alpha": "8"}',
        '{"lora_alpha": true}',
        '{"lora_alpha": NaN}',
        '{"lora_alpha": 8, "alpha_pattern": [1]}',
        '{"lora_alpha": 8, "alpha_pattern": {"to_(q|k)": 2}}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:40],
)
def test_a_strength_that_cannot_be_understood_is_an_error(layout_of, text):
    with pytest.raises(ValueError):
        adapter_config({"lora_adapter_metadata": text})
    assert "lora_adapter_metadata" in refused(layout_of, pair(Q), {"lora_adapter_metadata": text}).message


PREFIXES = st.sampled_from(
    ["", "diffusion_model.", "transformer.", "lora_unet_", "lora_te_", "base_model.model.", "text_encoder.", "vace_"]
)
WORDS = """
    blocks self_attn cross_attn attn1 attn2 q k to_q to_out o ffn net proj head modulation norm2 norm3 0 1 2 99
    patch_embedding text_embedding scale_shift_table weight bias x
"""
PARTS = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=5)
MODULES = st.sampled_from(
    [Q, "blocks.0.attn1.to_q", "blocks_0_self_attn_q", "blocks.1.ffn.2", "head.head", "proj_out", "blocks.0", "head"]
)
ENDS = """
    .lora_A.weight .lora_B.weight .lora_down.weight .lora_up.weight .lora_A.default.weight .lora_A
    .alpha .diff .diff_b .diff_m .weight .dora_scale
"""
SUFFIXES = st.sampled_from(["", *ENDS.split()])
KEYS = st.builds(
    lambda prefix, module, suffix: prefix + module + suffix,
    PREFIXES,
    MODULES | st.builds(str.join, st.sampled_from("._"), PARTS) | st.text(max_size=12),
    SUFFIXES,
).filter(lambda key: key != "__metadata__")
SHAPES = st.sampled_from([(4, 96), (96, 4), (96, 96), (64, 4), (96,), (), (1, 6, 96), (1, 2, 96), (4, 192), (0, 3)])


@given(st.dictionaries(KEYS, SHAPES, max_size=12))
def test_a_soup_of_keys_is_read_or_refused_and_never_assigned_wrongly(tmp_path_factory, shapes, keys):
    path = tmp_path_factory.getbasetemp() / "soup.safetensors"
    save_file({key: np.zeros(shape, np.float32) for key, shape in keys.items()}, path)
    try:
        layout = read_layout(path, shapes)
    except LoraError as error:
        assert error.message and error.hint
        return
    used = [key for parts in layout.additions.values() for part in parts for key in part.keys]
    assert sorted([*used, *layout.leftovers]) == sorted(keys)
    for target, parts in layout.additions.items():
        for part in parts:
            assert part.target == target
            for key in part.keys:
                assert digits(key) == digits(target) or "linear" in key
                assert not key.startswith(("text_encoder.", "lora_te_", "vace_"))
            if isinstance(part, Pair):
                assert (keys[part.up][0], keys[part.down][1]) == shapes[target]
            else:
                assert keys[part.key] == shapes[target]


def digits(name):
    """The number of the block that a name is about."""
    words = name.replace("_", ".").split(".")
    return words[words.index("blocks") + 1] if "blocks" in words else None

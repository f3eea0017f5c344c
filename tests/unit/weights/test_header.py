"""Headers of safetensors files: what they say, without torch, and what is said of files that are none."""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from standin_batch.errors import ExitCode
from standin_batch.weights.header import HeaderError, TensorInfo, read_header, tensor_shapes

TENSORS = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.arange(5, dtype=np.float16),
    "alpha": np.array(4.0, np.float32),
    "nothing": np.zeros((0, 3), np.float32),
}
ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.fixture
def path(tmp_path):
    save_file(TENSORS, tmp_path / "x.safetensors", {"trained": "on cats", "step": "7"})
    return tmp_path / "x.safetensors"


def write(path, header, data=b"\0" * 8):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_every_tensor_is_listed_with_its_shape_and_dtype(path):
    tensors = read_header(path).tensors
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        name: array.shape for name, array in TENSORS.items()
    }
    assert {tensors[name].dtype for name in ("a.weight", "alpha", "nothing")} == {"F32"}
    assert tensors["b"].dtype == "F16"


def test_the_offsets_are_those_of_the_data_in_the_file(path):
    content = path.read_bytes()
    for name, tensor in read_header(path).tensors.items():
        assert content[tensor.start : tensor.end] == TENSORS[name].tobytes()


def test_the_metadata_are_kept_apart(path):
    assert read_header(path).metadata == {"trained": "on cats", "step": "7"}


def test_a_file_without_metadata_or_tensors_has_none(tmp_path):
    header = read_header(write(tmp_path / "empty.safetensors", {}))
    assert header.tensors == {} and header.metadata == {}


def test_shapes_of_several_shards_come_together(golden):
    shapes = tensor_shapes(sorted((golden / "weights" / "Wan2.1-T2V").glob("*.safetensors")))
    assert shapes["blocks.3.ffn.0.weight"] == (192, 96)
    assert shapes["patch_embedding.weight"] == (96, 16, 1, 2, 2)


def test_the_data_are_not_read(tmp_path):
    big = 1 << 36
    path = write(tmp_path / "hole.safetensors", {"w": {"dtype": "U8", "shape": [big], "data_offsets": [0, big]}}, b"")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + big)
    assert read_header(path).tensors["w"] == TensorInfo("U8", (big,), path.stat().st_size - big, path.stat().st_size)


@pytest.mark.parametrize("cut", [1, 20, 44], ids=["one byte", "some tensors", "all of the data"])
def test_a_file_cut_short_in_its_data_is_an_error(path, cut):
    path.write_bytes(
        path.read_bytes()[:-cut] if cut < 44 else path.read_bytes()[: -sum(map(_nbytes, TENSORS.values()))]
    )
    with pytest.raises(HeaderError, match=r"cut short: \d+ of \d+ bytes") as caught:
        read_header(path)
    assert caught.value.exit_code == ExitCode.NOT_READY
    assert caught.value.hint == "download it again"


def _nbytes(array):
    return array.nbytes


def test_a_file_cut_short_in_its_header_is_an_error(path):
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(HeaderError, match="cut short inside its header"):
        read_header(path)


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    with pytest.raises(HeaderError, match="there is no file"):
        read_header(tmp_path / "nothing.safetensors")
    with pytest.raises(HeaderError, match="cannot be read"):
        read_header(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"short", b"PK\x03\x04 a pickle of torch", b"\xff" * 64, struct.pack("<Q", 10**8 + 1) + b"{}"]
)
def test_a_file_of_another_format_is_an_error_with_a_cure(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(HeaderError, match="is no safetensors file") as caught:
        read_header(tmp_path / "x.safetensors")
    assert "converted" in caught.value.hint


def test_a_pointer_of_git_lfs_is_told_from_a_broken_file(tmp_path):
    (tmp_path / "x.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(HeaderError) as caught:
        read_header(tmp_path / "x.safetensors")
    assert "git lfs pull" in caught.value.hint


@pytest.mark.parametrize(
    "header",
    [
        b"{not json",
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b'["a list"]',
        b'"words"',
        {"w": {"dtype": "F32", "shape": [2]}},
        {"w": "words"},
        {"w": ENTRY | {"shape": 2}},
        {"w": ENTRY | {"shape": [-2]}},
        {"w": ENTRY | {"shape": [3]}},
        {"w": ENTRY | {"shape": [2.0]}},
        {"w": ENTRY | {"shape": [True, 2]}},
        {"w": ENTRY | {"dtype": 4}},
        {"w": ENTRY | {"dtype": ["F32"]}},
        {"w": ENTRY | {"data_offsets": [8, 0]}},
        {"w": ENTRY | {"data_offsets": [0]}},
        {"w": ENTRY | {"data_offsets": [-8, 0]}},
        {"__metadata__": "words"},
    ],
    ids=lambda header: str(header)[:60],
)
def test_a_damaged_header_is_an_error(tmp_path, header):
    with pytest.raises(HeaderError, match="its header is damaged"):
        read_header(write(tmp_path / "x.safetensors", header))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["__metadata__", "w", "v"]), JSON | st.fixed_dictionaries(
    {"dtype": JSON | st.just("F32"), "shape": JSON, "data_offsets": JSON | st.just([0, 8])}
)))  # fmt: skip
def test_wild_headers_are_read_or_refused_and_nothing_else(tmp_path_factory, header):
    path = write(tmp_path_factory.getbasetemp() / "wild.safetensors", header)
    try:
        read = read_header(path)
    except HeaderError:
        return
    for tensor in read.tensors.values():
        assert 8 <= tensor.start <= tensor.end <= path.stat().st_size


def test_reading_headers_imports_neither_torch_nor_safetensors():
    code = (
        "import sys, standin_batch.weights.lora_keys, standin_batch.weights.header;"
        "print(*{'torch', 'safetensors', 'numpy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"

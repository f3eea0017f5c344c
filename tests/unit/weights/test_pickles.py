"""What is said of files of `torch.save` without torch and without running anything in them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from math import prod

import pytest
import torch

from standin_batch.errors import ExitCode
from standin_batch.weights.pickles import PickleCodeError, PickleError, read_pickle
from standin_batch.weights.streaming import read_range

DTYPES = [
    torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool,
]  # fmt: skip


@pytest.fixture(params=[True, False], ids=["zip", "before torch 1.6"])
def save(request, tmp_path):
    def save_to(content, name="some.weights.pth"):
        torch.save(content, tmp_path / name, _use_new_zipfile_serialization=request.param)
        return tmp_path / name

    return save_to


def value(path, stored):
    """A contiguous tensor, read from where the description says."""
    data = b"".join(read_range(path, stored.start, stored.end))
    dtypes = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16, "F64": torch.float64,
              "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
              "BOOL": torch.bool}  # fmt: skip
    return torch.frombuffer(bytearray(data), dtype=dtypes[stored.dtype]).reshape(stored.shape)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_is_found_where_torch_put_it(save, dtype):
    tensors = {"a": torch.arange(1, 7).reshape(2, 3).to(dtype), "b": torch.ones((), dtype=dtype)}
    path = save(tensors)
    found = read_pickle(path).tensors
    assert list(found) == ["a", "b"]
    for name, tensor in tensors.items():
        assert torch.equal(value(path, found[name]), tensor)


def test_the_golden_pickles_are_read_as_torch_reads_them(golden):
    for path in sorted([*golden.glob("weights/*/*.pth"), *golden.glob("weights/Stand-In/*.ckpt")]):
        loaded = torch.load(path, weights_only=True)
        loaded = loaded.get("state_dict", loaded)
        found = read_pickle(path)
        assert list(found.tensors) == list(loaded)
        assert all(torch.equal(value(path, found.tensors[name]), tensor) for name, tensor in loaded.items())


def test_parts_of_one_storage_are_told_apart(save):
    whole = torch.arange(12.0).reshape(3, 4)
    path = save({"whole": whole, "row": whole[1], "turned": whole.t(), "one": whole[2:3, 3]})
    found = read_pickle(path).tensors
    assert torch.equal(value(path, found["row"]), whole[1])
    assert torch.equal(value(path, found["one"]), whole[2:3, 3])
    assert found["turned"].stride == (1, 4) and not found["turned"].is_contiguous
    assert found["row"].is_contiguous


def test_a_module_and_what_a_trainer_writes_beside_the_tensors(save):
    layer = torch.nn.Linear(2, 3)
    extra = {"epoch": 7, "size": torch.Size([1]), "dtype": torch.float32, "on": torch.device("cpu")}
    found = read_pickle(save({"state_dict": layer.state_dict(), **extra})).tensors
    assert {name: tensor.shape for name, tensor in found.items()} == {"weight": (3, 2), "bias": (3,)}
    assert read_pickle(save(OrderedDict(layer.named_parameters()))).tensors["weight"].shape == (3, 2)


def test_the_name_at_saving_survives_renaming(tmp_path):
    torch.save({"w": torch.ones(1)}, tmp_path / "Stand-In_wan2.2_T2V_A14B_high.ckpt")
    renamed = (tmp_path / "Stand-In_wan2.2_T2V_A14B_high.ckpt").rename(tmp_path / "mine.ckpt")
    assert read_pickle(renamed).name == "Stand-In_wan2.2_T2V_A14B_high"


class Evil:
    """Makes a folder when it is unpickled by somebody who trusts it."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_code_in_a_pickle_is_named_and_not_run(save, tmp_path):
    marker = tmp_path / "was-run"
    path = save({"w": torch.ones(1), "more": Evil(marker)})
    with pytest.raises(PickleCodeError, match=r"holds code \(\w+\.mkdir\)") as caught:
        read_pickle(path)
    assert not marker.exists()
    assert caught.value.exit_code == ExitCode.NOT_READY
    torch.load(path, weights_only=False)
    assert marker.is_dir(), "the pickle would have run"


@pytest.mark.parametrize("name", ["torch.hub.load", "torch.load", "builtins.eval", "collections.OrderedDict.fromkeys"])
def test_names_that_no_tensor_needs_are_refused(tmp_path, name):
    module, _, last = name.rpartition(".")
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", f"c{module}\n{last}\n.".encode())
    with pytest.raises(PickleCodeError, match=name):
        read_pickle(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_file_cut_short_is_an_error(tmp_path, kept):
    path = tmp_path / "x.pth"
    torch.save({"w": torch.arange(10_000.0)}, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(PickleError, match="cut short or damaged"):
        read_pickle(path)


def test_an_old_file_cut_short_is_an_error(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"w": torch.arange(10_000.0)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PickleError, match=r"cut short: \d+ of \d+ bytes"):
        read_pickle(path)


@pytest.mark.parametrize("content", [b"", b"words", b"\x80\x02}.", b"\x00" * 100, pickle.dumps({"a": 1})])
def test_other_files_are_errors(tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(PickleError, match=r"is no file of torch\.save"):
        read_pickle(tmp_path / "x.pth")


def test_what_holds_no_tensors_is_an_error(save):
    with pytest.raises(PickleError, match="no tensors by name"):
        read_pickle(save([torch.ones(1)]))


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    with pytest.raises(PickleError, match="there is no file"):
        read_pickle(tmp_path / "none.pth")
    with pytest.raises(PickleError, match="cannot be read"):
        read_pickle(tmp_path)


def test_a_storage_smaller_than_its_tensor_is_an_error(tmp_path):
    torch.save({"w": torch.arange(10.0)}, tmp_path / "x.pth")
    with zipfile.ZipFile(tmp_path / "x.pth") as whole, zipfile.ZipFile(tmp_path / "y.pth", "w") as less:
        for info in whole.infolist():
            content = whole.read(info)
            less.writestr(info.filename, content[:8] if "/data/0" in info.filename else content)
    with pytest.raises(PickleError, match="has 8 bytes of 40"):
        read_pickle(tmp_path / "y.pth")


def test_large_tensors_cost_nothing(tmp_path):
    huge = torch.zeros(()).expand(1 << 20, 1 << 20)
    torch.save({"w": huge}, tmp_path / "x.pth")
    found = read_pickle(tmp_path / "x.pth").tensors["w"]
    assert prod(found.shape) == 1 << 40 and found.end - found.start == 4


def test_reading_pickles_imports_neither_torch_nor_numpy():
    code = "import sys, standin_batch.weights.pickles; print(*{'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"

"""Converting once: rounding as torch does, memory that does not grow, and files that are whole or not there."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from float32 import float32_copy
from holding import long_ago, without_flock, write
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import load_file, save_file

from standin_batch.digests import DigestCache
from standin_batch.errors import ExitCode
from standin_batch.files import sha256_file
from standin_batch.locks.holder_file import file_of
from standin_batch.locks.lock import holder
from standin_batch.weights import convert as module
from standin_batch.weights.conversions import BFLOAT16, RECORD, is_current
from standin_batch.weights.convert import LOCK, ConvertError, conversions_of, convert_all, converted, is_here
from standin_batch.weights.header import read_header
from standin_batch.weights.registry import ROWS
from standin_batch.weights.rounding import to_bfloat16
from standin_batch.weights.streaming import write_safetensors
from standin_batch.weights.tensors import halved, unpickled

SHARD = "diffusion_pytorch_model-00001-of-00001.safetensors"
TINY, TINY22 = ROWS["tiny"], ROWS["tiny-2.2"]


@pytest.fixture
def cache(tmp_path):
    return DigestCache(tmp_path / "digests.jsonl")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "checkpoints" / TINY.base).mkdir(parents=True)
    return tmp_path / "checkpoints"


@pytest.fixture
def shard(root):
    path = root / TINY.base / SHARD
    tensors = {"a": torch.linspace(-3, 3, 1000).reshape(10, 100), "b": torch.ones(3), "n": torch.arange(3)}
    save_file(tensors, path, {"format": "pt"})
    return path


def convert(root, cache, row=TINY):
    return {each.source.name: entry for each, entry in convert_all(conversions_of(row, root, cache), cache)}


def same(found, expected):
    """Equal to the bit where a number is one, and NaN where it is none."""
    assert found.dtype == expected.dtype and found.shape == expected.shape
    assert torch.equal(torch.isnan(found), torch.isnan(expected))
    there = ~torch.isnan(expected)
    bits = torch.int16 if expected.dtype == torch.bfloat16 else torch.int32
    return torch.equal(found[there].view(bits), expected[there].view(bits))


def rounded(bits):
    values = np.asarray(bits, np.uint32).view(np.float32)
    found, exact = to_bfloat16(values)
    return torch.from_numpy(found.view(np.int16)).view(torch.bfloat16), torch.from_numpy(values), exact


def test_every_bfloat16_and_all_its_neighbours_are_rounded_as_torch_does():
    upper = np.arange(1 << 16, dtype=np.uint32) << 16
    for lower in (0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF):
        found, values, exact = rounded(upper | lower)
        assert same(found, values.to(torch.bfloat16))
        assert exact == (lower == 0)


@given(arrays(np.uint32, st.integers(0, 300), elements=st.integers(0, 2**32 - 1)))
def test_any_bits_are_rounded_as_torch_does(bits):
    found, values, exact = rounded(bits)
    assert same(found, values.to(torch.bfloat16))
    assert exact == torch.equal(found.float().view(torch.int32), values.view(torch.int32)) or torch.isnan(values).any()


def test_random_numbers_of_every_size_are_rounded_as_torch_does():
    bits = np.random.default_rng(0).integers(0, 1 << 32, 1_000_000, dtype=np.uint32)
    found, values, _ = rounded(bits)
    assert same(found, values.to(torch.bfloat16))
    assert torch.isnan(values).any() and (values.abs() < 1e-38).any()


def test_nan_stays_nan_whatever_its_bits():
    found, _, exact = rounded([0x7F800001, 0xFF80FFFF, 0x7FFFFFFF, 0x7FC00000])
    assert torch.isnan(found).all() and not exact


def test_shards_become_what_torch_makes_of_them(shard, root, cache):
    entry = convert(root, cache)[SHARD]
    assert entry.path == shard.parent / BFLOAT16 / SHARD
    assert not entry.exact
    before, after = load_file(shard), load_file(entry.path)
    assert list(after) == list(before)
    assert torch.equal(after["a"], before["a"].to(torch.bfloat16))
    assert torch.equal(after["n"], before["n"]) and after["n"].dtype == torch.int64


@pytest.mark.parametrize("rough", [False, True], ids=["exact", "rounded"])
@pytest.mark.parametrize("row", [TINY, TINY22], ids=lambda row: row.name)
def test_the_golden_weights_come_back_from_float32(golden, tmp_path, cache, row, rough):
    root = float32_copy(golden / "weights", tmp_path / "float32", rough)
    conversions = [each for each, _ in convert_all(conversions_of(row, root, cache), cache)]
    assert len([each for each in conversions if not each.is_pickle]) == (6 if row is TINY else 4)
    for each in conversions:
        entry = converted(each.source.parent)[each.source.name]
        assert entry.exact == (each.is_pickle or not rough)
        assert entry.source_sha256 == sha256_file(each.source)
        original = golden / "weights" / each.source.relative_to(root)
        if each.is_pickle:
            expected = torch.load(original, weights_only=True)
        else:
            expected = {name: value.to(torch.bfloat16) for name, value in load_file(each.source).items()}
            assert rough or all(torch.equal(expected[name], value) for name, value in load_file(original).items())
        found = load_file(each.target)
        assert found.keys() == expected.keys()
        assert all(found[name].dtype == value.dtype for name, value in expected.items())
        assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_what_is_bfloat16_already_is_left_alone(golden, tmp_path, cache):
    assert {each.is_pickle for each in conversions_of(TINY, golden / "weights", cache)} == {True}


def test_a_pickle_with_views_is_taken_out_as_torch_reads_it(tmp_path):
    whole = torch.arange(24.0).reshape(4, 6)
    tensors = {"t": whole.t(), "every other": whole[::2, 1::2], "same": torch.tensor(7.0).expand(3, 2), "all": whole}
    torch.save(tensors, tmp_path / "x.pth")
    write_safetensors(tmp_path / "x.safetensors", unpickled(tmp_path / "x.pth").outgoing, {})
    found = load_file(tmp_path / "x.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def test_wide_numbers_come_first_so_that_all_are_aligned(tmp_path):
    tensors = {"a": torch.ones(3, dtype=torch.uint8), "b": torch.ones(3), "c": torch.ones(3, dtype=torch.float64)}
    torch.save(tensors, tmp_path / "x.pth")
    write_safetensors(tmp_path / "x.safetensors", unpickled(tmp_path / "x.pth").outgoing, {})
    infos = read_header(tmp_path / "x.safetensors").tensors
    assert infos["c"].start % 8 == infos["b"].start % 4 == 0
    assert {name: value.dtype for name, value in load_file(tmp_path / "x.safetensors").items()} == {
        name: value.dtype for name, value in tensors.items()
    }


def test_the_size_is_known_before(shard, root, cache):
    (each,) = conversions_of(TINY, root, cache)
    assert convert(root, cache)[SHARD].path.stat().st_size == each.size
    assert each.read == sum(info.end - info.start for info in read_header(shard).tensors.values())


def test_the_second_time_there_is_nothing_to_do(shard, root, cache):
    convert(root, cache)
    (again,) = conversions_of(TINY, root, cache)
    assert again.done == converted(shard.parent)[SHARD]
    assert list(convert_all([again], cache)) == []


def test_an_original_that_was_only_touched_is_not_converted_again(shard, root, cache):
    entry = convert(root, cache)[SHARD]
    os.utime(shard, (0, 0))
    assert is_current(shard, entry, cache)
    assert conversions_of(TINY, root, cache)[0].done


def test_an_original_that_has_changed_is_converted_again(shard, root, cache):
    entry = convert(root, cache)[SHARD]
    save_file({**load_file(shard), "b": torch.zeros(3)}, shard)
    os.utime(shard, (1, 1))
    assert not is_current(shard, entry, cache)
    assert convert(root, cache)[SHARD].source_sha256 == sha256_file(shard) != entry.source_sha256
    assert not load_file(entry.path)["b"].any()


@pytest.mark.parametrize("damage", ["removed", "cut", "no record", "record of another version", "wild record"])
def test_a_conversion_that_is_not_whole_counts_for_nothing_and_is_made_again(shard, root, cache, damage):
    path = convert(root, cache)[SHARD].path
    whole, record = path.read_bytes(), path.parent / RECORD
    if damage == "removed":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(whole[:-1])
    elif damage == "no record":
        record.unlink()
    elif damage == "record of another version":
        record.write_text(json.dumps({**json.loads(record.read_text()), "version": 0}))
    else:
        record.write_text(json.dumps({"version": 1, "files": {SHARD: [1, 2]}}))
    assert converted(shard.parent) == {}
    convert(root, cache)
    assert path.read_bytes() == whole and SHARD in converted(shard.parent)


def test_nothing_is_known_of_a_folder_without_conversions(tmp_path):
    assert converted(tmp_path) == {} == converted(tmp_path / "none")


def test_somebody_elses_safetensors_beside_a_pickle_stays(root, cache):
    torch.save({"w": torch.ones(3)}, root / TINY.base / "Wan2.1_VAE.pth")
    save_file({"w": torch.zeros(3)}, root / TINY.base / "Wan2.1_VAE.safetensors")
    assert conversions_of(TINY, root, cache) == ()
    assert is_here(TINY, root)


def test_a_broken_original_is_named_before_anything_is_written(shard, root, cache):
    broken = shard.with_name("diffusion_pytorch_model-00002-of-00002.safetensors")
    broken.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ConvertError, match="cut short") as caught:
        convert(root, cache)
    assert str(broken) in caught.value.message
    assert caught.value.exit_code == ExitCode.NOT_READY
    assert not (shard.parent / BFLOAT16).exists()


def test_a_disk_that_is_too_small_is_seen_before(shard, root, cache, monkeypatch):
    usage = module.shutil.disk_usage(root)._replace(free=1_000_000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ConvertError, match=r"take 0\.1 GB, and 0\.0 GB are free"):
        convert(root, cache)
    assert not (shard.parent / BFLOAT16).exists()


def test_a_write_that_fails_leaves_no_half_file(shard, root, cache):
    (each,) = conversions_of(TINY, root, cache)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (each.size - 100, hard))
    try:
        with pytest.raises(ConvertError, match="cannot be converted") as caught:
            list(convert_all([each], cache))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert isinstance(caught.value.__cause__, OSError) and caught.value.__cause__.errno == errno.EFBIG
    assert list((shard.parent / BFLOAT16).iterdir()) == []
    assert converted(shard.parent) == {}


def test_a_full_disk_is_called_so(shard, root, cache):
    (each,) = conversions_of(TINY, root, cache)
    error = module._failed(each, OSError(errno.ENOSPC, "No space left on device"))
    assert "is full" in error.message and error.exit_code == ExitCode.NOT_READY


def test_an_original_that_grows_meanwhile_is_not_recorded(shard, root, cache):
    (each,) = conversions_of(TINY, root, cache)

    def touch(conversion, read):
        os.utime(shard, (5, 5))

    with pytest.raises(ConvertError, match="was changed while"):
        list(convert_all([each], cache, touch))
    assert not each.target.exists()


def test_the_lock_is_held_while_it_converts_and_leaves_nothing(shard, root, cache):
    path = shard.parent / BFLOAT16 / LOCK
    for _ in convert_all(conversions_of(TINY, root, cache), cache):
        assert holder(path).pid == os.getpid()
    assert not path.exists()


def test_a_lock_that_may_be_held_by_another_machine_is_told(shard, root, cache, monkeypatch):
    without_flock(monkeypatch)
    path = file_of(shard.parent / BFLOAT16 / LOCK)
    write(path, host="elsewhere", boot="another")
    long_ago(path)
    with pytest.raises(ConvertError, match="on elsewhere") as raised:
        convert(root, cache)
    assert f"rm {path}" in raised.value.hint


def test_what_a_killed_process_left_is_removed(shard, root, cache):
    left = shard.parent / BFLOAT16 / f".tmp-1-{SHARD}"
    left.parent.mkdir()
    left.write_bytes(b"half")
    convert(root, cache)
    assert not left.exists()


def test_another_process_that_was_quicker_is_not_repeated(shard, root, cache):
    stale = conversions_of(TINY, root, cache)
    entry = convert(root, cache)[SHARD]
    before = entry.path.stat().st_ino
    assert [done for _, done in convert_all(stale, cache)] == [entry]
    assert entry.path.stat().st_ino == before


def test_what_is_read_is_told(shard, root, cache):
    read = []
    (each,) = conversions_of(TINY, root, cache)
    list(convert_all([each], cache, lambda conversion, count: read.append(count)))
    assert sum(read) == each.read


def test_a_linked_original_is_converted_beside_the_link(root, cache, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    save_numpy({"a": np.ones(4, np.float32)}, tmp_path / "elsewhere" / "blob")
    (root / TINY.base / SHARD).symlink_to(tmp_path / "elsewhere" / "blob")
    assert convert(root, cache)[SHARD].path.parent == root / TINY.base / BFLOAT16
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["blob"]


MEASURE = """
import re, sys
from pathlib import Path
from standin_batch.digests import DigestCache
from standin_batch.weights.convert import conversions_of, convert_all
from standin_batch.weights.registry import ROWS
cache = DigestCache(Path(sys.argv[2]))
count = len(list(convert_all(conversions_of(ROWS["tiny"], Path(sys.argv[1]), cache), cache)))
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
print(count, peak, "torch" in sys.modules)
"""
LARGE = 300_000_000


def hole(path, numbers):
    """A safetensors file of one float32 tensor, all zeros, that takes no room."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(path, 8 + len(header) + 4 * numbers)
    return path


def test_memory_does_not_grow_with_the_tensors(root, tmp_path):
    """A tensor of 300 MB in a shard and one in a pickle pass through far less memory than either takes."""
    hole(root / TINY.base / SHARD, LARGE // 4)
    torch.save({"w": torch.zeros(LARGE // 2, dtype=torch.bfloat16)}, root / TINY.base / "Wan2.1_VAE.pth")
    command = [sys.executable, "-c", MEASURE, str(root), str(tmp_path / "digests.jsonl")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    count, peak, with_torch = ran.stdout.split()
    assert count == "2" and with_torch == "False"
    assert int(peak) < LARGE * 2 / 3, f"the peak was {int(peak):,} bytes"


def test_sparse_14b_shards_are_planned_in_no_time(root, cache):
    numbers = ROWS["wan2.1-t2v-14b"].sizes.dit_parameters
    path = hole(root / TINY.base / SHARD, numbers)
    (each,) = conversions_of(TINY, root, cache)
    assert each.size == pytest.approx(2 * numbers, abs=1000)
    assert halved(path).rounds and each.read == 4 * numbers

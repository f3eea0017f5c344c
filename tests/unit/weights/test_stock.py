"""What is here of what is needed, told from names and sizes."""

from __future__ import annotations

import pytest

from standin_batch.weights.ledger import Entry, Ledger
from standin_batch.weights.needs import Need, needs, whole
from standin_batch.weights.registry import row
from standin_batch.weights.sources import ANTELOPE, PARSER, STAND_IN_21, WAN21_T2V, FileSet
from standin_batch.weights.stock import chosen, home, matches, stock

SHARDS = WAN21_T2V.files[0]
NAMES = [f"diffusion_pytorch_model-{number:05d}-of-00006.safetensors" for number in range(1, 7)]
NEED = Need(WAN21_T2V, SHARDS, ("wan2.1-t2v-14b",))


def lay(folder, *names, content=b"\x80\x02content"):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def one(root, need=NEED):
    return stock(root, [need])[0]


def test_nothing_is_here_at_first(tmp_path):
    found = stock(tmp_path / "none", needs([whole(row("wan2.1-t2v-14b"))]))
    assert not any(each.here for each in found)
    assert sum(each.left for each in found) == sum(each.need.files.size for each in found)


def test_a_whole_set_leaves_nothing_and_half_of_it_half(tmp_path):
    lay(tmp_path / "Wan2.1-T2V", *NAMES[:3])
    assert one(tmp_path).left == SHARDS.size // 2 and not one(tmp_path).complete
    lay(tmp_path / "Wan2.1-T2V", *NAMES[3:])
    assert one(tmp_path).left == 0 and one(tmp_path).complete


def test_a_file_of_another_size_than_the_ledger_says_is_not_here(tmp_path):
    lay(tmp_path / "Wan2.1-T2V", *NAMES)
    Ledger(tmp_path).add(Entry(f"Wan2.1-T2V/{NAMES[0]}", WAN21_T2V.name, "r", "c", 999, "0" * 64, ""))
    assert set(one(tmp_path).here) == set(NAMES[1:])


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"])
def test_what_has_no_content_of_its_own_is_not_here(tmp_path, content):
    lay(tmp_path / "Wan2.1-T2V", *NAMES)
    lay(tmp_path / "Wan2.1-T2V", NAMES[0], content=content)
    assert set(one(tmp_path).here) == set(NAMES[1:])


def test_a_link_that_leads_nowhere_is_not_here(tmp_path):
    lay(tmp_path / "Wan2.1-T2V", *NAMES[1:])
    (tmp_path / "Wan2.1-T2V" / NAMES[0]).symlink_to(tmp_path / "gone")
    assert set(one(tmp_path).here) == set(NAMES[1:])


def test_the_names_of_the_hub_do_where_ours_is_not_there(tmp_path):
    assert home(tmp_path, WAN21_T2V) == tmp_path / "Wan2.1-T2V"
    lay(tmp_path / "Wan2.1-T2V-14B", *NAMES)
    assert home(tmp_path, WAN21_T2V) == tmp_path / "Wan2.1-T2V-14B" and one(tmp_path).complete


def test_the_older_name_of_the_adapter_will_do(tmp_path):
    lay(tmp_path / "Stand-In", "Stand-In_wan2.1_T2V_14B_ver1.0.ckpt")
    assert one(tmp_path, Need(STAND_IN_21, STAND_IN_21.files[0], ("x",))).complete


def test_of_several_patterns_the_first_that_matches_counts():
    files = FileSet(("new-*", "old-*"), 1, 1, "x")
    assert chosen(files, ["old-1", "new-2", "new-1"]) == ("new-1", "new-2")
    assert chosen(files, ["old-1"]) == ("old-1",)
    assert chosen(files, ["other"]) == ()


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("a.onnx", "*.onnx", True),
        ("antelopev2/a.onnx", "*.onnx", False),
        ("google/umt5-xxl/tokenizer.json", "google/umt5-xxl/*", True),
        ("google/umt5-xxl/more/x", "google/umt5-xxl/*", False),
        ("old/google/umt5-xxl/x", "google/umt5-xxl/*", False),
    ],
)
def test_a_star_stops_at_a_slash(name, pattern, expected):
    assert matches(name, pattern) is expected


def test_face_models_have_their_folders(tmp_path):
    lay(tmp_path / "antelopev2", *(f"{name}.onnx" for name in "abcde"))
    lay(tmp_path / "face-parsing", "parsing_bisenet.pth")
    assert all(one(tmp_path, Need(source, source.files[0], ("x",))).complete for source in (ANTELOPE, PARSER))

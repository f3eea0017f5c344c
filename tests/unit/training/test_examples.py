"""What the demo's manifest uses: drawn the same every time, and by the names that the manifest has."""

from __future__ import annotations

from PIL import Image

from standin_batch.files import sha256_file
from standin_batch.manifest.loader import load_manifest
from standin_batch.media.video import probe_video
from training.examples import write_examples


def digests(folder):
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in folder.rglob("*") if path.is_file()}


def test_the_same_bytes_come_every_time(tmp_path):
    for name in ("one", "two"):
        write_examples(tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_the_manifest_finds_what_is_drawn(tmp_path, manifests):
    write_examples(tmp_path)
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "ink.safetensors").touch()
    (tmp_path / "demo.yaml").write_text((manifests / "demo.yaml").read_text())
    assert load_manifest(tmp_path / "demo.yaml").name == "demo"
    assert Image.open(tmp_path / "faces" / "pia.png").size == (512, 512)
    info = probe_video(tmp_path / "clips" / "jump.mp4")
    assert (info.width, info.height, info.fps) == (96, 96, 8)

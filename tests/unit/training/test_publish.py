"""What was trained goes where the repository keeps it: weights without states and sheets, and one log a stage."""

from pathlib import Path

from training.publish import publish


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_weights_lora_and_logs_are_copied_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    _write(out / "weights" / "Wan2.1-T2V" / "Wan2.1_VAE.pth", "vae")
    _write(out / "faces" / "antelopev2" / "glintr100.onnx", "embedder")
    _write(out / "faces" / "face-parsing" / "parsing_bisenet.pth", "parser")
    _write(out / "faces" / "parser.state", "state")
    _write(out / "faces" / "parser.log.jsonl", "parser's")
    _write(out / "vae" / "clips" / "log.jsonl", "vae's")
    _write(out / "vae" / "clips" / "sheet-000500.png", "sheet")
    _write(out / "ink.safetensors", "ink")

    publish(out, tmp_path / "demo", tmp_path / "loras" / "ink.safetensors", tmp_path / "logs")

    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name: text for name, text in found.items() if not name.startswith("out/")} == {
        "demo/Wan2.1-T2V/Wan2.1_VAE.pth": "vae",
        "demo/antelopev2/glintr100.onnx": "embedder",
        "demo/face-parsing/parsing_bisenet.pth": "parser",
        "loras/ink.safetensors": "ink",
        "logs/faces-parser.jsonl": "parser's",
        "logs/vae-clips.jsonl": "vae's",
    }

"""Draws the clips and the LoRA that `modes.yaml` uses: `make examples` writes them anew, the same every time.

`clips/wave.mp4`: a stick figure in OpenPose's colours raises its arms. `clips/visitors.mp4`: the portrait of
`faces/astronaut.png`, tinted blue, moves through a landscape; a smaller copy of it stands there for a while, and for
some frames there is nobody. It has a sound. `loras/style.safetensors`: random, for the tiny model.
"""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

Frame = npt.NDArray[np.uint8]

HERE = Path(__file__).parent
FPS = 16

WAVE_SIZE = (160, 96)
WAVE_FRAMES = 13
LIMB_COLOURS = ((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 85))

VISITORS_SIZE = (256, 160)
VISITORS_FRAMES = 25
PORTRAIT = (100, 0, 350, 250)
"""Left, top, right, bottom of the head in the photograph."""

LORA_RANK = 4
LORA_STRENGTH = 0.15


def main() -> None:
    """Write everything."""
    _write(HERE / "clips" / "wave.mp4", [_figure(step / (WAVE_FRAMES - 1)) for step in range(WAVE_FRAMES)], sound=False)
    _write(HERE / "clips" / "visitors.mp4", [_scene(index) for index in range(VISITORS_FRAMES)], sound=True)
    _write_lora(HERE / "loras" / "style.safetensors")


def _figure(raised: float) -> Frame:
    """A person from the front with arms between hanging (0) and up (1)."""
    width, height = WAVE_SIZE
    frame = np.zeros((height, width, 3), np.uint8)
    x, neck, hip = width // 2, 34, 64
    angle = np.pi * (0.15 + 0.75 * raised)
    reach = np.array((np.sin(angle), np.cos(angle))) * 15
    limbs = [((x, neck), (x, 20)), ((x, neck), (x, hip))]
    for side in (-1, 1):
        shoulder = np.array((x + side * 12, neck + 1))
        elbow = shoulder + reach * (side, 1)
        hand = elbow + reach * (side * (1 - 0.6 * raised), 1)
        foot = (x + side * 9, 92)
        limbs += [
            ((x, neck), tuple(shoulder)),
            (tuple(shoulder), tuple(elbow)),
            (tuple(elbow), tuple(hand)),
            ((x, hip), foot),
        ]
    for number, (start, end) in enumerate(limbs):
        ends = (tuple(round(float(value)) for value in point) for point in (start, end))
        cv2.line(frame, *ends, LIMB_COLOURS[number % len(LIMB_COLOURS)], 3, cv2.LINE_AA)
    cv2.circle(frame, (x, 15), 7, (255, 0, 170), -1, cv2.LINE_AA)
    return frame


def _scene(index: int) -> Frame:
    """One frame of the visitors: both for a while, then nobody, then one again."""
    frame = _landscape(*VISITORS_SIZE)
    if index not in range(16, 20):
        _place(frame, 0.42 + 0.004 * index, 8 + 4 * index, 30)
    if 6 <= index < 14:
        _place(frame, 0.26, 185, 78)
    return frame


def _landscape(width: int, height: int) -> Frame:
    sky = np.linspace((150, 190, 235), (235, 225, 200), height)[:, None].repeat(width, axis=1)
    frame = np.ascontiguousarray(sky.astype(np.uint8))
    for base, rise, colour in ((0.75, 26, (110, 140, 120)), (0.88, 12, (80, 110, 70))):
        ridge = [(x, round(height * base + rise * np.sin(x / 37 + base * 9))) for x in range(0, width + 8, 8)]
        cv2.fillPoly(frame, [np.array([(0, height), *ridge, (width, height)])], colour, cv2.LINE_AA)
    cv2.circle(frame, (width - 40, 30), 14, (255, 240, 170), -1, cv2.LINE_AA)
    return frame


def _place(frame: Frame, scale: float, x: float, y: float) -> None:
    """Lay the tinted portrait into `frame`, with a soft oval edge."""
    photograph = cv2.cvtColor(cv2.imread(str(HERE / "faces" / "astronaut.png")), cv2.COLOR_BGR2RGB)
    left, top, right, bottom = PORTRAIT
    head = photograph[top:bottom, left:right] * (0.5, 0.75, 1.05) + (0, 0, 20)
    side = head.shape[0]
    row, column = np.mgrid[:side, :side] / (side / 2) - 1
    oval = np.clip((1 - row**2 - column**2) * 4, 0, 1)[..., None]
    size = round(side * scale)
    layers = cv2.resize(np.concatenate([head.clip(0, 255), oval], axis=-1), (size, size), interpolation=cv2.INTER_AREA)
    move = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    layers = cv2.warpAffine(layers[..., :3], move, VISITORS_SIZE), cv2.warpAffine(layers[..., 3], move, VISITORS_SIZE)
    frame[:] = np.rint(frame + (layers[0] - frame) * layers[1][..., None])


def _write(path: Path, frames: list[Frame], sound: bool) -> None:
    """An mp4 of moderate size; `sound` is a tone that rises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, _ = frames[0].shape
    with TemporaryDirectory() as folder:
        track = Path(folder) / "tone.wav"
        _write_tone(track, len(frames) / FPS)
        heard = ["-i", str(track), "-c:a", "aac", "-b:a", "64k"] if sound else []
        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error"),
            *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(FPS), "-i", "-"),
            *(*heard, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "14", "-threads", "1"),
            *(
                "-fflags",
                "+bitexact",
                "-flags:v",
                "+bitexact",
                "-flags:a",
                "+bitexact",
                "-movflags",
                "+faststart",
                str(path),
            ),
        ]
        subprocess.run(command, input=np.stack(frames).tobytes(), check=True)


def _write_tone(path: Path, seconds: float, rate: int = 22050) -> None:
    time = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * (300 * time + 150 * time**2)) * 0.2 * 32767
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(tone.astype("<i2").tobytes())


def _write_lora(path: Path) -> None:
    """A LoRA for every attention of the tiny model, in the key style of kohya's trainers."""
    from standin_batch.weights.rows_tiny import TINY_DIT

    random = np.random.Generator(np.random.Philox(2025))
    dim, tensors = TINY_DIT["dim"], {}
    for block in range(TINY_DIT["num_layers"]):
        for attention in ("self_attn", "cross_attn"):
            for part in "qkvo":
                name = f"lora_unet_blocks_{block}_{attention}_{part}"
                down, up = random.standard_normal((2, LORA_RANK, dim))
                tensors[f"{name}.lora_down.weight"] = (down / np.sqrt(dim)).astype(np.float16)
                tensors[f"{name}.lora_up.weight"] = np.ascontiguousarray((up * LORA_STRENGTH).T.astype(np.float16))
                tensors[f"{name}.alpha"] = np.array(LORA_RANK, np.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"format": "pt"})


if __name__ == "__main__":
    main()

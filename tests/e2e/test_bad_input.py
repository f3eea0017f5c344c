"""Every bad input that was tried, and what it gives: a clear error for that job or manifest, never a crash.

The tables here are those of `docs/bad-input.md`: a line there is a test here. `python tests/e2e/test_bad_input.py`
prints them anew.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from standin_batch.weights.tiny import ensure_tiny

LIMIT = 60
"""Seconds for the worst of them, on a machine that is busy with other things."""

SMALL = {"num_inference_steps": 1, "num_frames": 5, "width": 64, "height": 64}
HEAD = "version: 1\nname: bad\nmodel: tiny\n"
JOBS = "jobs: [{mode: t2v, prompt: a tree}]\n"


@dataclass(frozen=True)
class Case:
    """A bad input, or one that looks so.

    Attributes:
        what: it is.
        make: the file's content, or the manifest's text.
        said: a part of the message; empty where the input is fine.
        used_as: the key of a job that names the file.
    """

    what: str
    make: Callable[[], bytes] | str
    said: str = ""
    used_as: str = ""


def png(image: Image.Image, **options: object) -> bytes:
    return encoded(image, "PNG", **options)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def noise(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)).convert(mode)


def three(form: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:])


def with_text(size: int) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("comment", "a" * size, zip=True)
    return png(noise(), pnginfo=text)


def bomb(side: int) -> bytes:
    """A white PNG of `side` x `side` in a few kB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = zlib.compress((b"\0" + b"\xff" * ((side + 7) // 8)) * side, 9)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_exif(size: int) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "x" * size
    return encoded(noise(), "JPEG", exif=exif.tobytes())


def deep() -> bytes:
    return png(Image.fromarray(np.random.default_rng(0).integers(0, 65536, (48, 64), dtype=np.uint16)))


def called(n: int, case: Case) -> str:
    """The name of a picture's file."""
    return f"{n}.{'jpg' if '.jpg' in case.what else 'png'}"


PICTURES = (
    Case("a truncated PNG", lambda: png(noise())[:4000], "cannot be read: image file is truncated", "subject"),
    Case("the same, as a face", lambda: png(noise())[:4000], "image file is truncated", "face"),
    Case("the same, as a reference", lambda: png(noise())[:4000], "image file is truncated", "reference_image"),
    Case("the same, as a target", lambda: png(noise())[:4000], "image file is truncated", "target_image"),
    Case("zero bytes", lambda: b"", "is not a picture", "subject"),
    Case("zero bytes, as a reference", lambda: b"", "is not a picture", "reference_image"),
    Case("text called .png", lambda: b"hello", "is not a picture", "face"),
    Case(
        "PostScript called .png",
        lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "is not a pic",
        "subject",
    ),
    Case("a PNG called .jpg", lambda: png(noise()), "", "subject"),
    Case("1 pixel", lambda: png(Image.new("RGB", (1, 1))), "", "subject"),
    Case("1 pixel, as a face", lambda: png(Image.new("RGB", (1, 1))), "no face was found", "face"),
    Case("20,000 x 300 pixels", lambda: png(Image.new("RGB", (20_000, 300), "red")), "", "subject"),
    Case("60,000 x 1 pixels", lambda: png(Image.new("RGB", (60_000, 1), "red")), "", "subject"),
    Case("60,000 x 1, as a face", lambda: png(Image.new("RGB", (60_000, 1), "red")), "no face was found", "face"),
    Case("60,000 x 1, as a reference", lambda: png(Image.new("RGB", (60_000, 1), "red")), "", "reference_image"),
    Case("an animated GIF (its first frame counts)", lambda: three("GIF"), "", "subject"),
    Case("an animated WebP (its first frame counts)", lambda: three("WEBP"), "", "subject"),
    Case("an animated PNG (its first frame counts)", lambda: three("PNG"), "", "reference_image"),
    Case("a bomb of 20,000 x 20,000", lambda: bomb(20_000), "exceeds limit of", "subject"),
    Case("5 MB of text in a PNG of 23 kB", lambda: with_text(5_000_000), "Decompressed data too large", "subject"),
    Case("60 kB of EXIF", lambda: with_exif(60_000), "", "subject"),
    Case("a colour profile of zeros", lambda: png(noise(), icc_profile=b"\0" * 9000), "", "subject"),
    Case("a palette with transparency", lambda: png(noise().quantize(8), transparency=0), "", "subject"),
    Case("16 bits a channel", deep, "", "subject"),
)

NAMES = (
    *(
        "a b",
        "quotes'\"`$(ls)`",
        "new\nline",
        "back\\slash",
        "-dash",
        "--help",
        "100%d",
        "{}",
        "{0.__class__}",
        "女人 é",
    ),
    *("🙂", "right\u202eleft", "[x]", "a;b|c&d", ".hidden", "a" * 200),
)

PROMPTS = (
    Case("emoji", "a 👩‍👩‍👧 b 🙂"),
    Case("a null byte", "a\0b c"),
    Case("control characters", "a \x1b[31mred\x07\x08 b"),
    Case("marks from right to left", "a \u202e b \u200f c"),
    Case("what looks like a template", "{0.__class__} {prompt} %s %(x)s $${HOME}"),
    Case("line breaks and tabs", "a\nb\tc\r\nd"),
    Case("19,998 characters", "tree " * 3999 + "end"),
)


def ffmpeg(*arguments: object) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)], check=True)


def films(folder: Path) -> None:
    """The videos that others are made of."""
    pattern = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25")
    ffmpeg(*pattern, "-frames:v", 25, "-pix_fmt", "yuv420p", "-movflags", "+faststart", folder / "good.mp4")
    ffmpeg(*pattern, "-frames:v", 1, "-pix_fmt", "yuv420p", folder / "one.mp4")
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc=size=64x48:rate=1", "-frames:v", 100, "-pix_fmt", "yuv420p", folder / "slow.mp4"
    )
    ffmpeg("-stream_loop", 359, "-i", folder / "slow.mp4", "-c", "copy", folder / "long.mp4")
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", folder / "sound.mp4")
    vary = "select='lt(n,10)+not(mod(n,3))'"
    ffmpeg("-i", folder / "good.mp4", "-vf", vary, "-fps_mode", "vfr", "-pix_fmt", "yuv420p", folder / "vary.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=161x97:rate=25", "-frames:v", 9, "-c:v", "libx264rgb", folder / "odd.mp4")
    ffmpeg("-display_rotation", 90, "-i", folder / "good.mp4", "-c", "copy", folder / "turned.mp4")
    noise().save(folder / "cover.png")
    cover = ("-i", folder / "cover.png", "-map", 0, "-map", 1, "-c:v", "png", "-disposition:v:0", "attached_pic")
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", *cover, folder / "song.mp4")
    big = ("-f", "lavfi", "-i", "color=size=9000x7500:rate=1:duration=1", "-c:v", "libx264", "-preset", "ultrafast")
    ffmpeg(*big, folder / "big.mp4")
    good = (folder / "good.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(good[: len(good) * 3 // 4])
    (folder / "head.mp4").write_bytes(good[: len(good) // 5])
    (folder / "wrong.mp4").write_bytes(b"\0" * 64 + good[64:])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("hello world\n" * 20)
    (folder / "hls.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngood.mp4\n#EXT-X-ENDLIST\n")
    (folder / "hls.m3u8").write_text((folder / "hls.mp4").read_text())
    (folder / "concat.mp4").write_text("ffconcat version 1.0\nfile good.mp4\n")
    (folder / "stream.mp4").write_text(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    )


VIDEOS = (
    Case("sound only", "sound.mp4", "holds no video, only sound"),
    Case("a song with a cover", "song.mp4", "holds no video, only sound"),
    Case("cut short: its header promises more frames", "cut.mp4", "is cut short"),
    Case("cut within its header", "head.mp4", "cannot be read"),
    Case("a wrong header", "wrong.mp4", "cannot be read"),
    Case("zero bytes", "empty.mp4", "cannot be read"),
    Case("text called .mp4", "text.mp4", "cannot be read"),
    Case("a playlist called .mp4", "hls.mp4", "cannot be read"),
    Case("a playlist", "hls.m3u8", "such as a list of other files"),
    Case("a concat script called .mp4", "concat.mp4", "such as a list of other files"),
    Case("a network stream's description called .mp4", "stream.mp4", "such as a list of other files"),
    Case("frames of 9,000 x 7,500", "big.mp4", "more than 67,108,864 pixels"),
    Case("one frame, where 5 are asked for", "one.mp4", "the video has 1 frames, not 5"),
    Case("ten hours, where 5,001 frames are asked for", "long.mp4", "5,000 frames or more"),
    Case("ten hours, where 5 frames are asked for", "long.mp4"),
    Case("one frame", "one.mp4"),
    Case("161 x 97 pixels", "odd.mp4"),
    Case("a varying rate", "vary.mp4"),
    Case("turned by its header", "turned.mp4"),
)
FRAMES = {"one frame, where 5 are asked for": 5, "ten hours, where 5,001 frames are asked for": 5001}


def tensors(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class Code:
    """Unpickled, it makes a file."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, ("PWNED",)


def style() -> bytes:
    return (Path(__file__).parents[2] / "manifests" / "loras" / "style.safetensors").read_bytes()


def entry(start: int, end: int, *shape: int) -> dict[str, object]:
    return {"dtype": "F32", "shape": shape or [(end - start) // 4], "data_offsets": [start, end]}


LORAS = (
    Case("cut short in its header", lambda: style()[:50], "is cut short inside its header"),
    Case("cut short in its data", lambda: style()[:-20], "is cut short: "),
    Case("zero bytes", lambda: b"", "is no safetensors file"),
    Case("a header of 2^63 bytes", lambda: struct.pack("<Q", 2**63) + style()[8:], "is no safetensors file"),
    Case("a header of 40 MB", lambda: tensors(b"[" + b"{}," * 13_000_000 + b"0]"), "is no safetensors file"),
    Case("a million brackets for a header", lambda: tensors(b"[" * 1_000_000), "its header is damaged"),
    Case("a tensor of 300,000 sides", lambda: tensors({"a": entry(0, 4, *[2**62] * 300_000)}, b"1234"), "damaged"),
    Case(
        "two tensors in one place",
        lambda: tensors({"a": entry(0, 4), "b": entry(0, 4)}, b"1234"),
        "overlap or leave gaps",
    ),
    Case("a hole between tensors", lambda: tensors({"a": entry(4, 8)}, b"12345678"), "overlap or leave gaps"),
    Case("a pickle that would run code", lambda: pickle.dumps(Code()), "is no safetensors file"),
    Case("text", lambda: b"hello world, hello", "is no safetensors file"),
)


ADAPTERS = (
    Case("cut short", lambda: adapter()[:-2000], "is cut short or damaged"),
    Case("zero bytes", lambda: b"", "is empty"),
    Case("a pickle that would run code", lambda: pickle.dumps(Code()), "holds code"),
    Case("text", lambda: b"hello world, hello", "holds words, not weights"),
)


def adapter() -> bytes:
    """As `torch.save` writes a Stand-In checkpoint."""
    import torch

    content = io.BytesIO()
    torch.save({"blocks.0.self_attn.q_loras.down.weight": torch.zeros(4, 96)}, content)
    return content.getvalue()


def manifest(text: str) -> str:
    return HEAD + text


def job(keys: str) -> str:
    return HEAD + f"jobs: [{{mode: t2v, prompt: a tree, {keys}}}]\n"


def template(text: str) -> str:
    return HEAD + f"output: {{template: {json.dumps(text)}}}\n" + JOBS


def lines(*texts: str) -> str:
    return HEAD + "jobs:\n" + "".join(f"- {{name: p{n}, mode: t2v, prompt: {text}}}\n" for n, text in enumerate(texts))


MANIFESTS = (
    Case("template `{prompt.__class__}`", template("{prompt.__class__}"), "`template` has no field"),
    Case("template `{0}`", template("{0}"), "`template` has no field"),
    Case("template `{name!r:>1000000000}`", template("{name!r:>1000000000}"), "takes no format"),
    Case("template `{name:{width}}`", template("{name:{width}}"), "takes no format"),
    Case("template `../{name}`", template("../{name}"), "leads out of the output folder"),
    Case("template `/tmp/{name}`", template("/tmp/{name}"), "is an absolute path"),
    Case("template with a null byte", template("{name}\0"), "a backslash or a control character"),
    Case("template of 600 kB", template("{name}" * 100_000), "very long part"),
    Case("output folder `../x`", manifest("output: {folder: ../x}\n" + JOBS), "leads out of the current directory"),
    Case(
        "`!!python/object/apply:os.mkdir`",
        HEAD + "a: !!python/object/apply:os.mkdir [PWNED]\n" + JOBS,
        "has no key `a`",
    ),
    Case("a tag in a known key", HEAD + JOBS + "defaults: !!python/name:os.system\n", "is not allowed"),
    Case(
        "a thousand million laughs",
        HEAD
        + "".join(
            [
                "a0: &a0 [x, x, x, x, x, x, x, x, x]\n",
                *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
            ]
        )
        + JOBS,
        "more than 1,000,000 values",
    ),
    Case("100,000 brackets", HEAD + "x: " + "[" * 100_000, "nested deeper than 32 levels"),
    Case("17 MiB", "#" * (17 << 20), "larger than 16 MiB"),
    Case("an alias within itself", HEAD + "a: &a [*a]\n" + JOBS, "cannot hold itself"),
    Case("a manifest that includes itself", HEAD + "include: [bad.yaml]\n" + JOBS, "a circle"),
    Case("include of /dev/zero", HEAD + "include: [/dev/zero]\n" + JOBS, "is not a regular file"),
    Case("include of a pipe", HEAD + "include: [pipe]\n" + JOBS, "is not a regular file"),
    Case("include of a folder", HEAD + "include: [folder]\n" + JOBS, "is a folder"),
    Case("include of a URL", HEAD + "include: ['https://localhost/a.yaml']\n" + JOBS, "is a URL"),
    Case("a pipe for an identity", job("identity: {image: pipe}"), "is not a regular file"),
    Case("a device for an identity", job("identity: /dev/zero"), "is not a regular file"),
    Case("a folder for an identity", job("identity: ./folder"), "is a folder"),
    Case("a link to itself for an identity", job("identity: ./loop"), "does not exist"),
    Case("a URL for an identity", job("identity: 'https://localhost/a.png'"), "is a URL"),
    Case("`file:` for an identity", job("identity: 'file:///etc/passwd'"), "is a URL"),
    Case("a pipe for a LoRA", job("loras: [{path: pipe}]"), "is not a regular file"),
    Case(
        "a pipe for a video",
        job("mode: vace, reference_video: ./pipe").replace("mode: t2v, ", ""),
        "is not a regular file",
    ),
    Case(
        "`concat:` for a video",
        job("mode: vace, reference_video: 'concat:a.mp4'").replace("mode: t2v, ", ""),
        "does not exist",
    ),
    Case(
        "`subfile:` for a video",
        job("mode: vace, reference_video: 'subfile:,,start,0,end,9,,:a.mp4'").replace("mode: t2v, ", ""),
        "does not exist",
    ),
    Case(
        "`http:` for a video",
        job("mode: vace, reference_video: 'http://localhost/a.mp4'").replace("mode: t2v, ", ""),
        "is a URL",
    ),
    Case("a null byte in a path", job('identity: "a\\0.png"'), "this is no path"),
    Case("a pipe for a prompt file", lines("{file: pipe}"), "is not a regular file"),
    Case("an empty prompt", lines('{text: ""}'), "must be a text"),
    Case("a blank prompt", lines('{text: "   "}'), "is empty"),
    Case("a prompt of 100 kB", lines("{text: " + "tree " * 20_000 + "}"), "99,999 characters; at most 20,000"),
    Case("a negative prompt of 140 kB", job("negative_prompt: " + "x" * 140_000), "140,000 characters; at most 20,000"),
    Case("20,000 emoji", lines("{text: " + "🙂" * 20_000 + "}"), "80,002 bytes as JSON; at most 60,000"),
    Case("half a character as an escape", lines('{text: "a \\ud800 b"}'), "this escape is no character"),
    Case("half a character in JSON", lines("{file: half.jsonl}"), "is half a character"),
    Case("a prompt file that is not UTF-8", lines("{file: latin.txt}"), "byte 0xE9 is not UTF-8"),
    Case("a prompt file without prompts", lines("{file: blank.txt}"), "has no prompts"),
    Case("a prompt file with a line of 100 kB", lines("{file: long.txt}"), "100,000 characters; at most 20,000"),
    Case("100,000 brackets in a JSONL file", lines("{file: deep.jsonl}"), "no JSON that holds a prompt"),
    Case("a control character in the manifest", HEAD + "# \x1b[31m\n" + JOBS, "control character U+001B"),
)

CONFINED = (
    Case("a picture outside", job("identity: {image: ../outside.png, kind: subject}"), "is outside of the input root"),
    Case("a link to it", job("identity: {image: link.png, kind: subject}"), "is outside of the input root"),
    Case(
        "a picture below a link",
        job("identity: {image: up/outside.png, kind: subject}"),
        "is outside of the input root",
    ),
    Case("a prompt file outside", lines("{file: /etc/hostname}"), "is outside of the input root"),
    Case("an include outside", HEAD + "include: [../other.yaml]\n" + JOBS, "is outside of the input root"),
    Case("what an included file names", HEAD + "include: [inner.yaml]\n" + JOBS, "is outside of the input root"),
    Case("a file that is not there, outside", job("identity: /nowhere/a.png"), "is outside of the input root"),
)


# --- the tests


def used(case: Case, path: str, faces: Path, clips: Path) -> dict[str, object]:
    """A job that uses the file at `path` as the case says."""
    if case.used_as in ("subject", "face"):
        return {"mode": "t2v", "identity": {"image": path, "kind": case.used_as}}
    if case.used_as == "reference_image":
        return {"mode": "vace", "reference_image": path}
    swap = {"mode": "face_swap", "identity": str(faces / "astronaut.png"), "input_video": str(clips / "visitors.mp4")}
    return {**swap, "width": 160, "height": 96, "target_image": path}


@pytest.fixture(scope="module")
def ran(make_workspace, manifests):
    """All pictures, names and prompts as jobs of one manifest, run once; the events of each job by its name."""
    workspace = make_workspace("bad")
    jobs = [
        {"name": f"picture-{n}", **used(case, called(n, case), manifests / "faces", manifests / "clips")}
        for n, case in enumerate(PICTURES)
    ]
    for n, case in enumerate(PICTURES):
        (workspace.folder / called(n, case)).write_bytes(case.make())
    for n, name in enumerate(NAMES):
        shutil.copy(manifests / "faces" / "chelsea.png", workspace.folder / f"{name}.png")
        shutil.copy(manifests / "clips" / "wave.mp4", workspace.folder / f"{name}.mp4")
        shutil.copy(manifests / "loras" / "style.safetensors", workspace.folder / f"{name}.safetensors")
        files = {
            "identity": {"image": f"./{name}.png", "kind": "subject"},
            "loras": [{"path": f"./{name}.safetensors"}],
        }
        jobs.append(
            {"name": f"name-{n}", "seed": n, "mode": "vace", "reference_video": f"./{name}.mp4", **SMALL, **files}
        )
    jobs += [{"name": f"prompt-{n}", "mode": "t2v", "prompt": {"text": case.make}} for n, case in enumerate(PROMPTS)]
    (workspace.folder / "a\x1b[31mb.png").write_bytes(b"its name turns a terminal red")
    steering = {"image": "./a\x1b[31mb.png", "kind": "subject"}
    jobs.append({"name": "steering", "mode": "t2v", "identity": steering})
    content = {"model": "tiny", "defaults": {**SMALL, "prompt": "a tree"}, "jobs": jobs}
    began = time.monotonic()
    result = workspace.standin("run", workspace.manifest("bad", content), "--json")
    assert time.monotonic() - began < 3 * LIMIT
    assert "Traceback" not in result.stderr and result.returncode == 1, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    ended = {event["label"].split(" ")[0]: event for event in events if event["event"] in ("JobFailed", "JobCompleted")}
    return workspace, ended


def same(ended: dict[str, dict], prefix: str, cases: tuple[Case, ...]) -> None:
    for n, case in enumerate(cases):
        event = ended[f"{prefix}-{n}"]
        assert event["event"] == ("JobFailed" if case.said else "JobCompleted"), (case.what, event)
        assert case.said in event.get("error", ""), (case.what, event)


@pytest.mark.slow
def test_a_bad_picture_fails_its_job_and_no_other(ran):
    same(ran[1], "picture", PICTURES)


@pytest.mark.slow
def test_a_file_may_have_any_name(ran):
    assert {ran[1][f"name-{n}"]["event"] for n in range(len(NAMES))} == {"JobCompleted"}


@pytest.mark.slow
def test_a_prompt_may_hold_anything_and_comes_back_from_the_video(ran):
    from standin_batch.output.video import read_metadata

    workspace, ended = ran
    same(ended, "prompt", PROMPTS)
    records = {record["name"]: record for record in workspace.records("bad")}
    for n, case in enumerate(PROMPTS):
        record = records[f"prompt-{n}"]
        text = case.make.replace("$${", "${").strip()
        assert record["prompt"] == text
        assert read_metadata(workspace.folder / "outputs" / "bad" / record["video"])["prompt"] == text


@pytest.mark.slow
def test_a_failed_job_steers_no_terminal(ran):
    workspace, ended = ran
    assert ended["steering"]["event"] == "JobFailed"
    shown = workspace.standin("status", "bad.yaml")
    assert "31mb.png" in shown.stdout
    assert "\x1b" not in shown.stdout + shown.stderr


@pytest.fixture(scope="module")
def videos(make_workspace):
    workspace = make_workspace("videos")
    films(workspace.folder)
    return workspace


def test_all_bad_videos_are_told_at_once_before_any_work(videos):
    jobs = [
        {
            "name": f"v{n}",
            "mode": "vace",
            "prompt": "a tree",
            "reference_video": f"./{case.make}",
            **({"num_frames": frames} if (frames := FRAMES.get(case.what)) else {"max_frames": 5}),
        }
        for n, case in enumerate(VIDEOS)
    ]
    path = videos.manifest("videos", {"model": "tiny", "jobs": jobs})
    began = time.monotonic()
    ran = videos.standin("run", path)
    assert time.monotonic() - began < LIMIT
    assert ran.returncode == 2 and "Traceback" not in ran.stderr
    told = {block.split("job `")[1].split("`")[0]: block for block in ran.stderr.split("\n\n") if "job `" in block}
    for n, case in enumerate(VIDEOS):
        assert (f"v{n}" in told) == bool(case.said), (case.what, told.get(f"v{n}"))
        assert case.said in told.get(f"v{n}", ""), (case.what, told[f"v{n}"])
        assert not case.said or "help:" in told[f"v{n}"], case.what


@pytest.mark.parametrize("case", LORAS, ids=lambda case: case.what)
def test_a_bad_lora_is_told_before_any_work(workspace, case):
    (workspace.folder / "bad.safetensors").write_bytes(case.make())
    content = {"model": "tiny", "jobs": [{"mode": "t2v", "prompt": "a tree", "loras": [{"path": "bad.safetensors"}]}]}
    began = time.monotonic()
    ran = workspace.standin("run", workspace.manifest("loras", content))
    assert time.monotonic() - began < LIMIT
    assert ran.returncode == 3 and "Traceback" not in ran.stderr
    assert case.said in ran.stderr and "cure:" in ran.stderr
    assert not (workspace.folder / "PWNED").exists() and workspace.records("loras") == []


@pytest.mark.parametrize("case", ADAPTERS, ids=lambda case: case.what)
def test_a_bad_adapter_is_told_before_any_work(workspace, manifests, case):
    ensure_tiny(workspace.folder / "checkpoints" / "tiny")
    broken = workspace.folder / "broken"
    shutil.copytree(workspace.folder / "checkpoints" / "tiny", broken)
    (checkpoint,) = broken.glob("Stand-In/*wan2.1*.ckpt")
    checkpoint.write_bytes(case.make())
    jobs = [{"mode": "t2v", "prompt": "a tree", "identity": str(manifests / "faces" / "astronaut.png")}]
    path = workspace.manifest("adapters", {"model": "tiny", "jobs": jobs})
    refused = workspace.standin("run", path, "--checkpoints", broken)
    assert refused.returncode == 3 and "Traceback" not in refused.stderr
    assert case.said in refused.stderr and "cure:" in refused.stderr
    assert not (workspace.folder / "PWNED").exists() and workspace.records("adapters") == []


@pytest.fixture(scope="module")
def strangers(make_workspace):
    """A folder with what the manifests of strangers name."""
    workspace = make_workspace("strangers")
    folder = workspace.folder
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "half.jsonl").write_text('{"text": "a \\ud800 b"}\n')
    (folder / "latin.txt").write_bytes(b"a caf\xe9\n")
    (folder / "blank.txt").write_text("  \n\n")
    (folder / "long.txt").write_text("x" * 100_000)
    (folder / "deep.jsonl").write_text("[" * 100_000)
    root = folder / "root"
    root.mkdir()
    noise().save(folder / "outside.png")
    (root / "link.png").symlink_to("../outside.png")
    (root / "up").symlink_to("..")
    (root / "inner.yaml").write_text("identities: {a: ../outside.png}\n")
    (folder / "other.yaml").write_text(JOBS)
    return workspace


def refused(workspace, path: Path, case: Case, *arguments: object) -> None:
    path.write_bytes(case.make.encode())
    began = time.monotonic()
    ran = workspace.standin("validate", path, *arguments)
    assert time.monotonic() - began < LIMIT
    assert ran.returncode == 2 and "Traceback" not in ran.stderr, ran.stderr
    assert case.said in ran.stderr.replace("\n", " ")
    assert "\x1b" not in ran.stderr
    assert not (workspace.folder / "PWNED").exists()


@pytest.mark.parametrize("case", MANIFESTS, ids=lambda case: case.what)
def test_a_strangers_manifest_is_refused_at_its_line(strangers, case):
    refused(strangers, strangers.folder / "bad.yaml", case)


@pytest.mark.parametrize("case", CONFINED, ids=lambda case: case.what)
def test_nothing_outside_of_the_input_root_is_read(strangers, case):
    root = strangers.folder / "root"
    refused(strangers, root / "bad.yaml", case, "--input-root", root)


@pytest.mark.parametrize("path", ["/dev/zero", "pipe"])
def test_a_manifest_without_end_ends(strangers, path):
    if path == "pipe":
        subprocess.Popen(["sh", "-c", "yes > pipe"], cwd=strangers.folder, stderr=subprocess.DEVNULL)
    ran = strangers.standin("validate", path)
    assert ran.returncode == 2
    assert "larger than 16 MiB" in ran.stderr


# --- the page

TABLES: tuple[tuple[str, int, tuple[Case, ...]], ...] = (
    ("Pictures", 1, PICTURES),
    ("Videos", 2, VIDEOS),
    ("LoRAs", 3, LORAS),
    ("Adapters (the Stand-In checkpoint)", 3, ADAPTERS),
    ("Prompts", 1, PROMPTS),
    ("Manifests and prompt files", 2, MANIFESTS),
    ("With `--input-root DIR`", 2, CONFINED),
)


def rendered() -> str:
    """The tables of the page."""
    parts = []
    for title, code, cases in TABLES:
        rows = "".join(f"| {case.what}{_as(case)} | {code if case.said else 0} | {_gives(case)} |\n" for case in cases)
        parts.append(f"## {title}\n\n| input | exit code | what it gives |\n| --- | --- | --- |\n{rows}")
    names = ", ".join(f"`{name[:20].encode('unicode_escape').decode()}`".replace("`$(ls)`", "$(ls)") for name in NAMES)
    told = f"Pictures, videos and LoRAs of these names are used as others are: {names}."
    return "\n".join([*parts, f"## Names of files\n\n{told}\n"])


def _gives(case: Case) -> str:
    return f"“… {case.said} …”" if case.said else "it is used"


def _as(case: Case) -> str:
    return f" (`{case.used_as}`)" if case.used_as else ""


def test_the_page_has_every_case(docs):
    page = (docs / "bad-input.md").read_text(encoding="utf-8")
    assert page.endswith(rendered()), "python tests/e2e/test_bad_input.py prints its tables anew"


if __name__ == "__main__":
    print(rendered(), end="")

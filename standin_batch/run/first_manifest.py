"""The first manifest of somebody who has photographs and prompts: what it says, found out; then written and checked."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from standin_batch.errors import UsageError
from standin_batch.files import replace_atomic
from standin_batch.manifest import Manifest, load_manifest
from standin_batch.manifest.kinds import NAME, NAME_RULE
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.prompt_files import read_prompts
from standin_batch.manifest.source import Source
from standin_batch.manifest.starter import Look, Picture, PromptsFile, Starter, starter_text
from standin_batch.manifest.starter_names import distinct, name_of, prompt_name
from standin_batch.output.store import OutputError
from standin_batch.plan.estimate import Device
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import Extent, fits, peak
from standin_batch.run.photographs import Photograph
from standin_batch.weights.registry import ROWS, row

SMALL, LARGE = "tiny", "wan2.1-t2v-14b"
"""What is proposed without and with a GPU that holds the larger one's largest part."""

MAX_WRITTEN = 12
"""Prompts that are written into the manifest; of more it names the file."""

EXAMPLES = {
    "desk": "A person sits comfortably at a desk, facing the camera as if talking to a friend.",
    "wave": "一个人举起双手，对着镜头微笑。",
}

_RANGE = re.compile(r"(\d{1,15})\s*\.\.\s*(\d{1,15})")
_NUMBERS = re.compile(r"\[?\s*(\d{1,15}(?:\s*,\s*\d{1,15})*)\s*,?\s*\]?")


@dataclass(frozen=True)
class Wish:
    """What somebody asks for.

    Attributes:
        path: of the manifest.
        model: row of the registry.
        name: of the manifest; None for that of the photographs' folder.
        prompts: a file of prompts; None for two examples.
        field: the column or key that holds them.
        seeds: as `seeds_of` takes them.
    """

    path: Path
    model: str
    name: str | None = None
    prompts: Path | None = None
    field: str | None = None
    seeds: str = "0..1"


def fitting_model(device: Device) -> str:
    """The model to propose: the large one where a GPU holds the part of it that is at work."""
    needed = peak(Extent.usual(ROWS[LARGE]), Profile.OFFLOAD)
    return LARGE if device.memory_bytes is not None and fits(needed, device.memory_bytes) else SMALL


def starter_of(wish: Wish, photographs: Sequence[Photograph], look: Look) -> Starter:
    """What the manifest says.

    Args:
        wish: what is asked for.
        photographs: at least one, in the order of the manifest.
        look: how it was found out who has a face.

    Raises:
        UsageError: if a name, a model or the seeds are wrong.
        ManifestError: if the prompts cannot be read.
    """
    seeds, seed_count = seeds_of(wish.seeds)
    return Starter(
        path="".join(char if char.isprintable() else "?" for char in shlex.quote(str(wish.path))),
        name=_name(wish, photographs),
        model=row(wish.model).name,
        pictures=_pictures(wish, photographs),
        look=look,
        prompts=dict(EXAMPLES) if wish.prompts is None else prompts_of(wish.prompts, wish.field, wish.path),
        seeds=seeds,
        seed_count=seed_count,
    )


def write_starter(starter: Starter, path: Path) -> Manifest:
    """Write the manifest to `path` once it has been read back: it is there and right, or not there.

    Raises:
        ManifestError: if it is not right after all: a picture has gone meanwhile.
        OutputError: if it cannot be written.
    """
    try:
        with replace_atomic(path) as temporary:
            temporary.write_text(starter_text(starter), encoding="utf-8")
            return load_manifest(temporary)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}", "name another place with --output") from error


def seeds_of(text: str) -> tuple[str, int]:
    """Seeds as a matrix writes them, and how many they are: from `0..3`, `7` or `1, 5, 9`.

    Raises:
        UsageError: if they are none.
    """
    if (bounds := _RANGE.fullmatch(text.strip())) and int(bounds[1]) <= int(bounds[2]):
        first, last = int(bounds[1]), int(bounds[2])
        return f"{first}..{last}", last - first + 1
    if numbers := _NUMBERS.fullmatch(text.strip()):
        seeds = list(dict.fromkeys(int(number) for number in numbers[1].split(",")))
        return str(seeds), len(seeds)
    raise UsageError(f"--seeds: {text!r} are no seeds", "for example 0..3, 7, or 1,5,9")


def prompts_of(path: Path, field: str | None, manifest: Path) -> dict[str, str] | PromptsFile:
    """The prompts of a file: themselves, by name, if they are few, or where they are.

    Raises:
        ManifestError: naming each line that holds no prompt.
    """
    problems, here = Problems(), Source(f"--prompts {path}", Path.cwd(), "", numbered=False).mark()
    found = read_prompts(path, str(path), field, "prompt", problems, here)
    problems.raise_errors()
    texts = list(dict.fromkeys(prompt.text for prompt in found))
    if len(found) > MAX_WRITTEN:
        name = name_of(path.stem) or "prompts"
        return PromptsFile(name, written(path, manifest), field or "", len(found))
    return dict(zip(distinct(map(prompt_name, texts), "prompt"), texts, strict=True))


def written(path: Path, manifest: Path) -> str:
    """`path` as a manifest writes it: relative to itself, unless only the root of all folders is above both."""
    file, folder = os.path.abspath(path), os.path.dirname(os.path.abspath(manifest))  # noqa: PTH100, PTH120 - no links
    if os.path.commonpath((file, folder)) == os.path.sep:
        return file
    relative = os.path.relpath(file, folder)
    # What begins so would be taken for somebody's home, or with a colon in it for a URL.
    return f"./{relative}" if relative.startswith("~") or ":" in relative.split("/")[0] else relative


def _name(wish: Wish, photographs: Sequence[Photograph]) -> str:
    if wish.name is None:
        return name_of(Path(os.path.abspath(photographs[0].path)).parent.name) or "videos"  # noqa: PTH100
    if not NAME.match(wish.name):
        raise UsageError(f"--name: {wish.name!r} is no name", NAME_RULE)
    return wish.name


def _pictures(wish: Wish, photographs: Sequence[Photograph]) -> tuple[Picture, ...]:
    names = distinct((name_of(photograph.path.stem) for photograph in photographs), "photo")
    return tuple(
        Picture(name, written(photograph.path, wish.path), "subject" if photograph.has_face is False else "face")
        for name, photograph in zip(names, photographs, strict=True)
    )

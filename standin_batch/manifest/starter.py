"""The starter manifest: what `standin init` writes, as text. Short, in order of use, and explained where it stands.

What goes into it is found elsewhere; here nothing is read or looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from standin_batch.manifest.starter_yaml import commented, entry, listed, scalar
from standin_batch.weights.registry import ROWS, ModelRow

Lines = Iterator[tuple[str, str]]
"""Lines of YAML, each with its comment."""

TINY_FPS = 8
"""Of the tiny model's nine frames: a second, which can be seen."""


class Look(str, Enum):
    """How it was found out who has a face."""

    DETECTOR = "detector"
    TINY = "tiny"
    NO_MODELS = "no models"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Picture:
    """An identity, from one picture.

    Attributes:
        name: of the identity.
        image: the file, as the manifest writes it.
        kind: `subject` where no face was found.
    """

    name: str
    image: str
    kind: Literal["face", "subject"] = "face"


@dataclass(frozen=True)
class PromptsFile:
    """A file of many prompts.

    Attributes:
        name: of all of them.
        file: as the manifest writes it.
        field: the column or key that holds them; empty for what is read unless said.
        total: how many they are.
    """

    name: str
    file: str
    field: str
    total: int


@dataclass(frozen=True)
class Starter:
    """What a starter manifest says.

    Attributes:
        path: the manifest as commands name it, in one line.
        name: of the manifest.
        model: row of the registry.
        pictures: who or what to keep.
        look: how their kinds were found out.
        prompts: names and texts, or the file of them.
        seeds: as YAML has them: `0..1`, `[3]`.
        seed_count: how many those are.
    """

    path: str
    name: str
    model: str
    pictures: tuple[Picture, ...]
    look: Look
    prompts: dict[str, str] | PromptsFile
    seeds: str
    seed_count: int

    @property
    def prompt_count(self) -> int:
        """How many prompts there are."""
        return self.prompts.total if isinstance(self.prompts, PromptsFile) else len(self.prompts)

    @property
    def total(self) -> int:
        """How many videos it asks for."""
        return len(self.pictures) * self.prompt_count * self.seed_count


def starter_text(starter: Starter) -> str:
    """The manifest."""
    row = ROWS[starter.model]
    parts = (
        _head(starter),
        _model(starter, row),
        _defaults(row),
        _identities(starter),
        _prompts(starter),
        _loras(),
        _checks(),
        _jobs(starter),
        _more_jobs(starter),
    )
    return "\n\n".join("\n".join(commented(part)) for part in parts) + "\n"


def commands(starter: Starter) -> dict[str, str]:
    """What to call next, in order, each with what it does."""
    fetch = {f"standin weights download {starter.path}": "once: the weights that are not here yet"}
    return {
        **(fetch if ROWS[starter.model].is_downloaded else {}),
        f"standin validate {starter.path} --faces": "finds mistakes, and looks at every photograph",
        f"standin plan {starter.path}": "how many videos, and what they take",
        f"standin run {starter.path}": "makes what is not made yet; stop it whenever you like",
    }


def _head(starter: Starter) -> Lines:
    found = commands(starter)
    width = max(map(len, found))
    yield f"# {starter.total:,} videos, and how to come by them:", ""
    yield "#", ""
    for command, about in found.items():
        yield f"#   {command.ljust(width)}   {about}", ""
    yield "#", ""
    yield "# Take out a `# ` before a key to use it. Every key is explained in docs/manifest.md.", ""


def _model(starter: Starter, row: ModelRow) -> Lines:
    made_here = row.generator is not None
    about = "random weights, on any CPU: to see that all runs" if made_here else row.summary
    yield "version: 1", ""
    yield f"name: {scalar(starter.name)}", f"the videos go to outputs/{starter.name}"
    yield f"model: {starter.model}", about
    if made_here:
        yield "# model: wan2.1-t2v-14b", "for real videos: then take out the sizes below"
    yield "", ""
    yield "# output:", ""
    yield "#   folder: /data/videos", "anywhere else than outputs/NAME"
    yield "#   quality: 9", "from 1 to 10"
    yield "#   lossless: true", "for comparisons and further work; large"


def _defaults(row: ModelRow) -> Lines:
    values = row.defaults
    fps = TINY_FPS if row.generator is not None else values["fps"]
    yield "defaults:", "any key of a job; a job's own win"
    yield f"  width: {values['width']}", "multiples of 16"
    yield f"  height: {values['height']}", ""
    yield f"  num_frames: {values['num_frames']}", "4n + 1"
    yield f"  fps: {fps:g}", ""
    yield f"  num_inference_steps: {values['num_inference_steps']}", "fewer are faster, and rougher"
    yield "  # negative_prompt: blurred, cartoon", "what should not be seen, in place of the model's own"


LOOKS = {
    Look.DETECTOR: "Where no face was found, a picture is taken as it is: take out `kind` if it shows a person.",
    Look.TINY: "The tiny model knows one face, the quick start's; all else it takes as it is. With another model,\n"
    "# take out `kind` where a person is shown: then the face is found, and cut out.",
    Look.NO_MODELS: "There were no face models to look with, so each is taken as a face. For animals and things write\n"
    "# `{image: photos/cat.jpg, kind: subject}`; `standin weights download` brings the models.",
    Look.NOT_ASKED: "Each is taken as a face. For animals and things: `{image: photos/cat.jpg, kind: subject}`.",
}


def _identities(starter: Starter) -> Lines:
    nobody_looked = starter.look in (Look.NO_MODELS, Look.NOT_ASKED)
    if nobody_looked or any(picture.kind == "subject" for picture in starter.pictures):
        yield f"# {LOOKS[starter.look]}", ""
    yield "identities:", "who or what to keep, from one picture each"
    for picture in starter.pictures:
        name = scalar(picture.name)
        if picture.kind == "face":
            yield f"  {name}: {scalar(picture.image)}", ""
        else:
            yield f"  {name}: {{image: {scalar(picture.image, flow=True)}, kind: subject}}", "no face found"


def _prompts(starter: Starter) -> Lines:
    yield "prompts:", "Chinese or English; best with the face in front from the first frame on"
    if isinstance(starter.prompts, PromptsFile):
        found = starter.prompts
        column = f", field: {scalar(found.field, flow=True)}" if found.field else ""
        about = f"{found.total:,} prompts, one for each line or row"
        yield f"  {scalar(found.name)}: {{file: {scalar(found.file, flow=True)}{column}}}", about
        return
    for name, text in starter.prompts.items():
        yield entry(name, text), ""


def _loras() -> Lines:
    yield "# loras:", "styles and the like; any number at once"
    yield "#   ghibli: {path: loras/ghibli.safetensors, scale: 0.8}", ""


def _checks() -> Lines:
    yield "# faces:", "what `--faces` objects to in a photograph"
    yield "#   min_side: 128", "pixels of the face"
    yield "#   max_yaw: 30", "degrees that it is turned to a side"


def _jobs(starter: Starter) -> Lines:
    names = [starter.prompts.name] if isinstance(starter.prompts, PromptsFile) else list(starter.prompts)
    numbers = (len(starter.pictures), starter.prompt_count, starter.seed_count)
    product = " x ".join(f"{number:,}" for number in numbers)
    yield "jobs:", ""
    yield "  - name: portraits", ""
    yield "    mode: t2v", "text to video"
    yield "    matrix:", f"every combination: {product} = {starter.total:,} videos"
    yield listed("identity", [picture.name for picture in starter.pictures], 6), ""
    yield listed("prompt", names, 6), ""
    yield f"      seed: {starter.seeds}", "another seed, another take"
    yield "      # loras: [[], [ghibli]]", "without, and with"
    yield "    # accept:", "clips that miss it are made again, with another seed"
    yield '    #   face_similarity: ">= 0.5"', "to the photograph, from -1 to 1"
    yield "    #   max_reseeds: 3", ""


def _more_jobs(starter: Starter) -> Lines:
    name = scalar(starter.pictures[0].name, flow=True)
    first = starter.prompts.name if isinstance(starter.prompts, PromptsFile) else next(iter(starter.prompts))
    prompt = scalar(first, flow=True)
    yield "  # Somebody moves as a video shows it: a stick figure, depth or edges. Its size, length and rate count.", ""
    yield "  # - name: control", ""
    yield "  #   mode: vace", ""
    yield f"  #   identity: {name}", ""
    yield f"  #   prompt: {prompt}", ""
    yield "  #   reference_video: clips/pose.mp4", ""
    yield "  #   preprocess: canny", "for a raw video, whose edges are drawn"
    yield "", ""
    yield "  # A face in place of another one in a video; its sound stays.", ""
    yield "  # - name: swap", ""
    yield "  #   mode: face_swap", ""
    yield f"  #   identity: {name}", ""
    yield f"  #   prompt: {prompt}", ""
    yield "  #   input_video: clips/anchor.mp4", ""

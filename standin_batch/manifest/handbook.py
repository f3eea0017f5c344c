"""`docs/manifest.md`, made from the schema: a line for each key, with what it takes, its default and an example.

What is true of several keys together (merging, matrices, variables) is the text that the tables stand in.
"""

from __future__ import annotations

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from standin_batch.manifest.checking import make_key
from standin_batch.manifest.job_keys import CommonKeys, Job, MatrixKeys, keys_of
from standin_batch.manifest.schema import ManifestFile
from standin_batch.manifest.sections import (
    Accept,
    CfgScale,
    FacesSection,
    IdentityEntry,
    LoraEntry,
    OutputSection,
    PromptEntry,
    RunSection,
    ScoresSection,
    VideoEntry,
)
from standin_batch.manifest.speed_keys import SpeedSection, TurboEntry
from standin_batch.manifest.template import TEMPLATE_FIELDS
from standin_batch.modes import MODES
from standin_batch.weights.registry import ROWS

_HEAD = """\
# The manifest

<!-- Made by `python -m standin_batch.manifest.json_schema`; edit the descriptions in `standin_batch/manifest/`. -->

A manifest is a YAML file that says which videos to make. `standin validate` tells every mistake in it at once, with
line, column and what is allowed. For completion and explanations in an editor, begin it with

```yaml
# yaml-language-server: $schema=./manifest.schema.json
```

The smallest one makes one video on the tiny model:

```yaml
version: 1
jobs:
  - {mode: t2v, prompt: A man sits at a desk.}
```

Unknown keys are errors. `no`, `on` and dates are text; only `true` and `false` are booleans.
"""

_LAYERS = """\
## What wins

The model's recommendations < `defaults` < the job < its `matrix` < `--set`. Mappings (`cfg_scale`, `accept`, `speed`)
merge; lists replace. `null` takes back an identity, a condition, a file or a speed-up that the defaults give.

## Matrix

A matrix is a product over any keys of a job: the first key changes slowest. `0..3` is 0, 1, 2 and 3, also inside of a
list. `exclude` leaves out the combinations that match all keys of one of its items; then `include` adds whole
combinations. A prompt that stands for a file of prompts counts as all of them. A matrix in `defaults` holds for every
job, over those keys that the job does not write itself.

```yaml
matrix:
  identity: [lecun, skater]
  seed: [0..3, 100]
  loras: [[], [ghibli], [{ghibli: 0.6}]]
  exclude:
    - {identity: skater, loras: [ghibli]}
  include:
    - {identity: lecun, seed: 7, num_inference_steps: 40}
```
"""

_REFERENCES = """\
## Names and files

`identity`, `loras`, `prompt` and videos name an entry, or give the thing in place: a file, or a mapping as the entry
would be. Names are made of letters, digits, `_`, `-` and `.`. Paths are relative to the file that wrote them; URLs are
errors. `standin run --input-root DIR` allows only inputs below DIR.

A prompt of only letters, digits, `_`, `-` and `.` is taken as a name; `{text: hello}` says that it is a text.

## Prompt files

A `.jsonl` file has an object (or a text) on each line, a `.csv` or `.tsv` file a header and a row for each prompt, any
other file a prompt on each line. Hundreds of thousands are fine. Nothing is put in for `${…}` there. In file names the
prompts are called by the entry and the line: `captions-000123`.

## Videos

Where a video sets size and length, its frames are cut in the middle to multiples of 16 pixels, and its end to 4n+1
frames: 253 x 171 with 18 frames becomes 240 x 160 with 17. `max_pixels` scales it down first, `max_frames` cuts it. A
`width` or `height` on the job itself scales it to cover that size and cuts the middle; of one side alone the other
follows. An `fps` on the job samples it at that rate: it stays as fast as it was. Turned by its own metadata, of a
constant rate, with square pixels: so it is taken.

## Variables

`${NAME}` in a value is replaced from the environment, after the YAML is read, so a value cannot change the structure.
Unset is an error; `$${` is a literal `${`. Inside of brackets write it in quotes: `[\"${NAME}\"]`.

## Include

`include: [common.yaml]` reads further files: their jobs come first; elsewhere the including file wins, entry by entry.

## From the command line

`--set jobs.portraits.seed=3` sets a key of a job, or replaces its axis in the matrix; `--set output.quality=5` and
`--set defaults.num_inference_steps=4` any other. Of names with dots the longest that matches is taken.
"""


ACCEPT = """A condition is a comparison and a number: `">= 0.55"`; a clip has to meet all of them. While it misses one,
it is made again with another seed. A score that a clip cannot have, such as `face_similarity` without a person, is no
hindrance. [The page on scores](scores.md) has the rules."""

SPEED = """[The page on speed](speed.md) says what each costs. A job's options are laid over those of `defaults`;
`speed: null` takes them all back. `turbo` stands for `num_inference_steps`, `cfg_scale` and `sigma_shift`: those of
`defaults` give way to it, and on the job itself another value is a mistake. `fp8` and `sage` need bfloat16; `cache` and
`turbo` do not go together."""

_SHORT_FILE = "Short form: the file alone, `name: folder/file`."


def handbook() -> str:
    """The text of `docs/manifest.md`."""
    fields = ", ".join(f"`{{{name}}}`" for name in TEMPLATE_FIELDS)
    parts = [
        _HEAD,
        _section("Top level", ManifestFile, ""),
        _section("`output`", OutputSection, f"Fields of `template`: {fields}."),
        _section("`run`", RunSection, ""),
        _section("`scores`", ScoresSection, ""),
        _section("`faces`", FacesSection, "[preflight.md](preflight.md) says how each is measured."),
        _section("Entries of `identities`", IdentityEntry, "Short form: the image alone, `ruonan: faces/ruonan.jpg`."),
        _section("Entries of `loras`", LoraEntry, _SHORT_FILE),
        _section("Entries of `videos`", VideoEntry, _SHORT_FILE),
        _section("Entries of `prompts`", PromptEntry, "Short form: the text alone, `desk: A man sits at a desk.`"),
        _section("Keys of a job", CommonKeys, "All but `name` may also stand in `defaults` and in a matrix.", Job),
        *(_section(f"Keys of `mode: {mode.name}`", keys_of(mode), _sentence(mode.summary)) for mode in MODES.values()),
        _section("`cfg_scale` for two experts", CfgScale, "One may be left out; it keeps the value from below."),
        _section("`accept`", Accept, ACCEPT),
        _section("`speed`", SpeedSection, SPEED),
        _section("`speed.turbo`", TurboEntry, "Short form: the LoRA alone, `turbo: lightx2v`."),
        _section("`matrix`", MatrixKeys, "And any key of a job but `name`, with a list of values."),
        _models(),
        _LAYERS,
        _REFERENCES,
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _section(title: str, model: type[BaseModel], intro: str, declared: type[BaseModel] | None = None) -> str:
    """A table of the keys of `model`, described as `declared` has them."""
    fields = {name: (declared or model).model_fields[name] for name in model.model_fields}
    if model is CommonKeys:
        fields["matrix"] = Job.model_fields["matrix"]
    lines = [f"## {title}", "", *([intro, ""] if intro else [])]
    if fields:
        lines += ["| key | takes | unless said | what it is | example |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(name, field) for name, field in fields.items()]
    return "\n".join(lines)


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else "" if field.default in (None, "") else f"`{_yaml(field.default)}`"
    described = " ".join((field.description or "").split())
    example = f"`{_yaml({name: (field.examples or [''])[0]}, braces=False)}`"
    cells = (f"`{name}`", make_key(name, field).takes, default, described, example)
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


def _models() -> str:
    """What each model recommends."""
    keys = [key for key in next(iter(ROWS.values())).defaults if key != "negative_prompt"]
    lines = ["## What the models recommend", "", f"| key | {' | '.join(f'`{name}`' for name in ROWS)} |"]
    lines.append("| --- |" + " --- |" * len(ROWS))
    lines += [f"| `{key}` | {' | '.join(_plain(row.defaults[key]) for row in ROWS.values())} |" for key in keys]
    without = [f"`{name}`" for name, row in ROWS.items() if not row.defaults["negative_prompt"]]
    negative = next(iter(ROWS.values())).defaults["negative_prompt"]
    told = f"The `negative_prompt` of {' and '.join(without)} is empty, that of all others Wan's own: {negative}"
    return "\n".join([*lines, "", told])


def _plain(value: object) -> str:
    return " / ".join(map(str, value)) if isinstance(value, tuple) else _yaml(value)


def _yaml(value: object, braces: bool = True) -> str:
    """`value` as one would write it on one line of a manifest."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    text = text.strip().removesuffix("...").strip()
    return text if braces else text[1:-1]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."

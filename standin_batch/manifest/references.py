"""What names stand for: entries of the manifest's tables, or a thing written in place of its name.

An entry that is itself wrong stays known by its name, so that one mistake is told once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from standin_batch.manifest.checking import INVALID, Checked, check_entries, key_of, known_entries
from standin_batch.manifest.include import shown_path
from standin_batch.manifest.kinds import MAX_NAME, NAME, NAME_RULE
from standin_batch.manifest.manifest import ALL_EXPERTS, Identity, Lora, Prompt, Video
from standin_batch.manifest.paths import InputFiles
from standin_batch.manifest.problems import Problems
from standin_batch.manifest.prompt_files import read_prompts, too_long
from standin_batch.manifest.sections import IdentityEntry, LoraEntry, PromptEntry, VideoEntry
from standin_batch.manifest.source import Mark, Node
from standin_batch.manifest.speed_keys import TURBO_SHIFT, TURBO_STEPS, TurboEntry
from standin_batch.manifest.turbo import Turbo
from standin_batch.manifest.words import clip, did_you_mean, show

EXPERTS = ("high_noise", "low_noise")
SLUG_LENGTH = 40

Make = Callable[[str, Node], Checked]
"""What an entry, called by a name, stands for; INVALID after a problem."""


@dataclass(frozen=True)
class Table:
    """A section of named entries, and what they stand for."""

    section: str
    what: str
    entries: Mapping[str, Any]


class References:
    """The tables of a manifest, and how keys refer to them."""

    def __init__(self, tree: Node, files: InputFiles, problems: Problems) -> None:
        self._files = files
        self._problems = problems
        self._texts: dict[tuple[Path, str | None, str], tuple[Prompt, ...]] = {}
        self.identities = self._table(tree, "identities", "identity", self._identity)
        self.videos = self._table(tree, "videos", "video", self._video)
        self.loras = self._table(tree, "loras", "LoRA", self._lora)
        self.prompts = self._table(tree, "prompts", "prompt", self._prompts)

    def identity(self, node: Node) -> Checked:
        """The identity that a job's `identity` means; None for nobody."""
        if node.value is None:
            return None
        return self._referred(node, self.identities, "identity", self._identity)

    def video(self, node: Node, key: str) -> Checked:
        """The video that `input_video` and the like mean; None for none."""
        if node.value is None:
            return None
        return self._referred(node, self.videos, key, self._video)

    def image(self, node: Node, key: str) -> Checked:
        """The image file that `reference_image` and the like mean; None for none."""
        if node.value is None:
            return None
        if not isinstance(node.value, str):
            wrong = f"`{key}` must be a file, not {show(node.value)}"
            return self._wrong(node.mark, wrong, f"for example `{key}: faces/frame.png`")
        return self._files.find(node.value, node.mark, "the image")

    def prompt(self, node: Node) -> Checked:
        """The prompts that a job's `prompt` means: one, or all of a file."""
        if node.is_map:
            return self._prompts("", node)
        if not isinstance(node.value, str) or not node.value.strip():
            hint = "several prompts go below `matrix:`" if node.is_list else "put a text in quotes"
            return self._wrong(node.mark, f"`prompt` must be a name or a text, not {show(node.value)}", hint)
        if node.value in self.prompts.entries:
            return self.prompts.entries[node.value]
        if not NAME_LIKE.match(node.value):
            return self._literal("", node.value, node.mark)
        return self._wrong(node.mark, f"there is no prompt `{clip(node.value)}`", self._prompt_hint(node.value))

    def _prompt_hint(self, text: str) -> str:
        literal = f"write `{{text: {clip(text)}}}` if it is the text itself"
        if self._problems.full:
            return literal
        near = did_you_mean(text, self.prompts.entries, "prompts are")
        return f"{near} Or {literal}" if near.endswith("?") else f"{near}; {literal}" if near else literal

    def loras_of(self, node: Node) -> Checked:
        """The LoRAs that a job's `loras` means, in the order of writing."""
        if not node.is_list:
            hint = f"write `[{clip(node.value)}]`" if isinstance(node.value, str) else "for example `loras: [ghibli]`"
            return self._wrong(node.mark, f"`loras` must be a list, not {show(node.data())}", hint)
        found = [self._lora_item(item) for item in node.items]
        return INVALID if any(lora is INVALID for lora in found) else tuple(found)

    def turbo(self, node: Node) -> Checked:
        """The turbo that a job's `speed.turbo` means; None for none."""
        if node.value is None:
            return None
        if not node.is_map:
            lora = self._lora_item(node)
            return lora if lora is INVALID else Turbo(lora, TURBO_STEPS, TURBO_SHIFT)
        before = self._problems.count
        entries = known_entries(node, TurboEntry.model_fields, self._problems, "`turbo`")
        if "lora" not in entries:
            return self._wrong(node.mark, "`turbo` has no `lora`", "for example `turbo: {lora: lightx2v}`")
        lora = self._lora_item(entries.pop("lora"))
        said = {key: key_of(TurboEntry, key).check(child, self._problems) for key, child in entries.items()}
        if lora is INVALID or self._problems.count > before:
            return INVALID
        lora = replace(lora, scale=said.pop("scale", lora.scale))
        return Turbo(lora, said.get("num_inference_steps", TURBO_STEPS), said.get("sigma_shift", TURBO_SHIFT))

    def _table(self, tree: Node, section: str, what: str, make: Make) -> Table:
        node = tree.entries.get(section)
        entries = node.entries if node is not None else {}
        for name in entries:
            if node is not None and (not NAME.match(name) or len(name) > MAX_NAME):
                self._problems.add(node.key_mark(name).problem(f"'{clip(name)}' is no name", NAME_RULE))
        return Table(section, what, {name: make(name, entry) for name, entry in entries.items()})

    def _referred(self, node: Node, table: Table, key: str, make: Make) -> Checked:
        """The entry that `node` names, or the thing written there."""
        if node.is_map:
            return make("", node)
        if not isinstance(node.value, str):
            hint = "several go below `matrix:`" if node.is_list else "put the name in quotes"
            return self._wrong(node.mark, f"`{key}` must be a name or a file, not {show(node.value)}", hint)
        return self._named(node.value, node, table, make)

    def _named(self, text: str, node: Node, table: Table, make: Make) -> Checked:
        if text in table.entries:
            return table.entries[text]
        near = "" if self._problems.full else did_you_mean(text, table.entries, f"{table.section} are")
        is_file = "." in text and (not near.endswith("?") or self._files.exists(text, node.mark))
        if is_file or not NAME.match(text):
            return make("", replace(node, value=text))
        what = f"{table.what} or file" if "." in text else table.what
        hint = near or f"add it to `{table.section}:`, or name a file"
        return self._wrong(node.mark, f"there is no {what} `{clip(text)}`", hint)

    def _identity(self, name: str, node: Node) -> Checked:
        entry = self._entry(IdentityEntry, node, "image", f"the identity {_called(name)}")
        if entry is INVALID:
            return INVALID
        path = self._files.find(entry["image"], _mark(node, "image"), "the image")
        return path if path is INVALID else Identity(**{**entry, "name": name or _stem(path), "image": path})

    def _video(self, name: str, node: Node) -> Checked:
        entry = self._entry(VideoEntry, node, "path", f"the video {_called(name)}")
        if entry is INVALID:
            return INVALID
        path = self._files.find(entry["path"], _mark(node, "path"), "the video")
        return path if path is INVALID else Video(name or _stem(path), path)

    def _lora(self, name: str, node: Node) -> Checked:
        entry = self._entry(LoraEntry, node, "path", f"the LoRA {_called(name)}")
        if entry is INVALID:
            return INVALID
        keys = [key for key in ("path", *EXPERTS) if key in entry]
        if not keys or (len(keys) > 1 and "path" in keys):
            wrong = "names no file" if not keys else "names a `path` and a file per expert"
            return self._wrong(
                node.mark, f"the LoRA {_called(name)} {wrong}", "write `path:`, or `high_noise:` and `low_noise:`"
            )
        paths = {key: self._files.find(entry[key], _mark(node, key), "the LoRA") for key in keys}
        if any(path is INVALID for path in paths.values()):
            return INVALID
        files = {ALL_EXPERTS if key == "path" else key: path for key, path in paths.items()}
        return Lora(name or _stem(next(iter(files.values()))), files, entry.get("scale", 1.0))

    def _lora_item(self, node: Node) -> Checked:
        if isinstance(node.value, str):
            return self._named(node.value, node, self.loras, self._lora)
        if not node.is_map:
            return self._wrong(
                node.mark, f"a LoRA must be a name, not {show(node.value)}", "for example `ghibli` or `{ghibli: 0.6}`"
            )
        if node.entries.keys() & LoraEntry.model_fields.keys():
            return self._lora("", node)
        if len(node.entries) != 1:
            return self._wrong(
                node.mark,
                "a LoRA with a scale is one name and one number",
                "for example `[{ghibli: 0.6}, {turbo: 0.8}]`",
            )
        (name, scale), *_ = node.entries.items()
        lora = self._named(name, replace(node, mark=node.key_mark(name), value=name), self.loras, self._lora)
        number = key_of(LoraEntry, "scale").check(scale, self._problems)
        return INVALID if INVALID in (lora, number) else replace(lora, scale=number)

    def _prompts(self, name: str, node: Node) -> Checked:
        entry = self._entry(PromptEntry, node, "text", f"the prompt {_called(name)}")
        if entry is INVALID:
            return INVALID
        if ("text" in entry) == ("file" in entry):
            said = "both a `text` and a `file`" if "text" in entry else "neither a `text` nor a `file`"
            return self._wrong(
                node.mark, f"the prompt {_called(name)} has {said}".replace("  ", " "), "give one of them"
            )
        if "text" in entry:
            return self._text(name, entry, node)
        path = self._files.find(entry["file"], _mark(node, "file"), "the prompt file")
        if path is INVALID:
            return INVALID
        return self._from_file(path, entry.get("field"), name or _stem(path), _mark(node, "file"), entry["file"])

    def _text(self, name: str, entry: Mapping[str, Any], node: Node) -> Checked:
        if "field" in entry:
            return self._wrong(
                node.key_mark("field"), "`field` is for a file of prompts", "remove it, or name a `file`"
            )
        if not entry["text"].strip():
            return self._wrong(
                _mark(node, "text"), f"the prompt {_called(name)} is empty", "write what happens in the video"
            )
        return self._literal(name, entry["text"], _mark(node, "text"))

    def _literal(self, name: str, text: str, mark: Mark) -> Checked:
        if long := too_long(text.strip()):
            return self._wrong(mark, f"a prompt of {long}", "the model reads the first 512 tokens: shorten it")
        return (Prompt(name or slug(text), text.strip()),)

    def _from_file(self, path: Path, field: str | None, label: str, mark: Mark, written: str) -> Checked:
        if (path, field, label) not in self._texts:
            shown = shown_path(mark.source.name, written)
            self._texts[path, field, label] = read_prompts(path, shown, field, label, self._problems, mark)
        return self._texts[path, field, label] or INVALID

    def _entry(self, model: type[BaseModel], node: Node, short: str, what: str) -> Checked:
        """The values of an entry, the short form written out; INVALID if one of them is wrong."""
        if node.value is None:
            return self._wrong(node.mark, f"{what} is empty", f"give it its `{short}`")
        if not node.is_map:
            value = key_of(model, short).check(node, self._problems)
            return value if value is INVALID else {short: value}
        before = self._problems.count
        entry = check_entries(model, node, self._problems, what)
        return entry if self._problems.count == before else INVALID

    def _wrong(self, mark: Mark, message: str, hint: str = "") -> Checked:
        self._problems.add(mark.problem(message, hint))
        return INVALID


NAME_LIKE = re.compile(r"[A-Za-z0-9_.-]+\Z")
"""A prompt of only these is a name."""


def slug(text: str) -> str:
    """A label for a text without a name: its first words, or a digest where it has no Latin letters."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    label = ""
    for word in words:
        if len(label) + 1 + len(word) > SLUG_LENGTH:
            break
        label = f"{label}-{word}" if label else word
    if len(label) < 4 or sum(map(len, words)) * 2 < len(text.replace(" ", "")):
        return f"prompt-{hashlib.sha256(text.strip().encode()).hexdigest()[:8]}"
    return label


def _called(name: str) -> str:
    return f"`{clip(name)}`" if name else "here"


def _stem(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).strip("-.")[:MAX_NAME] or "unnamed"


def _mark(node: Node, key: str) -> Mark:
    return node.entries[key].mark if key in node.entries else node.mark

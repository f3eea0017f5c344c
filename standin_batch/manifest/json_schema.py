"""The JSON Schema of a manifest, for editors: completion, a text for each key, and a red line under a wrong one.

It takes what the loader takes, also `${VARIABLE}` and `0..3`. `python -m standin_batch.manifest.json_schema` writes it
to `manifests/manifest.schema.json`, and the handbook to `docs/manifest.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from standin_batch.files import write_atomic
from standin_batch.manifest.axes import NEVER_RANGES
from standin_batch.manifest.job_keys import JOB_KEYS, NULLABLE_KEYS, UNMATRIXED_KEYS
from standin_batch.manifest.loader import SECTIONS
from standin_batch.manifest.schema import ManifestFile
from standin_batch.manifest.speed_keys import NULLABLE_SPEED

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ANNOTATIONS = ("description", "default", "examples", "title")
_VARIABLE: Schema = {
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}",
    "description": "From the environment.",
}
_RANGE: Schema = {"type": "string", "pattern": r"^-?[0-9]+\.\.-?[0-9]+$", "description": "From and to, both included."}
_TO_VARIABLE = {"$ref": "#/$defs/Variable"}
_TO_RANGE = {"$ref": "#/$defs/Range"}


def manifest_schema() -> Schema:
    """The JSON Schema of a manifest file."""
    made = ManifestFile.model_json_schema()
    definitions = {name: _definition(name, schema) for name, schema in made.pop("$defs").items()}
    root = _object(made, nullable=SECTIONS)
    root["properties"]["version"].pop("anyOf", None)
    root["properties"]["version"]["const"] = 1
    for name in ("Defaults", "JobKeys"):
        for key in UNMATRIXED_KEYS:
            del definitions[name]["properties"][key]
    definitions["Excluded"] = _excluded(definitions["JobKeys"], definitions["Matrix"])
    definitions["Matrix"]["properties"]["exclude"]["items"] = {"$ref": "#/$defs/Excluded"}
    definitions |= {"Variable": _VARIABLE, "Range": _RANGE}
    return {"$schema": DIALECT, "title": "Stand-In manifest", **root, "$defs": dict(sorted(definitions.items()))}


def schema_text() -> str:
    """The same as the text of a file."""
    return json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"


def _definition(name: str, schema: Schema) -> Schema:
    found = _object(schema, nullable=(*NULLABLE_KEYS, *NULLABLE_SPEED))
    if name != "Matrix":
        return found
    axes = {key: _axis(key, value) for key, value in found["properties"].items() if key in JOB_KEYS}
    return {**found, "properties": {**found["properties"], **axes}}


def _object(schema: Schema, nullable: tuple[str, ...]) -> Schema:
    """The schema of a mapping, its keys without pydantic's titles and `null`."""
    kept = {key: value for key, value in schema.items() if key != "title"}
    properties = {name: _key(value, name in nullable) for name, value in schema["properties"].items()}
    return {**kept, "properties": properties}


def _key(schema: Schema, nullable: bool) -> Schema:
    """The schema of one key: what it says first, then what it takes."""
    said = {key: schema[key] for key in _ANNOTATIONS if key in schema and key != "title" and schema[key] is not None}
    takes = _takes({key: value for key, value in schema.items() if key not in _ANNOTATIONS}, nullable)
    return {**said, **(takes[0] if len(takes) == 1 else {"anyOf": takes})}


def _takes(schema: Schema, nullable: bool) -> list[Schema]:
    parts = [_inner(part) for part in _alternatives(schema) if nullable or part.get("type") != "null"]
    if any(_is_narrow(part) for part in parts) and {"type": "string"} not in parts:
        parts.append(_TO_VARIABLE)
    return parts


def _alternatives(schema: Schema) -> Iterator[Schema]:
    for part in schema.get("anyOf", (schema,)):
        if "anyOf" in part:
            yield from _alternatives(part)
        else:
            yield part


def _inner(schema: Schema) -> Schema:
    """The same for one alternative and what is inside of it, as every version of pydantic would write it."""
    dropped = {"title", "default", "propertyNames", *({"enum"} if "const" in schema else ())}
    schema = {key: _whole(value) for key, value in schema.items() if key not in dropped}
    for place in ("items", "additionalProperties"):
        if isinstance(schema.get(place), dict):
            schema[place] = _key(schema[place], nullable=False)
    if "patternProperties" in schema:
        schema["additionalProperties"] = False
    return schema


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_narrow(schema: Schema) -> bool:
    """A scalar that a text with a variable in it would not fit."""
    return schema.get("type") in ("integer", "number", "boolean") or bool({"enum", "const", "pattern"} & schema.keys())


def _axis(key: str, schema: Schema) -> Schema:
    """A list of values; of numbers also a range, alone or in the list."""
    said = {name: schema[name] for name in _ANNOTATIONS if name in schema}
    array = next(dict(part) for part in schema.get("anyOf", (schema,)) if part.get("type") == "array")
    array = {name: value for name, value in array.items() if name not in _ANNOTATIONS} | {"minItems": 1}
    values = array["items"].get("anyOf", [array["items"]])
    values = [*values, {"type": "null"}] if key in NULLABLE_KEYS else values
    if key in NEVER_RANGES or not any(part.get("type") in ("integer", "number") for part in values):
        return {**said, **array, "items": _one_of(values)}
    return {**said, "anyOf": [{**array, "items": _one_of([*values, _TO_RANGE])}, _TO_RANGE]}


def _excluded(single: Schema, matrix: Schema) -> Schema:
    """An item of `exclude`: each key with a value, several, or a range."""
    keys = {key: value for key, value in matrix["properties"].items() if key not in ("include", "exclude")}
    properties = {key: _either(single["properties"][key], several) for key, several in keys.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _either(single: Schema, several: Schema) -> Schema:
    said = {name: single[name] for name in _ANNOTATIONS if name in single}
    parts = [{name: value for name, value in part.items() if name not in _ANNOTATIONS} for part in (single, several)]
    return {**said, "anyOf": [inner for part in parts for inner in part.get("anyOf", [part])]}


def _one_of(parts: list[Schema]) -> Schema:
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def write(root: Path) -> None:
    """Write what is made from the schema below `root`, the checkout."""
    from standin_batch.manifest.handbook import handbook

    write_atomic(root / "manifests" / "manifest.schema.json", schema_text())
    write_atomic(root / "docs" / "manifest.md", handbook())


if __name__ == "__main__":
    write(Path(__file__).parents[2])

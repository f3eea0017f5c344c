"""What the list of installed packages tells: versions, and pairs that do not fit. Nothing of them is imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution, version

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from standin_batch.environment.finding import PIP, Finding, Level

PROJECT = "standin-batch"

SHOWN = ("diffsynth", "insightface", "facexlib", "huggingface_hub", "pillow-heif")
"""Libraries whose versions are shown also when all is well."""

ELSEWHERE = re.compile(r"torch|torchvision|onnxruntime(-gpu)?")
"""Libraries that have findings of their own."""


def python_finding() -> Iterator[Finding]:
    """Which Python this is."""
    yield Finding("python", Level.OK, f"{sys.version.split()[0]} on {sys.platform}")


def torchvision_pair() -> Iterator[Finding]:
    """Each torchvision is built for one torch, and says so in its metadata, at least from which one on."""
    built_for, found = requirements("torchvision").get("torch"), installed("torch")
    if built_for is None or found is None or built_for.specifier.contains(found.split("+")[0], prereleases=True):
        return
    wanted = str(built_for.specifier).replace("==", "")
    cure = f'{PIP} install --upgrade "{built_for.name}{built_for.specifier}"'
    yield Finding("torchvision", Level.ERROR, f"it is built for torch {wanted}, but torch {found} is here", cure)


def library_findings() -> Iterator[Finding]:
    """Each library that this project asks for: missing, too old, too new, or as it should be."""
    asked: dict[str, Requirement | None] = dict.fromkeys(_names_shown())
    asked.update(requirements(PROJECT))
    for name, requirement in asked.items():
        if ELSEWHERE.fullmatch(name) is None:
            yield from _library(name, requirement)


def _library(name: str, requirement: Requirement | None) -> Iterator[Finding]:
    found, specifier = installed(name), "" if requirement is None else str(requirement.specifier)
    cure = f'{PIP} install "{name}{specifier}"'
    if found is None:
        yield Finding(name, Level.ERROR, "not installed", cure)
    elif requirement is not None and not requirement.specifier.contains(found, prereleases=True):
        yield Finding(name, Level.ERROR, f"{found} is here, {specifier} is needed", cure)
    elif name in _names_shown():
        yield Finding(name, Level.OK, found)


def installed(name: str) -> str | None:
    """The version of a package; None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def requirements(name: str, extra: str = "") -> Mapping[str, Requirement]:
    """What a package asks for on this machine, or for its `extra`; nothing if it is not installed."""
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return {}
    parsed = [found for line in lines if (found := _parsed(line)) is not None]
    return {canonicalize_name(found.name): found for found in parsed if _applies(found, extra)}


def _parsed(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _applies(requirement: Requirement, extra: str) -> bool:
    """Whether a package asks for it here: always, or only with its `extra`."""
    marker = requirement.marker
    if marker is None:
        return not extra
    always = marker.evaluate({"extra": ""})
    return marker.evaluate({"extra": extra}) and not always if extra else always


def _names_shown() -> tuple[str, ...]:
    return tuple(map(canonicalize_name, SHOWN))

"""Which photographs of people are no use, and why: from what was measured to findings. Nothing is read here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from standin_batch.errors import StandinError
from standin_batch.face.checks import Cause, FaceChecks, Finding
from standin_batch.face.portrait import Likeness, Portrait
from standin_batch.face.pose import Pose

EMBEDDING = 512
"""Numbers of an embedding."""
AT_ONCE = 256
"""Embeddings that are compared with all before them at a time."""
FACE_SHARE = 5
"""Of the face itself only a fifth may be cut off of what the square around it may miss: it has hair and air, too."""


@dataclass(frozen=True)
class Sitter:
    """An identity as preflight sees it.

    Attributes:
        name: in the manifest.
        digest: of the photograph's content.
        kind: `face` is looked at; of a `subject` it only counts that its picture opens.
        whole_image: whether a photograph without a face is taken as it is.
        portrait: what was found; None of a subject, and of what cannot be opened.
        unreadable: why it cannot be opened.
        aside: what there is to add where no face was found.
    """

    name: str
    digest: str
    kind: Literal["face", "subject"] = "face"
    whole_image: bool = False
    portrait: Portrait | None = None
    unreadable: StandinError | None = None
    aside: str = ""


def findings_of(sitters: Sequence[Sitter], checks: FaceChecks) -> tuple[Finding, ...]:
    """What is wrong with each of `sitters`, in their order, and which of them are one person.

    Of identities that are one person, each but the first has a finding, which names those before it.
    """
    found: list[Finding] = []
    for sitter, alike in zip(sitters, _alike(sitters, checks.same_person), strict=True):
        found += _picture(sitter, checks)
        found += _same_person(sitter.name, alike, checks)
    return tuple(found)


def _picture(sitter: Sitter, checks: FaceChecks) -> Iterator[Finding]:
    if (error := sitter.unreadable) is not None:
        cure = error.hint or "put a picture that opens in its place"
        yield checks.finding(sitter.name, Cause.UNREADABLE, error.message, cure, "cannot be read")
    elif sitter.portrait is not None and (found := sitter.portrait.likeness) is not None:
        for check in (_small, _blurred, _turned_away, _cut_off, _dark, _bright):
            yield from check(sitter.name, found, checks)
        yield from _several(sitter.name, sitter.portrait, checks)
    elif sitter.portrait is not None:
        yield _no_face(sitter, checks)


def _no_face(sitter: Sitter, checks: FaceChecks) -> Finding:
    if sitter.whole_image:
        message, cure = "no face was found, so the whole picture is taken", "write `kind: subject` if it is no person"
        return Finding(sitter.name, Cause.NO_FACE, "warning", message + sitter.aside, cure, "no face: taken whole")
    cure = (
        "take a photograph of a face that is turned to the camera; or write `kind: subject` if it shows no person, "
        "or `on_no_face: whole_image`"
    )
    return checks.finding(sitter.name, Cause.NO_FACE, f"no face was found{sitter.aside}", cure, "no face")


def _several(name: str, portrait: Portrait, checks: FaceChecks) -> Iterator[Finding]:
    if portrait.second > checks.max_second_face:
        faces, share, most = len(portrait.faces), f"{portrait.second:.0%}", f"{checks.max_second_face:.0%}"
        yield checks.finding(
            name,
            Cause.SEVERAL_FACES,
            f"there are {faces} faces, and the second has {share} of the largest one's side (at most {most})",
            "cut the picture to the one who is meant; the largest is taken",
            f"{faces} faces, second {share} > {most}",
        )


def _small(name: str, found: Likeness, checks: FaceChecks) -> Iterator[Finding]:
    if found.side < checks.min_side:
        yield checks.finding(
            name,
            Cause.TOO_SMALL,
            f"the face has {found.side:.0f} pixels along its shorter side (at least {checks.min_side})",
            "take a larger picture, or a closer one; enlarging this one adds nothing",
            f"too small: {found.side:.0f} px < {checks.min_side}",
        )


def _blurred(name: str, found: Likeness, checks: FaceChecks) -> Iterator[Finding]:
    # One that is too small has to be enlarged, and is not sharp after that.
    if found.sharpness < checks.min_sharpness and found.side >= checks.min_side:
        sharp, least = f"{found.sharpness:.0f}", f"{checks.min_sharpness:.0f}"
        yield checks.finding(
            name,
            Cause.BLURRED,
            f"the face has a sharpness of {sharp} (at least {least})",
            "take a picture in which the face is in focus, and does not move",
            f"blurred: {sharp} < {least}",
        )


def _turned_away(name: str, found: Likeness, checks: FaceChecks) -> Iterator[Finding]:
    too_far = list(_turns(found.pose, checks))
    if too_far:
        yield checks.finding(
            name,
            Cause.TURNED_AWAY,
            "the face is " + " and ".join(f"{told} (at most {limit:.0f}°)" for told, limit in too_far),
            "take a picture of the face from the front",
            ", ".join(f"{told} > {limit:.0f}°" for told, limit in too_far),
        )


def _turns(pose: Pose, checks: FaceChecks) -> Iterator[tuple[str, float]]:
    """In words how the face is turned further than it may, and how far it may."""
    for angle, limit, less, more in (
        (pose.yaw, checks.max_yaw, "turned to the left", "turned to the right"),
        (pose.pitch, checks.max_pitch, "turned down", "turned up"),
        (pose.roll, checks.max_roll, "tilted to the left", "tilted to the right"),
    ):
        if abs(angle) > limit:
            yield f"{more if angle > 0 else less} by {abs(angle):.0f}°", limit


def _cut_off(name: str, found: Likeness, checks: FaceChecks) -> Iterator[Finding]:
    for what, outside, most in (
        ("the face", found.face_outside, checks.max_cut_off / FACE_SHARE),
        ("the square around the face", found.crop_outside, checks.max_cut_off),
    ):
        if outside > most:
            yield checks.finding(
                name,
                Cause.CUT_OFF,
                f"{outside:.0%} of {what} lies outside the picture (at most {most:.0%})",
                "take a picture with the whole head and some room around it",
                f"cut off: {outside:.0%} outside > {most:.0%}",
            )
            return


def _dark(name: str, found: Likeness, checks: FaceChecks) -> Iterator[Finding]:
    if found.brightness < checks.min_brightness:
        light, least = f"{found.brightness:.0f}", f"{checks.min_brightness:.0f}"
        yield checks.finding(
            name,
            Cause.TOO_DARK,
            f"the brightest parts of the face have a grey level of {light} out of 255 (at least {least})",
            "take a picture in better light",
            f"too dark: {light} < {least}",
        )


def _bright(name: str, found: Likeness, checks: FaceChecks) -> Iterator[Finding]:
    if found.blown_out > checks.max_blown_out:
        white, most = f"{found.blown_out:.0%}", f"{checks.max_blown_out:.0%}"
        yield checks.finding(
            name,
            Cause.TOO_BRIGHT,
            f"{white} of the face is white (at most {most})",
            "take a picture in softer light, or with a shorter exposure",
            f"too bright: {white} white > {most}",
        )


def _alike(sitters: Sequence[Sitter], least: float) -> Iterator[Mapping[str, float | None]]:
    """For each of `sitters` those before it that are the same person, nearest first, with their cosine.

    The same photograph comes before all, and has none: whether it shows a person does not matter.
    """
    copies: dict[str, list[str]] = defaultdict(list)
    for sitter, cosines in zip(sitters, _cosines(sitters), strict=True):
        alike: dict[str, float | None] = dict.fromkeys(copies[sitter.digest])
        near = np.flatnonzero(cosines >= least)
        for index in near[np.argsort(-cosines[near], kind="stable")]:
            alike.setdefault(sitters[index].name, float(cosines[index]))
        copies[sitter.digest].append(sitter.name)
        yield alike


def _cosines(sitters: Sequence[Sitter]) -> Iterator[np.ndarray]:
    """Of each with all before it; minus infinity where one of the two has no embedding, which is like nothing."""
    units = np.stack([_unit(sitter) for sitter in sitters]) if sitters else np.empty((0, EMBEDDING), np.float32)
    nobody: np.ndarray = np.logical_not(units.any(axis=1))
    for start in range(0, len(units), AT_ONCE):
        block = units[start : start + AT_ONCE] @ units[: start + AT_ONCE].T
        block[nobody[start : start + AT_ONCE]] = -np.inf
        block[:, nobody[: start + AT_ONCE]] = -np.inf
        yield from (row[: start + number] for number, row in enumerate(block))


def _unit(sitter: Sitter) -> np.ndarray:
    """Its embedding at length 1; of what has none only zeros."""
    embedding = None if sitter.portrait is None else sitter.portrait.embedding
    length = 0.0 if embedding is None else float(np.linalg.norm(embedding))
    return embedding / length if embedding is not None and length else np.zeros(EMBEDDING, np.float32)


def _same_person(name: str, alike: Mapping[str, float | None], checks: FaceChecks) -> Iterator[Finding]:
    if not alike:
        return
    first, cosine = next(iter(alike.items()))
    more = f", and as {len(alike) - 1} more" if len(alike) > 1 else ""
    if cosine is None:
        told, short = f"the same photograph as {first}{more}", f"same photograph as {first}"
    else:
        told = f"the same person as {first} by a cosine of {cosine:.2f} (from {checks.same_person:g}){more}"
        short = f"same person as {first}: {cosine:.2f}"
    cure = "give each identity a person of its own, or leave one of them out"
    yield checks.finding(name, Cause.SAME_PERSON, told, cure, short, tuple(alike))

"""From clips to numbers: everything that is measured, by name. What the numbers have to be is said in `thresholds`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from standin_batch.face.detect import Detector
from training.meaning import cases as kinds
from training.meaning.asked import given
from training.meaning.cases import Case, of_kind
from training.meaning.following import distance, distance_to_others
from training.meaning.judges import Judges
from training.meaning.likeness import Gallery, Likeness, likeness
from training.meaning.surroundings import Where, psnr, surroundings
from training.meaning.tracks import SAMPLED, Seen, look
from training.world.draw import Clip

Values = dict[str, float | None]
"""None where there was no face to measure."""


@dataclass(frozen=True)
class Answers:
    """The clips of some cases, looked at.

    Attributes:
        asked: the cases.
        clips: by their names, uint8 `[T, H, W, 3]`.
        seen: the faces of the sampled frames, likewise.
        known: everybody who may be in them.
        judges: of everything else.
    """

    asked: Sequence[Case]
    clips: Mapping[str, Clip]
    seen: Mapping[str, Seen]
    known: Gallery
    judges: Judges

    @classmethod
    def of(
        cls, asked: Sequence[Case], clips: Mapping[str, Clip], detector: Detector, known: Gallery, judges: Judges
    ) -> Answers:
        """Look at all clips.

        Args:
            asked: the cases, at least one of each kind.
            clips: of at least these, by their names.
            detector: gives embeddings.
            known: everybody who may be in them.
            judges: of everything else.
        """
        seen = {case.name: look(sampled(clips[case.name]), detector) for case in asked}
        return cls(asked, clips, seen, known, judges)

    def likeness(self, kind: str) -> Likeness:
        """Of the clips of a kind with who should be in them."""
        return likeness([(self.seen[case.name].embedding, case.who) for case in of_kind(self.asked, kind)], self.known)

    def faces(self, kind: str) -> float:
        """Share of the frames of a kind's clips in which a face is found."""
        return float(np.mean([self.seen[case.name].share for case in of_kind(self.asked, kind)]))


def sampled(clip: Clip) -> Clip:
    """The frames of a clip that are looked at."""
    return clip[list(SAMPLED)]


def measure(answers: Answers) -> Values:
    """Everything, under its name."""
    return {**identity(answers), **prompt(answers), **control(answers), **style(answers), **swap(answers)}


def identity(answers: Answers) -> Values:
    """Whether the right character is there, with the adapter and without."""
    own, nobody = answers.likeness(kinds.IDENTITY), answers.likeness(kinds.NOBODY)
    return {
        "identity: top-1": own.first,
        "identity: cosine to one's own": own.own,
        "identity: cosine to others": own.others,
        "identity: frames with a face": answers.faces(kinds.IDENTITY),
        "adapter off: top-1": nobody.first,
        "adapter off: cosine to one's own": nobody.own,
        "adapter off: frames with a face": answers.faces(kinds.NOBODY),
    }


def prompt(answers: Answers) -> Values:
    """Whether place and action are those of the prompt."""
    asked, judges = of_kind(answers.asked, kinds.IDENTITY), answers.judges
    places = [judges.place_of(sampled(answers.clips[case.name])) == case.scene.background for case in asked]
    actions = [judges.action_of(answers.seen[case.name]) == case.scene.action for case in asked]
    return {
        "prompt: place": float(np.mean(places)),
        "prompt: place, drawn clips": judges.place.right,
        "prompt: action": float(np.mean(actions)),
        "prompt: action, drawn clips": judges.action.right,
    }


def control(answers: Answers) -> Values:
    """Whether the face is where the control video has the head, in pixels."""
    asked = of_kind(answers.asked, kinds.CONTROL)
    return {
        "control: distance": _mean(distance(answers.seen[case.name], case.scene) for case in asked),
        "control: distance to other tracks": _mean(
            distance_to_others(answers.seen[case.name], case.scene) for case in asked
        ),
        "control: frames with a face": answers.faces(kinds.CONTROL),
        "control: top-1": answers.likeness(kinds.CONTROL).first,
    }


def style(answers: Answers) -> Values:
    """Whether it is the LoRA that makes the style, and who is there in it."""
    return {
        "style: ink with the LoRA": _styled(answers, kinds.INK, "ink"),
        "style: plain without": _styled(answers, kinds.PLAIN, "plain"),
        "style: drawn clips": answers.judges.style.right,
        "style: top-1 in ink": answers.likeness(kinds.INK).first,
    }


def swap(answers: Answers) -> Values:
    """Whether the new face is there, the old one gone, and the rest as it was."""
    asked = of_kind(answers.asked, kinds.SWAP)
    pairs = [_new_and_old(answers, case) for case in asked]
    found = [pair for pair in pairs if pair is not None]
    kept = [psnr(answers.clips[case.name], given(case), _around(case)) for case in asked]
    return {
        "swap: PSNR around the face": float(np.mean(kept)),
        "swap: cosine to the new face": _mean(new for new, _ in found),
        "swap: cosine to the old face": _mean(old for _, old in found),
        "swap: nearer to the new face": sum(new > old for new, old in found) / len(asked),
    }


def _around(case: Case) -> Where:
    """All but the new face and the old one."""
    return surroundings(case.scene) if case.given is None else surroundings(case.scene, case.given)


def _styled(answers: Answers, kind: str, style: str) -> float:
    asked = of_kind(answers.asked, kind)
    found = [answers.judges.style_of(sampled(answers.clips[case.name])) for case in asked]
    return found.count(style) / len(found)


def _new_and_old(answers: Answers, case: Case) -> tuple[float, float] | None:
    """Cosines with the one who should be there and the one who was; None without a face."""
    embedding = answers.seen[case.name].embedding
    if embedding is None or case.given is None:
        return None
    cosines = answers.known.cosines(embedding)
    new, old = (float(cosines[answers.known.people.index(who)]) for who in (case.who, case.given.character))
    return new, old


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None

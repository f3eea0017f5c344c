"""What `standin validate --faces` prints: who was looked at, what was measured, what is wrong, and the cures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from standin_batch.face.checks import Finding
    from standin_batch.face.footage import Footage
    from standin_batch.run.events import Event, Listener
    from standin_batch.run.preflight import Preflight
    from standin_batch.run.studio import Seen

VERDICTS = {"ok": ("✓ good", "green"), "warning": ("! look", "yellow"), "error": ("✗ no use", "red")}
NOTHING = "–"


def saying(*, quiet: bool) -> Listener:
    """A listener that says on standard error what has been done, and how long it took."""
    from standin_batch.cli.console import duration, err, printable
    from standin_batch.run.events import Prepared

    def say(event: Event) -> None:
        if isinstance(event, Prepared) and not quiet:
            err.print(f"  {printable(event.what)}: {duration(event.seconds)}", style="dim", markup=False)

    return say


def show_preflight(found: Preflight, sheets: Sequence[Path]) -> None:
    """Print what was looked at: tables, findings with cures, and where the contact sheet is."""
    from standin_batch.cli.console import out, warn

    for note in found.notes:
        warn(note)
    if not found.seen and not found.footage:
        out.print("no identity to look at")
        return
    for table in (*([_people(found)] if found.seen else []), *([_videos(found)] if found.footage else [])):
        out.print(table)
        out.print()
    for finding in found.findings:
        out.print(_said(finding))
    out.print(_summary(found))
    if sheets:
        more = f" to {sheets[-1].name}" if len(sheets) > 1 else ""
        out.print(f"contact sheet: {sheets[0]}{more}", markup=False)


def preflight_json(manifest: str, found: Preflight, sheets: Sequence[Path]) -> dict[str, object]:
    """The same as data, as `docs/preflight.md` describes it."""
    from dataclasses import asdict

    from standin_batch.run.preflight import verdict

    return {
        "manifest": manifest,
        "identities": [
            {**_identity_json(seen), "verdict": verdict(found.of("identity", seen.sitter.name))} for seen in found.seen
        ],
        "videos": [
            {**asdict(footage), "coverage": footage.coverage, "verdict": verdict(found.of("video", footage.name))}
            for footage in found.footage
        ],
        "findings": [{**asdict(finding), "cause": finding.cause.value} for finding in found.findings],
        "notes": list(found.notes),
        "sheets": [str(path) for path in sheets],
    }


def _identity_json(seen: Seen) -> dict[str, Any]:
    sitter, portrait = seen.sitter, seen.sitter.portrait
    likeness = None if portrait is None else portrait.likeness
    measured = {
        "faces": None if portrait is None else len(portrait.faces),
        **({} if portrait is None else {"width": portrait.width, "height": portrait.height}),
    }
    if likeness is not None:
        names = ("side", "sharpness", "brightness", "blown_out", "face_outside", "crop_outside")
        measured |= {name: round(getattr(likeness, name), 4) for name in names}
        measured |= {name: round(angle, 1) for name, angle in likeness.pose._asdict().items()}
    prepared = None if seen.prepared is None else str(seen.prepared)
    return {"name": sitter.name, "image": str(seen.image), "kind": sitter.kind, **measured, "prepared": prepared}


def _people(found: Preflight) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    table.add_column("identity", overflow="fold")
    for column in ("side", "sharpness", "yaw", "pitch", "roll"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    table.add_column("because", overflow="fold")
    for seen in found.seen:
        findings = found.of("identity", seen.sitter.name)
        causes = ", ".join(finding.cause.value for finding in findings)
        table.add_row(_plain(seen.sitter.name), *_measured(seen), _verdict(findings), causes)
    return table


def _measured(seen: Seen) -> tuple[str, ...]:
    portrait = seen.sitter.portrait
    if portrait is None or portrait.likeness is None:
        return (NOTHING,) * 5
    found = portrait.likeness
    return f"{found.side:.0f} px", f"{found.sharpness:.0f}", *(f"{round(angle)}°" for angle in found.pose)


def _videos(found: Preflight) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    table.add_column("video", overflow="fold")
    for column in ("frames looked at", "with a face", "at most in one", "likeness"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for footage in found.footage:
        table.add_row(_plain(footage.name), *_counted(footage), _verdict(found.of("video", footage.name)))
    return table


def _counted(footage: Footage) -> tuple[str, ...]:
    likeness = NOTHING if footage.likeness is None else f"{footage.likeness:.2f}"
    share = f"{footage.with_face} ({footage.coverage:.0%})"
    return f"{footage.sampled}", share, f"{footage.most} faces" if footage.most != 1 else "1 face", likeness


def _verdict(findings: Sequence[Finding]) -> Text:
    from rich.text import Text

    from standin_batch.run.preflight import verdict

    word, colour = VERDICTS[verdict(findings)]
    return Text(word, style=colour)


def _said(finding: Finding) -> Text:
    from rich.text import Text

    from standin_batch.cli.console import printable

    mark, colour = {"error": ("✗", "red"), "warning": ("!", "yellow")}[finding.severity]
    return Text.assemble(
        (f"{mark} {printable(finding.name)}", f"bold {colour}"),
        f": {printable(finding.message)} ",
        (f"[{finding.cause.value}]", "dim"),
        ("\n    cure: ", "bold green"),
        printable(finding.cure),
    )


def _summary(found: Preflight) -> Text:
    from rich.text import Text

    from standin_batch.cli.console import count
    from standin_batch.run.preflight import told

    errors = sum(finding.severity == "error" for finding in found.findings)
    warnings = len(found.findings) - errors
    looked = f"looked at {told(len(found.seen), len(found.footage))}"
    style = "bold red" if errors else "bold yellow" if warnings else "bold green"
    return Text.assemble((looked, "bold"), ": ", (f"{count(errors, 'error')}, {count(warnings, 'warning')}", style))


def _plain(text: str) -> Text:
    from rich.text import Text

    from standin_batch.cli.console import printable

    return Text(printable(text))

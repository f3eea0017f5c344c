"""`standin doctor`: what this machine lacks, and the cure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson, Checkpoints, Config
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standin_batch.environment import Finding

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


def doctor(
    manifest: Annotated[
        Path | None,
        typer.Argument(metavar="[MANIFEST]", help="Check also what this manifest needs.", show_default=False),
    ] = None,
    checkpoints: Checkpoints = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Look at GPU, libraries, weights, memory, disk and the backend; each finding with its cure.

    With a manifest also at all that it needs: weights by their headers, LoRAs, pictures, memory, room on the disks.
    Leaves with 3 if something is broken, or if the manifest could not run here; with 2 if it or the machine file is
    wrong.

    [bold]Examples[/bold]

      standin doctor
      standin doctor manifest.yaml --checkpoints /data/checkpoints
      standin doctor manifest.yaml --json
    """
    from standin_batch.backends.lacks import backend_findings
    from standin_batch.cli.console import show_error
    from standin_batch.environment import Level, all_findings
    from standin_batch.errors import StandinError
    from standin_batch.machine import load_machine
    from standin_batch.run.diagnosis import diagnose
    from standin_batch.run.measured import likely_device
    from standin_batch.run.memory_told import profile_findings

    findings, wrong = [*all_findings(), *profile_findings(likely_device())], list[StandinError]()
    for look in (
        lambda: backend_findings(load_machine(config)),
        lambda: [] if manifest is None else diagnose(manifest, checkpoints),
    ):
        try:
            findings += look()
        except StandinError as error:
            wrong.append(error)
    _show(findings, as_json)
    for earlier in wrong[:-1]:
        show_error(earlier)
    if wrong:
        raise wrong[-1]
    broken = any(finding.level is Level.ERROR for finding in findings)
    return ExitCode.NOT_READY if broken else ExitCode.OK


def _show(findings: Sequence[Finding], as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        from standin_batch.cli.console import print_json

        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)


def _print(findings: Sequence[Finding]) -> None:
    from rich.text import Text

    from standin_batch.cli.console import out

    for finding, following in zip(findings, [*findings[1:], None], strict=True):
        mark, colour = MARKS[finding.level.value]
        out.print(Text.assemble((f"{mark} ", f"bold {colour}"), f"{finding.subject:<16} {finding.message}"))
        # What one line cures together is shown together.
        if finding.cure and (following is None or following.cure != finding.cure):
            out.print(Text.assemble(("    cure: ", "bold green"), finding.cure))

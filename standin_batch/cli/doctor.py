"""`standin doctor`: what this machine lacks, and the cure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson, Checkpoints
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from standin_batch.environment import Finding

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


def doctor(
    manifest: Annotated[
        Path | None,
        typer.Argument(metavar="[MANIFEST]", help="Check also what this manifest needs.", show_default=False),
    ] = None,
    checkpoints: Checkpoints = None,
    as_json: AsJson = False,
) -> int:
    """Look at GPU, libraries, weights and disk; each finding with its cure.

    Leaves with 3 if something is broken, or if the manifest could not run here.

    [bold]Examples[/bold]

      standin doctor
      standin doctor manifest.yaml --checkpoints /data/checkpoints
    """
    from dataclasses import asdict

    from standin_batch.cli.console import print_json
    from standin_batch.environment import Level, all_findings

    findings = all_findings()
    if manifest is not None:
        findings += _manifest_findings(manifest, checkpoints)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    broken = any(finding.level is Level.ERROR for finding in findings)
    return ExitCode.NOT_READY if broken else ExitCode.OK


def _manifest_findings(path: Path, checkpoints: Path | None) -> list[Finding]:
    from standin_batch.environment import Finding, Level
    from standin_batch.errors import StandinError
    from standin_batch.run.plan_manifest import Selection, plan_manifest
    from standin_batch.run.ready import check_built, check_weights

    plan = plan_manifest(path, Selection(force=True, checkpoints=checkpoints)).plan
    findings = []
    checks: dict[str, Callable[[], None]] = {
        "modes": lambda: check_built(plan),
        "weights": lambda: check_weights(plan, checkpoints, lambda event: None),
    }
    for subject, check in checks.items():
        try:
            check()
            findings.append(Finding(subject, Level.OK, f"all that {path} needs"))
        except StandinError as error:
            findings.append(Finding(subject, Level.ERROR, error.message, error.hint))
    return findings


def _print(findings: list[Finding]) -> None:
    from rich.text import Text

    from standin_batch.cli.console import out

    for finding in findings:
        mark, colour = MARKS[finding.level.value]
        out.print(Text.assemble((f"{mark} ", f"bold {colour}"), f"{finding.subject:<16} {finding.message}"))
        if finding.cure:
            out.print(Text.assemble(("    cure: ", "bold green"), finding.cure))

"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Memory(str, Enum):
    """What of a model stays on the device: `auto`, or a profile as `plan.memory` has it."""

    AUTO = "auto"
    RESIDENT = "resident"
    OFFLOAD = "offload"
    LOWEST = "lowest"


class BackendName(str, Enum):
    """Where a run happens, as `machine.BACKENDS` has it."""

    LOCAL = "local"
    RAY = "ray"
    SLURM = "slurm"


ManifestArgument = Annotated[
    Path, typer.Argument(metavar="MANIFEST", help="A manifest (YAML).", show_default=False, exists=False)
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replace a value, e.g. [cyan]--set defaults.num_frames=17[/] or [cyan]--set jobs.portraits.seed=3[/].",
        show_default=False,
    ),
]
Only = Annotated[list[str], typer.Option("--only", metavar="NAME", help="Only the job of this name; repeat for more.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most this many jobs.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Also what is done already.")]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Also what failed by its own content, such as a picture without a face.")
]
Preview = Annotated[
    bool,
    typer.Option(
        "--preview", help="One small, short clip for each model, mode, LoRA set and identity, into FOLDER-preview."
    ),
]
Checkpoints = Annotated[
    Path | None,
    typer.Option(
        "--checkpoints",
        metavar="DIR",
        envvar="STANDIN_CHECKPOINTS",
        help="Folder of the weights, in place of [cyan]checkpoints/[/].",
        show_default=False,
    ),
]
InputRoot = Annotated[
    Path | None,
    typer.Option("--input-root", metavar="DIR", help="Read inputs from this folder only.", show_default=False),
]
MemoryProfile = Annotated[
    Memory,
    typer.Option(
        "--memory",
        help="On the device stay all weights, only the part or only the layer at work; `auto` takes what fits. A job "
        "that runs out of memory goes one step down by itself.",
    ),
]
_WHERE = "Where it runs"
OnBackend = Annotated[
    BackendName | None,
    typer.Option(
        "--backend",
        help="In this process, on workers of Ray, or on workers of Slurm; `local` unless the machine file says it.",
        show_default=False,
        rich_help_panel=_WHERE,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The machine file; [cyan]standin.toml[/] here, or in [cyan]~/.config/standin[/], unless given.",
        envvar="STANDIN_CONFIG",
        show_default=False,
        rich_help_panel=_WHERE,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="So many workers of the backend, instead of what the machine file says.",
        show_default=False,
        rich_help_panel=_WHERE,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to standard output, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]

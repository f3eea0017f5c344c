"""The `standin` command: its subcommands, and the one place that catches errors."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from standin_batch import __version__
from standin_batch.cli import dataset, doctor, init, plan, run, schema, status, stop, validate, weights, why
from standin_batch.errors import ExitCode, StandinError

EPILOG = """[bold]Exit codes[/bold]

0 all done · 1 some jobs failed · 2 the manifest or the command line is wrong

3 the machine is not ready · 4 another run holds this output · 75 stopped early, run again to go on"""

INTERRUPTED = 130
"""What typer makes of an interrupt that a command did not handle."""

app = typer.Typer(
    name="standin",
    help="Batch generation of identity-preserving video with Stand-In on Wan2.1/2.2.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("validate")(validate.validate)
app.command("status")(status.status)
app.command("stop")(stop.stop)
app.command("why")(why.why)
app.add_typer(dataset.app, name="dataset")
app.add_typer(weights.app, name="weights")
app.command("doctor")(doctor.doctor)
app.command("schema")(schema.schema)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"standin {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Batch generation of identity-preserving video with Stand-In on Wan2.1/2.2."""


def main() -> None:
    """Run the command line; every error becomes a message, a cure and an exit code."""
    try:
        code = app(standalone_mode=False)
    except StandinError as error:
        from standin_batch.cli.console import show_error

        show_error(error)
        code = error.exit_code
    except typer.Abort:
        code = ExitCode.STOPPED
    except KeyboardInterrupt:
        code = ExitCode.STOPPED
    except Exception as error:
        code = _usage(error)
    _leave(ExitCode.STOPPED if code == INTERRUPTED else int(code or 0))


def _leave(code: int) -> NoReturn:
    """Exit. All files are whole by now, so what torch has made is not taken apart: that takes two seconds."""
    if "torch" not in sys.modules:
        sys.exit(code)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _usage(error: Exception) -> int:
    """Errors of the command line itself know how to show themselves; anything else is a bug and keeps its traceback."""
    show = getattr(error, "show", None)
    if show is None:
        raise error
    show()
    return int(getattr(error, "exit_code", ExitCode.USAGE))

"""`standin weights`: what weights are here, fetch what is needed, convert them once."""

from __future__ import annotations

import typer

from standin_batch.cli import weights_convert, weights_download, weights_list

app = typer.Typer(help="Find, fetch and convert the weights of models.", no_args_is_help=True)
app.command("list")(weights_list.list_weights)
app.command("download")(weights_download.download)
app.command("convert")(weights_convert.convert)

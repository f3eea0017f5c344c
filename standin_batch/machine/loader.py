"""`load_machine`: which machine file holds, and what it says, or every mistake in it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from standin_batch.machine.sections import MachineSections, RaySection, SlurmSection
from standin_batch.machine.settings import LOCAL, SLURM, MachineFile, RayOptions, SlurmOptions
from standin_batch.machine.toml import read_toml
from standin_batch.manifest.checking import INVALID, check_entries, key_of, known_entries
from standin_batch.manifest.problems import ManifestError, Problems
from standin_batch.manifest.source import Node

NAME = "standin.toml"
VARIABLE = "STANDIN_CONFIG"


class MachineFileError(ManifestError):
    """The machine file is wrong; shown as a wrong manifest is."""


def load_machine(config: Path | None = None, environ: Mapping[str, str] | None = None) -> MachineFile:
    """What the machine file says: `config`, else `$STANDIN_CONFIG`, else `standin.toml` here or of this user.

    Args:
        config: the file that was named; it has to be there.
        environ: the process's environment unless given.

    Raises:
        MachineFileError: with every mistake, or if a file that was named cannot be read.
    """
    path = find_machine(config, os.environ if environ is None else environ)
    if path is None:
        return MachineFile()
    problems = Problems()
    tree = read_toml(path, problems)
    found = MachineFile(path=path) if tree is None else _machine(path, tree, problems)
    if problems.errors:
        raise MachineFileError(problems.errors)
    return found


def find_machine(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The machine file that holds; None where there is none."""
    if named := config or environ.get(VARIABLE):
        return Path(named)
    home = environ.get("XDG_CONFIG_HOME")
    folder = Path(home) if home else Path.home() / ".config"
    places = (Path(NAME), folder / "standin" / NAME)
    return next((place for place in places if place.is_file()), None)


def _machine(path: Path, tree: Node, problems: Problems) -> MachineFile:
    entries = known_entries(tree, MachineSections.model_fields, problems, "a machine file")
    said = {
        key: key_of(MachineSections, key).check(node, problems)
        for key, node in entries.items()
        if key in ("backend", "stage_to")
    }
    ray = check_entries(RaySection, entries["ray"], problems, "`[ray]`") if "ray" in entries else {}
    slurm = check_entries(SlurmSection, entries["slurm"], problems, "`[slurm]`") if "slurm" in entries else {}
    _check_slurm(said.get("backend"), slurm, tree, problems)
    return MachineFile(
        backend=said.get("backend", LOCAL),
        stage_to=_folder(said.get("stage_to")),
        ray=RayOptions(**ray),
        slurm=SlurmOptions(**{**slurm, "setup": tuple(slurm.get("setup", ()))}),
        path=path,
    )


def _folder(said: Any) -> Path | None:  # noqa: ANN401
    return None if said is None or said is INVALID else Path(said)


def _check_slurm(backend: object, slurm: Mapping[str, Any], tree: Node, problems: Problems) -> None:
    """What keys of `[slurm]` have to do with each other."""
    table = tree.entries.get("slurm")
    written = {} if table is None else table.entries
    if backend == SLURM and "workers" not in written:
        where = tree.key_mark("backend") if table is None else tree.key_mark("slurm")
        problems.add(where.problem("`[slurm]` has no `workers`", "say how many work at once, such as `workers = 8`"))
    warned = slurm.get("signal_before", SlurmOptions().signal_before)
    if "time" in slurm and slurm["time"] * 60 <= warned:
        told = f"`time` is over before a worker is to save, which is {warned} seconds before its end"
        problems.add(written["time"].mark.problem(told, "allow more time, or lower `signal_before`"))

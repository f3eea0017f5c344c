"""Slurm's own programs, called: what they print, or a fault in words. What it means is said in `queue`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from standin_batch.errors import NotReadyError

PATIENCE = 60.0
"""Seconds that a program may take: a controller that is busy makes them wait, and asks them to."""

OURS = ("SLURM_", "SBATCH_", "SQUEUE_", "SCANCEL_")
"""Beginnings of the names of variables that change what these programs do or print."""

OF_THE_SITE = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT")
"""Those by which they find the cluster."""


class SlurmError(NotReadyError):
    """Slurm does not do what it was asked for."""


def ask_slurm(*command: str, patience: float = PATIENCE) -> str:
    """What a program prints.

    Args:
        command: the program and its arguments.
        patience: seconds that it may take.

    Raises:
        SlurmError: if it is not there, does not answer, or refuses.
    """
    try:
        ran = subprocess.run(
            command, env=plain(os.environ), capture_output=True, text=True, timeout=patience, check=False
        )
    except OSError as error:
        raise SlurmError(f"{command[0]} cannot be started: {error.strerror}", "is Slurm installed here?") from error
    except subprocess.TimeoutExpired as error:
        raise SlurmError(f"{command[0]} did not answer for {patience:.0f} seconds", "scontrol ping") from error
    if ran.returncode != 0:
        said = (ran.stderr.strip() or ran.stdout.strip() or f"it ended with {ran.returncode}").splitlines()[-1]
        raise SlurmError(f"{command[0]}: {said}", f"try it: {' '.join(command)}")
    return ran.stdout


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what would change the form of answers, or tells of a job that this process is part of."""
    return {name: value for name, value in environment.items() if name in OF_THE_SITE or not name.startswith(OURS)}

"""A real Slurm on this machine: munged, slurmctld and two slurmd, all below one temporary folder."""

from __future__ import annotations

import ctypes
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

NODES = ("node1", "node2")

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")

SBIN = "/usr/sbin"
"""Where daemons lie, which is not on everybody's path."""

PATIENCE = 60.0
"""Seconds within which everything that a test waits for comes, on a machine that others use, too."""

PR_SET_PDEATHSIG = 1
"""Of Linux' prctl(2): the signal that a process gets when its parent ends, however that came."""

CONFIGURATION = """
ClusterName=standin
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=5
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
JobRequeue=1
KillWait=10
ReturnToService=1
SlurmctldTimeout=30
SlurmdTimeout=30
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=4000
NodeName=node2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=4000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
"""Two nodes that are this machine, a processor each. `cred_expire` is what a requeued task waits before it starts."""


def missing() -> list[str]:
    """The programs that are not here."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


@dataclass(frozen=True)
class Task:
    """A task as `squeue` shows it.

    Attributes:
        state: in Slurm's words.
        node: that it runs on, or ran on last; empty before.
    """

    state: str
    node: str


@dataclass(frozen=True)
class SlurmCluster:
    """A cluster that is up.

    Attributes:
        folder: of its configuration, state and logs.
        environment: in which clients find it.
    """

    folder: Path
    environment: dict[str, str]

    def call(self, *command: object) -> str:
        """What a client of Slurm prints."""
        arguments = [str(part) for part in command]
        return subprocess.run(arguments, env=self.environment, check=True, capture_output=True, text=True).stdout

    def tasks(self, array: str) -> dict[str, Task]:
        """The tasks of an array by their ids, those that have ended, too."""
        lines = self.call("squeue", "-h", "-r", "-t", "all", "-j", array, "-o", "%i|%T|%N").splitlines()
        return {key: Task(state, node) for key, state, node in (line.split("|") for line in lines)}

    def wait_for(self, array: str, *states: str) -> dict[str, Task]:
        """The tasks of an array when they are in these states, one for each."""
        return self.until(lambda: _as_wanted(self.tasks(array), states), lambda: f"{self.tasks(array)}, not {states}")

    def until(self, found: Callable[[], object], told: Callable[[], str] = lambda: "") -> object:
        """What is found, when it is; `told` says what was there instead."""
        end = time.monotonic() + PATIENCE
        while not (answer := found()):
            assert time.monotonic() < end, f"{told()}\n{self.logs()}"
            time.sleep(0.1)
        return answer

    def drain(self, node: str) -> None:
        """A node takes no more tasks; those at work there go on."""
        self.call("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")

    def clear(self) -> None:
        """Nothing is at work or waits, and all nodes take tasks."""
        self.call("scancel", "--full", "--user", getpass.getuser())
        for node in NODES:
            if self._state(node).startswith(("drain", "drng", "down")):
                self.call("scontrol", "update", f"NodeName={node}", "State=RESUME")
        self.until(self._is_clear, lambda: self.call("squeue") + self.call("sinfo"))

    def logs(self) -> str:
        """The ends of what the daemons say."""
        return "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in sorted(self.folder.glob("*.log")))

    def _is_clear(self) -> bool:
        return not self.call("squeue", "-h") and all(self._state(node) == "idle" for node in NODES)

    def _state(self, node: str) -> str:
        return self.call("sinfo", "-h", "-n", node, "-o", "%t").strip()


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[SlurmCluster]:
    """A cluster, within the block; afterwards nothing of it is at work, also if this process is killed.

    Args:
        folder: for all its files; its path must be short, as that of a socket is.
    """
    configuration = _configure(folder)
    environment = {**os.environ, "PATH": _path(), "SLURM_CONF": str(configuration)}
    cluster = SlurmCluster(folder, environment)
    munged = ["munged", "--foreground", "--force"]
    munged += [f"--{name}-file={folder / name}" for name in ("key", "pid", "seed", "log")]
    with ExitStack() as stack:
        stack.enter_context(_daemon(cluster, "munged", [*munged, f"--socket={folder / 'munge.sock'}"]))
        cluster.until((folder / "munge.sock").exists)
        stack.enter_context(_daemon(cluster, "slurmctld", ["slurmctld", "-D"]))
        for node in NODES:
            stack.enter_context(_daemon(cluster, node, ["slurmd", "-D", "-N", node]))
        cluster.until(lambda: subprocess.run(["sinfo"], env=environment, capture_output=True).returncode == 0)
        stack.callback(cluster.clear)
        cluster.clear()
        yield cluster


def _configure(folder: Path) -> Path:
    (folder / "state").mkdir()
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o400)
    path = folder / "slurm.conf"
    values = {"host": socket.gethostname(), "user": getpass.getuser(), "folder": folder, "ports": _free_ports(3)}
    path.write_text(CONFIGURATION.format(**values))
    return path


@contextmanager
def _daemon(cluster: SlurmCluster, name: str, command: list[str]) -> Iterator[None]:
    log = (cluster.folder / f"{name}.log").open("w")
    pipes = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
    with log, subprocess.Popen(command, env=cluster.environment, preexec_fn=_ends_with_us, **pipes) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _ends_with_us() -> None:
    """Before a daemon begins: it gets SIGTERM when the process that started it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), SBIN])


def _as_wanted(tasks: dict[str, Task], states: tuple[str, ...]) -> dict[str, Task] | None:
    return tasks if tuple(task.state for _, task in sorted(tasks.items())) == states else None

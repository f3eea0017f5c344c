"""The real command line, in a process of its own for every call."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

Ran = subprocess.CompletedProcess[str]


class Zygote:
    """The process that every call is forked from."""

    def __init__(self, folder: Path) -> None:
        self._stdout, self._stderr = folder / "stdout", folder / "stderr"
        script = str(Path(__file__).with_name("zygote.py"))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen([sys.executable, script], text=True, **pipes)
        assert self._answer() == "ready"

    def call(self, arguments: list[str], folder: Path, **options: object) -> Ran:
        return self.together([arguments], folder, **options)[0]

    def together(self, calls: list[list[str]], folder: Path, **options: object) -> list[Ran]:
        """Calls that begin at the same moment; returns when all have ended.

        `faults` is what happens to them, as `support/faults.py` has it; `kill_after` seconds their groups are killed;
        `interrupts` are signals, each `after` a text has come out so many `times`.
        """
        for number in range(len(calls)):
            Path(f"{self._stdout}-{number}").write_text("")
        requests = [
            {
                "arguments": arguments,
                "folder": str(folder),
                "stdout": f"{self._stdout}-{number}",
                "stderr": f"{self._stderr}-{number}",
                **options,
            }
            for number, arguments in enumerate(calls)
        ]
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()
        return [
            subprocess.CompletedProcess(
                request["arguments"], code, Path(request["stdout"]).read_text(), Path(request["stderr"]).read_text()
            )
            for request, code in zip(requests, json.loads(self._answer()), strict=True)
        ]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def _answer(self) -> str:
        return self._process.stdout.readline().strip()


@dataclass(frozen=True)
class Workspace:
    """A folder in which `standin` is called, as a person would."""

    folder: Path
    zygote: Zygote

    def standin(self, *arguments: object, **options: object) -> Ran:
        return self.zygote.call([str(argument) for argument in arguments], self.folder, **options)

    def together(self, *calls: list[object]) -> list[Ran]:
        """Several calls of `standin` that begin at the same moment."""
        return self.zygote.together([[str(argument) for argument in arguments] for arguments in calls], self.folder)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "standin_batch", *(str(argument) for argument in arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, text=True, **pipes)

    def manifest(self, name: str, content: dict) -> Path:
        """A manifest; its clips are scored only if it says so, which takes longer than to make them."""
        path = self.folder / f"{name}.yaml"
        whole = {"version": 1, "name": name, "scores": {"enabled": False}, **content}
        path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False))
        return path

    def records(self, name: str) -> list[dict]:
        paths = sorted((self.folder / "outputs" / name / "records").glob("*.json"))
        return [json.loads(path.read_text()) for path in paths]


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    started = Zygote(tmp_path_factory.mktemp("zygote"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def make_workspace(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Callable[[str], Workspace]:
    """Makes empty workspaces that share one `checkpoints/`, so that the tiny model is made once."""
    checkpoints = tmp_path_factory.mktemp("checkpoints")

    def make(name: str) -> Workspace:
        folder = tmp_path_factory.mktemp(name)
        (folder / "checkpoints").symlink_to(checkpoints)
        return Workspace(folder, zygote)

    return make


@pytest.fixture
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    return make_workspace("workspace")


@pytest.fixture(scope="session")
def quickstart(make_workspace: Callable[[str], Workspace], manifests: Path) -> tuple[Workspace, Ran]:
    """The quick start's manifest, run once in a folder that tests may read and must leave as it was."""
    workspace = make_workspace("quickstart")
    return workspace, workspace.standin("run", manifests / "quickstart.yaml")


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All weights of a 14B model, as far as headers tell; to be read only."""
    from sparse_weights import write_wan21

    return write_wan21(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def root(sound: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    from sparse_weights import linked

    return linked(sound, tmp_path / "root")

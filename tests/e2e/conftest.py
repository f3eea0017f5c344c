"""The real command line, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml


def _command(arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "standin_batch", *(str(argument) for argument in arguments)]


@dataclass(frozen=True)
class Workspace:
    """A folder in which `standin` is called, as a person would."""

    folder: Path

    def standin(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = _command(arguments)
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(_command(arguments), cwd=self.folder, text=True, **pipes)

    def manifest(self, name: str, content: dict) -> Path:
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"version": 1, "name": name, **content}, allow_unicode=True, sort_keys=False))
        return path

    def records(self, name: str) -> list[dict]:
        paths = sorted((self.folder / "outputs" / name / "records").glob("*.json"))
        return [json.loads(path.read_text()) for path in paths]


@pytest.fixture(scope="session")
def shared_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One `checkpoints/` for all tests, so that the tiny model is made once."""
    return tmp_path_factory.mktemp("checkpoints")


@pytest.fixture(scope="session")
def make_workspace(tmp_path_factory: pytest.TempPathFactory, shared_checkpoints: Path) -> Callable[[str], Workspace]:
    """Makes empty workspaces that share the tiny model."""

    def make(name: str) -> Workspace:
        folder = tmp_path_factory.mktemp(name)
        (folder / "checkpoints").symlink_to(shared_checkpoints)
        return Workspace(folder)

    return make


@pytest.fixture
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    return make_workspace("workspace")


@pytest.fixture(scope="session")
def quickstart(
    make_workspace: Callable[[str], Workspace], manifests: Path
) -> tuple[Workspace, subprocess.CompletedProcess[str]]:
    """The quick start's manifest, run once in a folder that tests may read and must leave as it was."""
    workspace = make_workspace("quickstart")
    return workspace, workspace.standin("run", manifests / "quickstart.yaml")

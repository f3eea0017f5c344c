"""A folder with the files that manifests name; a manifest is loaded there, or its problems are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from standin_batch.manifest import Manifest, ManifestError, Problem, Variant, load_manifest

FILES = (
    "faces/lecun.jpg",
    "faces/ruonan.jpg",
    "faces/skater.png",
    "faces/first_frame.png",
    "loras/ghibli.safetensors",
    "loras/turbo_high.safetensors",
    "loras/turbo_low.safetensors",
    "clips/pose.mp4",
    "clips/woman.mp4",
)


class Project:
    """A folder to write manifests into; paths are relative to it, as it is the current directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FILES:
            self.write(name, "")

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def load(
        self,
        text: str | bytes | None = None,
        *sets: str,
        environ: Mapping[str, str] | None = None,
        input_root: Path | None = None,
    ) -> Manifest:
        if text is not None:
            self.write("manifest.yaml", text)
        return load_manifest(Path("manifest.yaml"), overrides=sets, environ=environ or {}, input_root=input_root)

    def problems(self, text: str | bytes | None = None, *sets: str, **options: object) -> Sequence[Problem]:
        with pytest.raises(ManifestError) as caught:
            self.load(text, *sets, **options)
        return caught.value.problems

    def messages(self, text: str | bytes | None = None, *sets: str, **options: object) -> list[str]:
        """`line:column: message` of each problem."""
        return [f"{found.line}:{found.column}: {found.message}" for found in self.problems(text, *sets, **options)]

    def variants(self, text: str, *sets: str, **options: object) -> list[Variant]:
        """All videos of all jobs."""
        return [variant for job in self.load(text, *sets, **options).jobs for variant in job.variants()]

    def job(self, keys: str, *sets: str, top: str = "") -> list[Variant]:
        """All videos of one t2v job with `keys`, in flow style."""
        return self.variants(f"version: 1\n{top}jobs: [{{name: a, mode: t2v, prompt: A man walks., {keys}}}]\n", *sets)

    def job_problems(
        self, keys: str, *sets: str, top: str = "", mode: str = "mode: t2v, prompt: A man walks., "
    ) -> list[str]:
        """The messages about one job with `keys`."""
        text = f"version: 1\n{top}jobs: [{{name: a, {mode}{keys}}}]\n"
        return [found.message for found in self.problems(text, *sets)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that many manifests are written into, one after the other."""
    project = Project(tmp_path_factory.mktemp("fuzz"))
    project.write("captions.jsonl", '{"text": "one"}\n{"text": "two"}\n')
    return project.folder


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parents[3]

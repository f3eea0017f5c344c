"""`docs/cluster.md` has every key of the machine file, as it is declared, and an example of all of them that loads."""

from __future__ import annotations

import re

import pytest

from standin_batch.machine import load_machine
from standin_batch.machine.sections import MachineSections, RaySection, SlurmSection

SECTIONS = {"": MachineSections, "ray": RaySection, "slurm": SlurmSection}


@pytest.fixture
def page(docs):
    return (docs / "cluster.md").read_text(encoding="utf-8")


@pytest.fixture
def example(page, tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "standin.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("section", SECTIONS.values(), ids=lambda section: section.__name__)
def test_every_key_is_described(page, section):
    for name, field in section.model_fields.items():
        if name not in SECTIONS:
            assert f"| `{name}` | {' '.join(field.description.split())} |" in page


def test_the_example_loads_and_has_every_key(example):
    found = load_machine(example)
    assert (found.backend, found.slurm.workers, found.slurm.time) == ("slurm", 16, 720)
    written = {"": set[str]()}
    table = ""
    for line in example.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        elif " = " in line:
            written.setdefault(table, set()).add(line.split(" = ")[0])
    keys = {name: section.model_fields.keys() - SECTIONS.keys() for name, section in SECTIONS.items()}
    assert written == keys

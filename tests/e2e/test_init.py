"""`standin init`: from photographs and prompts to a manifest that runs."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys

import pytest
import yaml

PROMPTS = "A person sits at a desk.\n一个人举起双手。\n"


@pytest.fixture
def person(workspace, manifests):
    """Somebody with a folder of photographs and a file of prompts."""
    shutil.copytree(manifests / "faces", workspace.folder / "photos")
    (workspace.folder / "photos" / "notes.txt").write_text("none")
    (workspace.folder / "prompts.txt").write_text(PROMPTS)
    return workspace


def written(workspace, name="manifest.yaml"):
    return yaml.safe_load((workspace.folder / name).read_text())


def test_three_commands_lead_to_videos(person):
    ran = person.standin("init", "photos/", "--prompts", "prompts.txt", "--model", "tiny")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    assert "2 identities x 2 prompts x 2 seeds = 8 videos" in ran.stderr
    assert "left out: notes.txt (no picture)" in ran.stderr
    assert written(person)["identities"] == {
        "astronaut": "photos/astronaut.png",
        "chelsea": {"image": "photos/chelsea.png", "kind": "subject"},
    }
    valid = person.standin("validate", "manifest.yaml")
    assert valid.returncode == 0
    assert "valid: photos, 8 videos in 1 job" in valid.stderr
    assert "warning" not in valid.stderr
    made = person.standin("run", "manifest.yaml", "--limit", 1, "--set", "defaults.num_inference_steps=1")
    assert made.returncode == 0, made.stderr
    assert len(person.records("photos")) == 1


def test_a_manifest_that_is_there_stays(person):
    (person.folder / "manifest.yaml").write_text("mine")
    ran = person.standin("init", "photos")
    assert ran.returncode == 2
    assert "manifest.yaml is there already" in ran.stderr and "--force" in ran.stderr
    assert (person.folder / "manifest.yaml").read_text() == "mine"
    assert person.standin("init", "photos", "--force", "--no-look").returncode == 0
    assert written(person)["version"] == 1


def test_without_a_terminal_it_asks_nothing(workspace, manifests):
    ran = workspace.standin("init")
    assert ran.returncode == 2
    assert "no photographs were named" in ran.stderr
    assert "standin init photos/ --prompts prompts.txt" in ran.stderr
    shutil.copytree(manifests / "faces", workspace.folder / "photos")
    assert workspace.standin("init", "--no-look").returncode == 0, "photos/ is what it would propose"
    assert list(written(workspace)["prompts"]) == ["desk", "wave"]
    assert "no --prompts" in workspace.standin("init", "--no-look", "--force").stderr


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["nowhere"], "there is no nowhere"),
        (["empty"], "there is no picture to use in empty"),
        (["photos", "--model", "wan3"], "there is no model 'wan3'"),
        (["photos", "--seeds", "x"], "are no seeds"),
        (["photos", "--name", "a b"], "is no name"),
        (["photos", "--prompts", "none.txt"], "none.txt cannot be read"),
        (["photos", "-o", "empty"], "empty is a folder"),
        (["photos/notes.txt"], "notes.txt: it is not a picture"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_leave_nothing_behind(person, arguments, told):
    (person.folder / "empty").mkdir()
    ran = person.standin("init", *arguments)
    assert ran.returncode == 2, ran.stderr
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(person.folder.glob("*.yaml")) and not list(person.folder.glob(".tmp-*"))


def test_without_face_models_it_says_that_nobody_looked(person):
    ran = person.standin("init", "photos", "--model", "wan2.1-t2v-14b", "--checkpoints", person.folder / "none")
    assert ran.returncode == 0, ran.stderr
    assert "no face models of wan2.1-t2v-14b here" in ran.stderr
    assert "There were no face models to look with" in (person.folder / "manifest.yaml").read_text()
    assert written(person)["identities"]["chelsea"] == "photos/chelsea.png"


def test_a_manifest_elsewhere_finds_its_files(person):
    ran = person.standin("init", "photos", "--prompts", "prompts.txt", "--no-look", "-o", "manifests/first.yaml")
    assert ran.returncode == 0, ran.stderr
    assert written(person, "manifests/first.yaml")["identities"]["astronaut"] == "../photos/astronaut.png"
    assert person.standin("validate", "manifests/first.yaml").returncode == 0


def test_it_imports_no_torch(person):
    command = [sys.executable, "-X", "importtime", "-m", "standin_batch", "init", "photos", "--model", "tiny"]
    ran = subprocess.run(command, cwd=person.folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    imported = {line.split("|")[-1].strip().split(".")[0] for line in ran.stderr.splitlines() if "import time:" in line}
    assert "insightface" in imported
    assert imported.isdisjoint({"torch", "diffsynth", "transformers"})


def test_on_a_terminal_it_asks_and_asks_again(person):
    shown = talked(person.folder, ["nowhere", "photos", "", "wan3", "tiny", "3"])
    assert "Folder of photographs [photos]" in shown
    assert "there is no nowhere" in shown
    assert "one a line [prompts.txt]" in shown
    assert "there is no model 'wan3'" in shown
    assert "2 identities x 2 prompts x 1 seed = 4 videos" in shown
    found = written(person)
    assert found["jobs"][0]["matrix"]["seed"] == [3]
    assert list(found["prompts"].values()) == PROMPTS.splitlines()


def test_on_a_terminal_yes_asks_nothing(person):
    assert "Folder of photographs" not in talked(person.folder, [], "--yes", "--no-look")
    assert (person.folder / "manifest.yaml").is_file()


def talked(folder, answers, *arguments):
    """What a terminal shows of `standin init`, each answer given when a question stands there."""
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "standin_batch", "init", *arguments]
    child = subprocess.Popen(command, cwd=folder, stdin=its, stdout=its, stderr=its)
    os.close(its)
    shown, left = "", list(answers)
    while piece := read(mine):
        shown += piece
        if left and shown.endswith(": "):
            os.write(mine, f"{left.pop(0)}\n".encode())
    os.close(mine)
    assert child.wait(timeout=60) == 0, shown
    assert not left, shown
    return shown


def read(terminal):
    """What comes next; nothing when nobody writes any more."""
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:
        return ""

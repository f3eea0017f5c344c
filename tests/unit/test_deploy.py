"""The units and the crontab of manifests/deploy: systemd takes them, and the command line knows what they say."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import typer

from standin_batch.cli.main import app
from standin_batch.errors import ExitCode

HOME = "/home/video/standin_batch"
"""Written in the files, for the folder of the installation."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture(scope="session")
def deploy(manifests):
    return manifests / "deploy"


@pytest.fixture
def installed(deploy, tmp_path):
    """The units as `/etc/systemd/system` would have them, with an installation at the place that they name."""
    program = tmp_path / "home" / ".venv" / "bin" / "standin"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    for unit in deploy.glob("standin*@.*"):
        (tmp_path / unit.name).write_text(unit.read_text().replace(HOME, str(tmp_path / "home")))
    return tmp_path


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False)


def complaints(unit):
    """What systemd says of our units; what it says of others on the machine is not our business."""
    return [line for line in analyze("verify", "--man=no", unit).stderr.splitlines() if "standin" in line]


def settings(unit):
    """What a unit says, by its key; several values of one key in order."""
    found = {}
    for line in unit.read_text().splitlines():
        if (match := re.match(r"([A-Za-z]+)=(.*)", line)) is not None:
            found.setdefault(match[1], []).append(match[2])
    return found


def commands(deploy):
    """The calls of `standin` that are in the files: name of the command, and its words."""
    for path in sorted(deploy.iterdir()):
        for line in path.read_text().splitlines():
            if not line.startswith("#") and (match := re.search(r"\.venv/bin/standin (\S+) (.*)", line)) is not None:
                yield match[1], match[2].split()


@needs_systemd
@pytest.mark.parametrize("name", ["standin@.service", "standin@.timer", "standin-failed@.service"])
def test_systemd_takes_the_unit(installed, name):
    assert complaints(installed / name) == []


@needs_systemd
def test_systemd_would_tell_of_a_mistake(installed):
    """So that the test above can fail."""
    unit = installed / "standin@.service"
    unit.write_text(unit.read_text().replace("Type=oneshot", "Type=oneshott").replace("[Service]", "[Service]\nNo=1"))
    assert len(complaints(unit)) == 2


@needs_systemd
def test_the_time_of_the_timer_comes_every_night(deploy):
    (when,) = settings(deploy / "standin@.timer")["OnCalendar"]
    found = analyze("calendar", "--iterations=2", when)
    assert found.returncode == 0, found.stderr
    assert found.stdout.count("22:00:00") == 3, "its plain form, and two nights"


def test_the_ends_that_the_next_night_mends_are_no_failures(deploy):
    (codes,) = settings(deploy / "standin@.service")["SuccessExitStatus"]
    assert {int(code) for code in codes.split()} == {ExitCode.LOCKED, ExitCode.STOPPED}


def test_the_units_name_each_other(deploy):
    service = settings(deploy / "standin@.service")
    assert service["OnFailure"] == ["standin-failed@%i.service"]
    assert (deploy / "standin-failed@.service").is_file()


def test_nothing_hides_the_gpu_or_the_caches(deploy):
    hiding = {"PrivateDevices", "DevicePolicy", "DeviceAllow", "ProtectClock", "ProtectHome", "ProtectProc"}
    assert hiding.isdisjoint(settings(deploy / "standin@.service"))
    assert settings(deploy / "standin@.service")["KillMode"] == ["mixed"], "SIGTERM must not reach ffmpeg"


def test_every_option_is_one_of_the_command(deploy):
    known = typer.main.get_command(app).commands
    found = list(commands(deploy))
    assert {name for name, _ in found} == {"run", "doctor"}
    for name, words in found:
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options


def test_the_crontab_has_a_time_and_a_command_in_each_line(deploy):
    lines = [line for line in (deploy / "standin.crontab").read_text().splitlines() if line and line[0] != "#"]
    jobs = [line for line in lines if not re.match(r"[A-Z_]+=", line)]
    assert [job.split()[:5] for job in jobs] == [["0", "22", "*", "*", "*"]]
    assert not any("%" in job for job in jobs), "a line break to cron"


def test_the_documentation_names_every_file(deploy, docs):
    text = (docs / "gpu-box.md").read_text()
    assert all(path.name in text for path in deploy.iterdir())

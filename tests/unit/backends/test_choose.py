"""Which backend a run gets, and what it is told of a backend that this machine does not have."""

from __future__ import annotations

import pytest

from standin_batch.backends.choose import choose
from standin_batch.backends.lacks import backend_faults, backend_findings
from standin_batch.environment import Level
from standin_batch.errors import NotReadyError, UsageError
from standin_batch.machine import MachineFile, MachineFileError, RayOptions, SlurmOptions

WORKERS = MachineFile(slurm=SlurmOptions(workers=2))


def there(_name):
    return True


def nothing(_name):
    return False


@pytest.fixture
def config(tmp_path):
    """Makes a machine file."""

    def make(text: str):
        path = tmp_path / "standin.toml"
        path.write_text(text)
        return path

    return make


@pytest.fixture
def no_programs(tmp_path, monkeypatch):
    """No program is found."""
    monkeypatch.setenv("PATH", str(tmp_path))


def faults(name, settings=WORKERS, installed=there, found=there):
    return [(fault.message, fault.hint) for fault in backend_faults(name, settings, installed, found)]


def test_without_a_machine_file_a_run_is_local(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert choose().name == "local"
    assert choose().settings == MachineFile()


def test_the_option_wins_over_the_file_whose_settings_stay(config):
    path = config("backend = 'slurm'\nstage_to = '/scratch'\n[slurm]\nworkers = 2")
    chosen = choose("local", path)
    assert chosen.name == "local"
    assert (chosen.settings.backend, str(chosen.settings.stage_to)) == ("slurm", "/scratch")


def test_the_command_line_says_how_many_workers_there_are(config):
    path = config("backend = 'ray'\n[ray]\nworkers = 2")
    assert choose(None, path, None, there).settings.ray.workers == 2
    assert choose(None, path, 5, there).settings.ray.workers == 5


def test_a_local_run_has_no_workers(config):
    with pytest.raises(UsageError, match="no workers"):
        choose(None, config(""), 2)


def test_a_backend_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="there is no backend 'kubernetes'") as raised:
        choose("kubernetes")
    assert raised.value.hint == "use one of local, ray, slurm"


def test_a_wrong_machine_file_is_told_also_where_the_option_wins(config):
    with pytest.raises(MachineFileError, match="`workers` must be"):
        choose("local", config("[ray]\nworkers = 0"))


def test_what_slurm_has_to_be_told_is_asked_for_first(config, no_programs):
    with pytest.raises(UsageError, match="how many workers") as raised:
        choose("slurm", config("[slurm]\nmem = '1G'"))
    assert str(config("")) in raised.value.hint


def test_slurm_is_used_from_where_it_is(config, no_programs):
    with pytest.raises(NotReadyError, match="needs `sbatch`, which is not here") as raised:
        choose(None, config("backend = 'slurm'\n[slurm]\nworkers = 2"))
    assert "login node" in raised.value.hint


@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_a_package_that_is_missing_is_named_with_its_extra(name, package):
    ((message, hint),) = faults(name, installed=nothing)
    assert message == f"the backend `{name}` needs {package}, which is not installed"
    assert hint.endswith(f"-m pip install 'standin-batch[{name}]'")


def test_all_that_is_missing_is_told(config):
    assert len(faults("slurm", MachineFile(), installed=nothing, found=nothing)) == 3


@pytest.mark.parametrize("name", ["local", "ray", "slurm"])
def test_what_is_there_is_no_fault(name):
    assert faults(name) == []


def test_the_local_backend_needs_nothing():
    assert faults("local", MachineFile(), nothing, nothing) == []


def test_a_client_of_ray_needs_what_talks_to_it():
    remote = MachineFile(ray=RayOptions(address="ray://head:10001"))
    ((message, hint),) = faults("ray", remote, installed=lambda package: package == "ray")
    assert message == "the address ray://head:10001 needs grpcio, which is not installed"
    assert hint.endswith("-m pip install 'ray[client]'")


def test_doctor_says_which_backend_and_why(tmp_path, no_programs):
    (found,) = backend_findings(MachineFile())
    assert (found.level, found.message) == (Level.OK, "local: there is no standin.toml")
    asking = MachineFile(backend="slurm", slurm=SlurmOptions(workers=2), path=tmp_path / "a.toml")
    errors = list(backend_findings(asking))
    assert {error.level for error in errors} == {Level.ERROR}
    assert any(
        error.message == f"slurm, as {tmp_path / 'a.toml'} says: the backend `slurm` needs `sbatch`, which is not here"
        for error in errors
    )


def test_doctor_looks_at_the_disk_that_weights_are_copied_to(tmp_path):
    _, disk = backend_findings(MachineFile(stage_to=tmp_path / "scratch"))
    assert disk.subject == "stage_to"
    assert f"free in {tmp_path / 'scratch'}" in disk.message
    assert len(list(backend_findings(MachineFile(stage_to=tmp_path / "$SLURM_TMPDIR")))) == 1

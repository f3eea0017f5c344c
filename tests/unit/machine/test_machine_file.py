"""The machine file: which one holds, what it says, and every mistake in it at once, each where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from standin_batch.errors import ExitCode
from standin_batch.machine import MachineFile, MachineFileError, RayOptions, SlurmOptions, load_machine
from standin_batch.machine.sections import RaySection, SlurmSection

WHOLE = """
backend = "slurm"
stage_to = "$TMPDIR/weights"

[ray]
address = "ray://head:10001"
workers = 4
gpus_per_worker = 0
cpus_per_worker = 2
threads = 1
shared = false

[slurm]
workers = 8
partition = "gpu"
account = "lab"
qos = "low"
constraint = "h100"
reservation = "night"
time = "12:00:00"
gpus_per_worker = 0
cpus_per_worker = 8
mem = "64G"
threads = 4
setup = [
  "module load cuda",  # a comment
  "export A=1",
]
signal_before = 300
max_requeues = 5
extra = { mail-user = "me@example.org", exclusive = true }
"""


@pytest.fixture
def load(tmp_path):
    """Loads a machine file of this content."""

    def call(text: str) -> MachineFile:
        path = tmp_path / "standin.toml"
        path.write_text(text, encoding="utf-8")
        return load_machine(path)

    return call


@pytest.fixture
def problems(load):
    """What is wrong with a machine file of this content: line, message and hint of each mistake."""

    def call(text: str) -> list[tuple[int, str, str]]:
        with pytest.raises(MachineFileError) as raised:
            load(text)
        assert raised.value.exit_code is ExitCode.USAGE
        return [(problem.line, problem.message, problem.hint) for problem in raised.value.problems]

    return call


def test_everything_that_can_be_said(load, tmp_path):
    found = load(WHOLE)
    assert (found.backend, found.stage_to, found.path) == ("slurm", Path("$TMPDIR/weights"), tmp_path / "standin.toml")
    assert found.ray == RayOptions("ray://head:10001", 4, 0, 2, 1, False)
    assert found.slurm == SlurmOptions(
        workers=8,
        partition="gpu",
        account="lab",
        qos="low",
        constraint="h100",
        reservation="night",
        time=720,
        gpus_per_worker=0,
        cpus_per_worker=8,
        mem="64G",
        threads=4,
        setup=("module load cuda", "export A=1"),
        signal_before=300,
        max_requeues=5,
        extra={"mail-user": "me@example.org", "exclusive": True},
    )


def test_every_key_of_a_section_is_an_option_and_every_default_the_same():
    for section, options in ((RaySection, RayOptions()), (SlurmSection, SlurmOptions())):
        declared = {name: field.get_default() for name, field in section.model_fields.items()}
        assert {**declared, "setup": tuple(declared.get("setup", ()))} == {"setup": (), **vars(options)}


def test_an_empty_file_says_what_no_file_says(load, tmp_path):
    assert load("") == MachineFile(path=tmp_path / "standin.toml")


def test_workers_have_as_many_threads_as_processors_unless_said(load):
    found = load("[ray]\ncpus_per_worker = 4\n[slurm]\ncpus_per_worker = 8\nthreads = 2\n")
    assert (found.ray.omp_threads, found.slurm.omp_threads) == (4, 2)


def test_the_nearest_file_holds(tmp_path, monkeypatch):
    named, there = tmp_path / "named.toml", tmp_path / "variable.toml"
    here, home = tmp_path / "here", tmp_path / "config"
    for backend, path in (
        ("ray", named),
        ("local", there),
        ("ray", here / "standin.toml"),
        ("local", home / "standin" / "standin.toml"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'backend = "{backend}"')
    monkeypatch.chdir(here)
    environ = {"STANDIN_CONFIG": str(there), "XDG_CONFIG_HOME": str(home)}
    assert load_machine(named, environ).path == named
    assert load_machine(None, environ).path == there
    del environ["STANDIN_CONFIG"]
    assert load_machine(None, environ).path == Path("standin.toml")
    (here / "standin.toml").unlink()
    assert load_machine(None, environ).path == home / "standin" / "standin.toml"
    (home / "standin" / "standin.toml").unlink()
    assert load_machine(None, environ) == MachineFile()


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_file_that_was_named_has_to_be_there(tmp_path, by):
    gone = tmp_path / "gone.toml"
    with pytest.raises(MachineFileError, match=r"gone\.toml: cannot be read: No such file"):
        load_machine(gone if by == "option" else None, {"STANDIN_CONFIG": str(gone)})


def test_all_mistakes_are_told_at_once_each_in_its_line(problems):
    told = problems('backend = "slurmm"\nwork = 1\n\n[ray]\nworkers = "3"\nadress = "auto"\n[slurm]\ncpus = 2\n')
    assert told == [
        (1, "`backend` must be `local`, `ray` or `slurm`, not 'slurmm'", "did you mean `slurm`?"),
        (2, "a machine file has no key `work`", "its keys are: `backend`, `stage_to`, `ray`, `slurm`"),
        (5, "`workers` must be a whole number from 1 to 10,000, not '3'", "without quotes: `workers = 3`"),
        (6, "`[ray]` has no key `adress`", "did you mean `address`?"),
        (8, "`[slurm]` has no key `cpus`", "did you mean `cpus_per_worker`?"),
    ]


def test_a_mistake_is_shown_where_it_is(load, tmp_path):
    with pytest.raises(MachineFileError) as raised:
        load("[ray]\n  workers = 0  # none\n")
    path = tmp_path / "standin.toml"
    assert str(raised.value) == (
        f"{path}:2:13: `workers` must be a whole number from 1 to 10,000, not 0\n"
        "  |\n"
        "2 |   workers = 0  # none\n"
        "  |             ^^^^^^^^^\n\n"
        f"1 problem in {path}"
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('stage_to = "scratch"', 1, "`stage_to` is relative: 'scratch'"),
        ("ray = 3", 1, "`[ray]` must be a mapping, not 3"),
        ('ray = {workers = "x"}', 1, "`workers` must be a whole number from 1 to 10,000, not 'x'"),
        ("ray.workers = 0", 1, "`workers` must be a whole number from 1 to 10,000, not 0"),
        ("[ray]\ngpus_per_worker = 2", 2, "`gpus_per_worker` must be a whole number from 0 to 1, not 2"),
        ('[ray]\naddress = "head"', 2, "`address` is no address: 'head'"),
        ("[slurm]\nmem = '64 GB'", 2, "`mem` is no size of memory: '64 GB'"),
        ("[slurm]\ntime = 'noon'", 2, "`time` is no limit of time: 'noon'"),
        ("[slurm]\ntime = 0", 2, "`time` is no limit of time: '0'"),
        ("[slurm]\nsetup = ['a', 3]", 2, "`setup` is no list of texts"),
        ("[slurm]\nextra = {a = 1.5}", 2, "`extra` is no table of texts, whole numbers and `true`"),
        ("[slurm.extra]\npartition = 'x'", 1, "`extra` has `partition`"),
        ("[slurm.extra]\n--array = '1-3'", 1, "`extra` has `--array`, which the Slurm backend sets by itself"),
        ("backend = 'slurm'", 1, "`[slurm]` has no `workers`"),
        ("backend = 'slurm'\n[slurm]\nmem = '1G'", 2, "`[slurm]` has no `workers`"),
        (
            "[slurm]\ntime = 2",
            2,
            "`time` is over before a worker is to save, which is 120 seconds before its end",
        ),
    ],
)
def test_what_is_refused(problems, text, line, message):
    assert [(where, told) for where, told, _ in problems(text)] == [(line, message)]


@pytest.mark.parametrize(
    ("text", "line"), [("backend = ", 1), ("a = 1\n\na = 2", 3), ("[ray]\nworkers = 3 4", 2), ("x = '''", 1)]
)
def test_what_is_no_toml_is_told_with_its_line(problems, text, line):
    ((where, message, hint),) = problems(text)
    assert where == line
    assert "(at " not in message
    assert hint == "the file is TOML: `key = value`, texts in quotes"


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "standin.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(MachineFileError, match="it is not UTF-8"):
        load_machine(path)

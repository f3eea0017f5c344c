"""`${VARIABLE}` in scalars, after parsing."""

from __future__ import annotations

from standin_batch.manifest import ManifestError

ENVIRON = {"SEED": "5", "WHO": "a man", "SNEAKY": "x\njobs: []\n# {", "FACES": "faces"}


def prompt(project, written: str) -> str:
    (variant,) = project.variants(f"version: 1\njobs: [{{mode: t2v, prompt: {written}}}]\n", environ=ENVIRON)
    return variant.values["prompt"].text


def test_in_texts_and_escaped(project):
    assert prompt(project, '"${WHO} and ${WHO}"') == "a man and a man"
    assert prompt(project, '"$${WHO} costs $5"') == "${WHO} costs $5"


def test_an_unquoted_scalar_is_typed_anew(project):
    text = 'version: 1\njobs:\n  - mode: t2v\n    prompt: a b\n    seed: ${SEED}\n    negative_prompt: "${SEED}"\n'
    (variant,) = project.variants(text, environ=ENVIRON)
    assert (variant.values["seed"], variant.values["negative_prompt"]) == (5, "5")


def test_in_paths_and_names(project):
    text = 'version: 1\nidentities: {me: "${FACES}/lecun.jpg"}\njobs: [{mode: t2v, prompt: a b, identity: me}]\n'
    (variant,) = project.variants(text, environ=ENVIRON)
    assert variant.values["identity"].image == project.folder / "faces/lecun.jpg"


def test_a_value_cannot_change_the_structure(project):
    assert prompt(project, '"${SNEAKY}"') == ENVIRON["SNEAKY"].strip()


def test_unset_is_one_located_error(project):
    text = "version: 1\njobs:\n  - mode: t2v\n    prompt: a b\n    seed: ${SEDE}\n"
    (problem,) = project.problems(text, environ=ENVIRON)
    assert (problem.line, problem.column, problem.length) == (5, 11, 7)
    assert (problem.message, problem.hint) == ("the environment has no variable `SEDE`", "did you mean `SEED`?")


def test_what_is_no_variable(project):
    for written in ("${}", "${1}", "${A-b}", "${open", "${A:-x}"):
        messages = [
            found.message for found in project.problems(f"version: 1\njobs: [{{mode: t2v, prompt: 'a b {written}'}}]\n")
        ]
        assert messages == [f"`{written}` is no variable"]


def test_never_in_prompt_files(project):
    project.write("p.txt", "a ${WHO} walks\n")
    (variant,) = project.variants("version: 1\njobs: [{mode: t2v, prompt: {file: p.txt}}]\n", environ=ENVIRON)
    assert variant.values["prompt"].text == "a ${WHO} walks"


def test_the_processes_environment_is_the_default(project, monkeypatch):
    from standin_batch.manifest import load_manifest

    monkeypatch.setenv("STANDIN_TEST_SEED", "11")
    path = project.write("m.yaml", "version: 1\njobs:\n- mode: t2v\n  prompt: a b\n  seed: ${STANDIN_TEST_SEED}\n")
    (variant,) = load_manifest(path).jobs[0].variants()
    assert variant.values["seed"] == 11


def test_from_the_command_line_too(project):
    (variant,) = project.job("seed: 1", "jobs.a.seed=9")
    assert variant.values["seed"] == 9
    try:
        project.load("version: 1\njobs: [{name: a, mode: t2v, prompt: a b}]\n", "jobs.a.seed=${NOPE}")
    except ManifestError as error:
        assert error.problems[0].where == "--set jobs.a.seed=${NOPE}"

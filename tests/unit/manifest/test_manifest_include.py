"""Several files as one manifest."""

from __future__ import annotations


def test_jobs_concatenate_and_the_includer_wins_elsewhere(project):
    project.write(
        "base/common.yaml",
        (
            "version: 1\nname: base\nmodel: tiny-2.2\ninclude: [../deep/more.yaml]\n"
            "output: {quality: 3, lossless: true}\n"
            "defaults: {seed: 1, fps: 5, mode: t2v}\nidentities: {me: ../faces/lecun.jpg, you: ../faces/ruonan.jpg}\n"
            "prompts: {desk: From below}\njobs: [{name: b, prompt: desk, identity: me}]\n"
        ),
    )
    project.write("deep/more.yaml", "jobs: [{name: deep, prompt: desk, identity: ../faces/skater.png}]\n")
    manifest = project.load(
        "version: 1\nname: top\ninclude: base/common.yaml\noutput: {quality: 4}\ndefaults: {seed: 2}\n"
        "identities: {me: faces/skater.png}\nprompts: {desk: From above}\n"
        "jobs: [{name: t, prompt: desk, identity: you}]\n"
    )
    assert (manifest.name, manifest.output.quality, manifest.output.lossless) == ("top", 4, True)
    values = {job.name: next(job.variants()).values for job in manifest.jobs}
    assert list(values) == ["deep", "b", "t"]
    assert {found["prompt"].text for found in values.values()} == {"From above"}
    assert {(found["seed"], found["fps"], found["model"]) for found in values.values()} == {(2, 5.0, "tiny-2.2")}
    faces = project.folder / "faces"
    assert values["b"]["identity"].image == faces / "skater.png"
    assert values["t"]["identity"].image == faces / "ruonan.jpg"
    assert values["deep"]["identity"].image == faces / "skater.png"


def test_a_file_reached_twice_is_read_once(project):
    project.write("d.yaml", "jobs: [{name: d, mode: t2v, prompt: a b}]\n")
    for name in ("b", "c"):
        project.write(f"{name}.yaml", f"include: d.yaml\njobs: [{{name: {name}, mode: t2v, prompt: a b}}]\n")
    assert [job.name for job in project.load("version: 1\ninclude: [b.yaml, c.yaml]\n").jobs] == ["d", "b", "c"]


def test_mistakes_name_the_file_they_are_in(project):
    project.write("sub/one.yaml", "version: 2\njobs:\n  - {name: x, mode: t2v, prompt: a b, seed: y}\n")
    project.write("sub/two.yaml", "jbos: []\n")
    found = project.problems(
        "version: 1\ninclude: [sub/one.yaml, sub/two.yaml]\njobs: [{name: x, mode: t2v, prompt: a b}]\n"
    )
    assert [f"{problem.where}: {problem.message}" for problem in found] == [
        "manifest.yaml:3:15: two jobs are called `x`; the other one is at sub/one.yaml:3",
        "sub/one.yaml:1:10: `version` must be `1`, not 2",
        "sub/one.yaml:3:45: `seed` must be a whole number, 0 or more, below 2^63, or `random`, not 'y'",
        "sub/two.yaml:1:1: a manifest has no key `jbos`",
    ]


def test_circles(project):
    project.write("b.yaml", "include: [manifest.yaml, b.yaml]\n")
    found = project.problems("version: 1\ninclude: b.yaml\njobs: [{mode: t2v, prompt: a b}]\n")
    assert [f"{problem.where}: {problem.message}" for problem in found] == [
        "b.yaml:1:11: a circle: this includes manifest.yaml, which includes this one (through manifest.yaml:2)",
        "b.yaml:1:26: a circle: this includes this very file",
    ]


def test_depth(project):
    for i in range(30):
        project.write(f"f{i}.yaml", f"include: f{i + 1}.yaml\n")
    (problem,) = project.problems("version: 1\ninclude: f0.yaml\njobs: [{mode: t2v, prompt: a b}]\n")
    assert problem.message == "included files are nested deeper than 16; the first of them at manifest.yaml:2"
    assert problem.where == "f14.yaml:1:10"


def test_what_cannot_be_included(project):
    found = project.messages(
        "version: 1\ninclude: [none.yaml, 3, faces, http://x.y/z.yaml]\njobs: [{mode: t2v, prompt: a b}]\n"
    )
    assert found == [
        "2:11: the file 'none.yaml' does not exist",
        "2:22: `include` takes names of files, not 3",
        "2:25: the file 'faces' is a folder",
        "2:32: 'http://x.y/z.yaml' is a URL",
    ]


def test_broken_files_break_nothing_else(project):
    project.write("broken.yaml", "a: [1\n")
    found = project.problems("version: 1\ninclude: broken.yaml\njobs: [{mode: t2v, prompt: a b, seed: x}]\n")
    assert [problem.file for problem in found] == ["broken.yaml", "manifest.yaml"]


def test_an_input_root_confines_everything_that_is_read(project):
    inside = project.folder / "inside"
    project.write("inside/face.jpg", "")
    project.write("secret.txt", "root:x:0:0")
    (inside / "link.jpg").symlink_to(project.folder / "faces" / "lecun.jpg")
    (inside / "up").symlink_to(project.folder)
    found = project.messages(
        "version: 1\ninclude: [secret.txt]\n"
        "identities: {a: inside/link.jpg, b: inside/../faces/lecun.jpg, c: inside/up/faces/lecun.jpg,"
        " d: inside/face.jpg}\n"
        "prompts: {p: {file: secret.txt}}\nvideos: {v: /etc/nothing-here}\n"
        "jobs: [{mode: t2v, prompt: a b, identity: faces/nobody.jpg}]\n",
        input_root=inside,
    )
    assert [message.partition(" is outside")[0] for message in found] == [
        "2:11: the file 'secret.txt'",
        "3:17: the image 'inside/link.jpg'",
        "3:37: the image 'inside/../faces/lecun.jpg'",
        "3:67: the image 'inside/up/faces/lecun.jpg'",
        "4:21: the prompt file 'secret.txt'",
        "5:13: the video '/etc/nothing-here'",
        "6:43: the image 'faces/nobody.jpg'",
    ]

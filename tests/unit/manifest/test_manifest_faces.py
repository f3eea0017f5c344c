"""`faces:`: from where on preflight objects, as the manifest says it and the lock file keeps it."""

from dataclasses import fields, replace

import pytest
from contents import Contents

from standin_batch.expand import Draw, expand
from standin_batch.face.checks import Cause, FaceChecks
from standin_batch.manifest import ManifestError, load_manifest
from standin_batch.manifest.kinds import CAUSES
from standin_batch.manifest.lock import lock
from standin_batch.manifest.sections import FacesSection

JOBS = "jobs: [{mode: t2v, prompt: A man walks.}]\n"


def loaded(project, faces=""):
    project.write("m.yaml", f"version: 1\n{faces}\n{JOBS}")
    return load_manifest(project.folder / "m.yaml", environ={})


def test_every_threshold_is_a_key_with_its_default(project):
    assert set(FacesSection.model_fields) == {field.name for field in fields(FaceChecks)}
    assert loaded(project).faces == FaceChecks()


def test_every_cause_can_be_refused(project):
    assert tuple(cause.value for cause in Cause) == CAUSES
    assert loaded(project, f"faces: {{refuse: [{', '.join(CAUSES)}]}}").faces.refuse == CAUSES


def test_what_is_said_stands_in_the_place_of_the_defaults(project):
    found = loaded(project, "faces: {min_side: 128, max_yaw: 20, refuse: [], same_person: -0.5}").faces
    assert found == replace(FaceChecks(), min_side=128, max_yaw=20.0, refuse=(), same_person=-0.5)


def test_an_included_file_says_what_the_includer_does_not(project):
    project.write("common.yaml", "faces: {min_side: 128, max_yaw: 20}\n")
    found = loaded(project, "include: [common.yaml]\nfaces: {max_yaw: 25}").faces
    assert (found.min_side, found.max_yaw) == (128, 25.0)


def test_the_lock_file_keeps_it(project):
    manifest = loaded(project, "faces: {min_side: 128, refuse: [blurred, no_face]}")
    text = lock(manifest, expand(manifest, Contents(), Draw("ab")).drawn).text
    project.write("locked.yaml", text)
    assert load_manifest(project.folder / "locked.yaml", environ={}).faces == manifest.faces


def test_nothing_of_it_changes_a_job(project):
    ids = [
        [job.job_id for job in expand(loaded(project, said), Contents(), Draw("ab")).jobs]
        for said in ("", "faces: {min_side: 128, refuse: []}")
    ]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("{min_sidee: 1}", "`faces` has no key `min_sidee`"),
        ("{refuse: [blury]}", "there is no cause `blury`"),
        ("{refuse: blurred}", "`refuse` must be a list"),
        ("{max_cut_off: 25}", "`max_cut_off` must be a number from 0 to 1, not 25"),
        ("3", "`faces` must be a mapping"),
    ],
)
def test_mistakes_are_told(project, said, message):
    with pytest.raises(ManifestError) as caught:
        loaded(project, f"faces: {said}")
    assert message in str([problem.message for problem in caught.value.problems])

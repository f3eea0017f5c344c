"""The key of a prepared subject: what a run names it, a record leads to."""

from __future__ import annotations

import dataclasses

import pytest

from standin_batch.output.subject_key import recorded_key, subject_key


@pytest.mark.parametrize("kind", ["face", "subject"])
def test_a_record_leads_to_the_key_of_its_job(kind):
    from standin_batch.job import Subject

    subject = Subject("ada", None, kind, "whole_image", "ab" * 32)
    record = {
        "identity_sha256": subject.digest,
        "identity_kind": kind,
        "identity_on_no_face": subject.on_no_face,
        "weights": {"base": "b", "face": "f"},
    }
    assert recorded_key(record) == subject_key(subject.fingerprint(), "f")
    other = dataclasses.replace(subject, digest="cd" * 32)
    assert recorded_key(record) != subject_key(other.fingerprint(), "f")


def test_without_an_identity_there_is_no_key():
    assert recorded_key({"identity_sha256": None, "identity_kind": None, "weights": {}}) is None
    assert recorded_key({}) is None

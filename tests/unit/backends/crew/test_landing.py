"""What workers send lands in the output folder, whole, and nowhere else."""

from __future__ import annotations

import errno
import os
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import make_record, write_records

from standin_batch.backends.crew.landing import Landing, place
from standin_batch.backends.crew.news import Sent
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputError
from standin_batch.output.video import write_video
from standin_batch.run.outcomes import RunEnded

PARTS = st.sampled_from(["..", ".", "", "a", "videos", "link", "\0", "..a", " ", "~", "C:"])
NAMES = st.builds(lambda parts, root: root + "/".join(parts), st.lists(PARTS, max_size=6), st.sampled_from(["", "/"]))


@pytest.fixture
def layout(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return OutputLayout(folder)


@pytest.fixture
def landing(layout):
    return Landing(layout)


def test_a_file_is_there_whole_and_goes_again(layout, landing):
    path = PurePosixPath("videos/a/b.mp4")
    landing.receive(Sent(path, b"one"))
    landing.receive(Sent(path, b"two"))
    assert (layout.folder / path).read_bytes() == b"two"
    assert not list(layout.folder.rglob(".tmp-*"))
    landing.receive(Sent(path, None))
    landing.receive(Sent(path, None))
    assert not (layout.folder / path).exists()


def test_lines_come_behind_each_other(layout, landing):
    path = PurePosixPath(".standin/journal/x.jsonl")
    for line in (b'{"a":1}\n', '{"b":"ä"}\n'.encode()):
        landing.receive(Sent(path, line, is_line=True))
    assert (layout.folder / path).read_text() == '{"a":1}\n{"b":"ä"}\n'


@given(NAMES)
def test_no_name_leads_out_of_the_folder(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp() / "landing"
    folder.mkdir(exist_ok=True)
    if not (folder / "link").is_symlink():
        (folder / "link").symlink_to("..")
    try:
        found = place(folder, PurePosixPath(name))
    except OutputError:
        return
    assert found.resolve().is_relative_to(folder) or found == folder / "link"
    assert found != folder


@pytest.mark.parametrize("name", ["/etc/x", "../x", "videos/../../x", "", ".", "link/x"])
def test_what_leads_out_ends_the_run_and_writes_nothing(tmp_path, layout, landing, name):
    (layout.folder / "link").symlink_to(tmp_path)
    with pytest.raises(RunEnded, match="leads out") as ended:
        landing.receive(Sent(PurePosixPath(name), b"x"))
    assert ended.value.why == "machine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert [path.name for path in layout.folder.iterdir()] == ["link"]


@pytest.mark.parametrize(
    ("number", "why"), [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (errno.EROFS, "machine")]
)
def test_a_folder_that_cannot_be_written_ends_the_run(landing, monkeypatch, number, why):
    def refuse(self, content):
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(RunEnded) as ended:
        landing.receive(Sent(PurePosixPath("records/a.json"), b"{}"))
    assert ended.value.why == why


def test_the_record_of_a_video_that_is_replaced_goes_before_it(layout, landing):
    old, other = make_record(1, video="videos/same.mp4"), make_record(2)
    write_records(layout, [old, other])
    frames = np.zeros((5, 32, 32, 3), np.uint8)
    write_video(
        layout.folder / old["video"], frames, 8.0, quality=5, lossless=False, metadata={"job_id": old["job_id"]}
    )
    landing.receive(Sent(PurePosixPath(old["video"]), b"another"))
    assert not layout.record(old["job_id"]).exists()
    assert layout.record(other["job_id"]).exists()

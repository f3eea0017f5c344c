"""The mirror: what a worker writes where nobody else sees it, the driver has before it is told of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from jobs import make_job
from records import make_record, write_records

from standin_batch.attempts import attempt
from standin_batch.backends.crew.freight import Freight, Freighter, Input
from standin_batch.backends.crew.landing import Landing
from standin_batch.backends.crew.mirror import Mirror
from standin_batch.backends.crew.news import Sent, Told
from standin_batch.job import Subject, job_id
from standin_batch.manifest.manifest import Acceptance
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import DROPPED
from standin_batch.plan.planner import make_plan
from standin_batch.run import events
from standin_batch.run.journal import Journal, State
from standin_batch.run.journals import history


class Way:
    """The way from a mirror to the driver: what was sent, and the driver's folder as it becomes by it."""

    def __init__(self, layout):
        self.layout, self.news = layout, []
        self._landing = Landing(layout)

    def __call__(self, news):
        self.news.append(news)
        if isinstance(news, Sent):
            self._landing.receive(news)

    @property
    def paths(self):
        return [str(news.path) for news in self.news if isinstance(news, Sent)]

    @property
    def events(self):
        return [news.event for news in self.news if isinstance(news, Told)]


@pytest.fixture
def home(tmp_path):
    return OutputLayout(tmp_path / "home")


@pytest.fixture
def way(home):
    return Way(home)


@pytest.fixture
def mirror(tmp_path, home, way):
    return Mirror(tmp_path / "node", home.folder, "w1", way, bytes)


def files(layout):
    found = (path for path in layout.folder.rglob("*") if path.is_file())
    return {layout.relative(path): path.read_bytes() for path in found}


def make_clip(layout, record, latents=b"latents"):
    """What a worker leaves of a clip that it has made."""
    write_records(layout, [record])
    for path in (layout.poster(record["job_id"]), layout.latents(record["job_id"])):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(latents)


def save(layout, job_id, content):
    path = layout.saved_state(job_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return layout.relative(path)


def completed(record):
    return events.JobCompleted(record["job_id"], "label", record["video"], 1.0)


def test_what_is_saved_is_sent_before_it_is_told(mirror, way, home):
    name = save(mirror.layout, "abc", b"step 2")
    mirror.tell(events.JobSaved("abc", 2, 4))
    assert way.news == [Sent(PurePosixPath(name), b"step 2"), Told(events.JobSaved("abc", 2, 4))]
    assert home.saved_state("abc").read_bytes() == b"step 2"


def test_a_clip_is_sent_with_its_record_last_and_nothing_of_it_is_kept(mirror, way, home):
    save(mirror.layout, "0" * 16, b"step 2")
    mirror.tell(events.JobSaved("0" * 16, 2, 4))
    way.news.clear()
    record = make_record(0)
    make_clip(mirror.layout, record)
    mirror.layout.saved_state(record["job_id"]).unlink()
    expected = files(mirror.layout)
    mirror.tell(completed(record))
    at = [home.relative(path) for path in (home.poster(record["job_id"]), home.latents(record["job_id"]))]
    state = home.relative(home.saved_state(record["job_id"]))
    assert way.paths == [record["video"], *at, home.relative(home.record(record["job_id"])), state]
    assert isinstance(way.news[-1], Told)
    assert files(home) == expected
    assert not files(mirror.layout)


def test_a_clip_without_latents_or_poster_is_sent_without(mirror, way, home):
    record = make_record(0)
    write_records(mirror.layout, [record])
    mirror.tell(completed(record))
    assert way.paths == [record["video"], f"records/{record['job_id']}.json"]


def test_frames_that_could_not_be_written_are_sent_at_the_end(mirror, way, home):
    save(mirror.layout, "abc", b"frames")
    mirror.close()
    assert home.saved_state("abc").read_bytes() == b"frames"


def test_what_is_saved_of_a_job_that_failed_for_good_goes(mirror, way, home):
    save(mirror.layout, "abc", b"step 2")
    mirror.tell(events.JobSaved("abc", 2, 4))
    mirror.layout.saved_state("abc").unlink()
    mirror.tell(events.JobFailed("abc", "label", "no numbers", "", "not_a_number"))
    assert not files(home)
    mirror.tell(events.JobFailed("abc", "label", "no numbers", "", "not_a_number"))
    assert way.paths.count(".standin/saved/abc.safetensors") == 2


def test_a_full_disk_of_the_worker_is_not_the_runs(mirror, way):
    mirror.tell(events.JobFailed("abc", "label", "no room", "", "disk_full"))
    assert way.events[-1].kind == "machine"


def judged(number, first, **said):
    return make_record(job_id=attempt(first, number).job_id, attempt_of=first.job_id, **said)


@pytest.fixture
def asks():
    job = make_job(0, accept=Acceptance((), best_of=1, max_reseeds=3, rejected="drop"))
    return replace(job, job_id=job_id(job))


def test_of_a_job_that_is_judged_all_that_changes_is_sent(mirror, way, home, asks):
    earlier = judged(0, asks, accepted=True)
    write_records(home, [earlier])
    plan = make_plan([asks], {})
    mirror.unpack(plan, Freighter(home).load("w1", plan))
    # The second attempt is made, and rejected; the third is taken, and the video of the second is dropped.
    second, third = judged(1, asks), judged(2, asks, accepted=True)
    make_clip(mirror.layout, second)
    mirror.tell(completed(second))
    assert (home.folder / second["video"]).is_file()
    assert (mirror.layout.folder / second["video"]).is_file()
    way.news.clear()
    make_clip(mirror.layout, third)
    said = {**earlier, "accepted": False}
    dropped = {**second, "accepted": False, **DROPPED}
    mirror.layout.record(said["job_id"]).write_text(json.dumps(said))
    mirror.layout.record(dropped["job_id"]).write_text(json.dumps(dropped))
    for path in (mirror.layout.folder / second["video"], mirror.layout.poster(second["job_id"])):
        path.unlink()
    mirror.tell(completed(third))
    for record in (said, dropped, third):
        assert json.loads(home.record(record["job_id"]).read_text()) == record
    assert way.paths[-1] == f"records/{third['job_id']}.json"
    assert not (home.folder / second["video"]).exists() and not home.poster(second["job_id"]).exists()
    assert home.latents(second["job_id"]).exists()
    assert (home.folder / earlier["video"]).exists() and (home.folder / third["video"]).exists()


def test_records_that_did_not_change_are_not_sent_and_make_room_for_the_next_parcel(mirror, way, home, asks):
    first = judged(0, asks)
    write_records(home, [first])
    plan = make_plan([asks], {})
    mirror.unpack(plan, Freighter(home).load("w1", plan))
    clip = judged(1, asks)
    make_clip(mirror.layout, clip)
    mirror.tell(completed(clip))
    assert f"records/{first['job_id']}.json" not in way.paths
    mirror.unpack(make_plan([], {}), Freight())
    assert not files(mirror.layout)
    assert (home.folder / clip["video"]).is_file()


def test_what_came_with_a_parcel_is_in_its_place_and_goes_when_it_is_done(mirror, way, home):
    record = make_record(0)
    save(home, record["job_id"], b"step 2")
    mirror.unpack(
        make_plan([], {}), Freight(files={PurePosixPath(f".standin/saved/{record['job_id']}.safetensors"): b"2"})
    )
    assert mirror.layout.saved_state(record["job_id"]).read_bytes() == b"2"
    mirror.layout.saved_state(record["job_id"]).unlink()
    make_clip(mirror.layout, record)
    mirror.tell(completed(record))
    assert not home.saved_state(record["job_id"]).exists()


def test_people_are_told_of_their_own_files(mirror, way, home, tmp_path):
    photograph = tmp_path / "photos" / "ada.png"
    subject = Subject("ada", photograph, "face", "error", "d1")
    plan = make_plan([make_job(0, subject=subject)], {})
    moved = mirror.unpack(plan, Freight(inputs={"d1": Input(photograph, b"ada")})).to_run[0].job.subject.image
    hint = f"standin why {mirror.layout.folder} 0000 --log"
    mirror.tell(events.JobFailed("0000", "label", f"no face was found in {moved}", hint, "input"))
    told = way.events[-1]
    assert told.error == f"no face was found in {photograph}"
    assert told.hint == f"standin why {home.folder} 0000 --log"


def test_the_journal_is_written_by_the_driver_and_read_as_the_workers_own(mirror, home):
    journal = Journal(mirror.journal, worker="w1")
    journal.write("0000", "label", State.FAILED, f"{mirror.layout.folder}/videos is full")
    journal.close()
    (entry,) = history(home.journals, "0000")
    assert (entry.worker, entry.state, entry.error) == ("w1", State.FAILED, f"{home.folder}/videos is full")


def test_the_log_comes_in_whole_lines_each_once(mirror, way, home):
    mirror.log.parent.mkdir(parents=True)
    mirror.log.write_text("one\ntwo\nthr")
    mirror.tell(events.JobRequeued("a", "label", "error", "io", 1, 1.0))
    assert home.worker("w1").log.read_text() == "one\ntwo\n"
    with mirror.log.open("a") as file:
        file.write("ee\nfour\n")
    mirror.close()
    assert home.worker("w1").log.read_text() == "one\ntwo\nthree\nfour\n"


def test_of_a_log_that_began_anew_all_is_sent(mirror, home):
    mirror.log.parent.mkdir(parents=True)
    mirror.log.write_text("one\ntwo\n")
    mirror.tell(events.JobRequeued("a", "label", "error", "io", 1, 1.0))
    mirror.log.write_text("new\n")
    mirror.close()
    assert home.worker("w1").log.read_text() == "one\ntwo\nnew\n"

"""`standin weights download` against a hub on this machine: whatever happens, the right files or a clear error."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from hub import serving
from hub_weights import ANTELOPE, ASSET, SHARD, SHARD_BYTES, STAND_IN, T2V, T5, VACE, WAN22, small_hub

ROW, ROW_22 = "wan2.1-t2v-14b", "wan2.2-t2v-a14b"
NOWHERE = "http://127.0.0.1:9"
FOLDERS = {
    T2V: "Wan2.1-T2V", VACE: "Wan2.1-VACE", WAN22: "Wan2.2-T2V", STAND_IN: "Stand-In", ANTELOPE: "antelopev2",
}  # fmt: skip
UNNEEDED = ("README.md", "assets/logo.png")
SECONDS = 60


@pytest.fixture
def hub():
    with serving(small_hub()) as served:
        yield served


class Machine:
    """A folder with its checkpoints, and the real command in processes that know the hub of the test."""

    def __init__(self, folder, hub):
        self.folder, self.checkpoints, self.hub = folder, folder / "checkpoints", hub

    def start(self, *arguments, checkpoints=None, setup=None, **environment):
        command = [sys.executable, "-m", "standin_batch", "weights", "download", *map(str, arguments)]
        command += ["--checkpoints", str(checkpoints or self.checkpoints)]
        own = {"HF_HOME": str(self.folder / "hf"), "STANDIN_CACHE": str(self.folder / "cache"), "NO_COLOR": "1"}
        of_hub = {"HF_ENDPOINT": self.hub.url, "STANDIN_GITHUB_MIRROR": self.hub.url}
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("HF_", "STANDIN_", "TRANSFORMERS_"))
        }
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment = {**kept, **own, **of_hub, **environment}
        return subprocess.Popen(command, cwd=self.folder, env=environment, preexec_fn=setup, **pipes)

    def download(self, *arguments, **options):
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def manifest(self, **content):
        path = self.folder / "manifest.yaml"
        job = {"name": "walk", "mode": "t2v", "prompt": "A person walks."}
        path.write_text(yaml.safe_dump({"version": 1, "name": "walk", "model": ROW, "jobs": [job], **content}))
        return path

    def target(self, repository, name):
        return self.checkpoints / FOLDERS[repository] / name

    def part(self, repository, name):
        digest = hashlib.sha256(self.hub.repositories[repository][name]).hexdigest()
        return self.checkpoints / ".incoming" / f"{digest}.part"

    def assert_whole(self, *repositories, besides=()):
        """Every file under a final name is right, and all that are needed are there."""
        for repository in repositories:
            files = {name: data for name, data in self.hub.repositories[repository].items() if name not in UNNEEDED}
            for name, content in files.items():
                if name not in besides:
                    assert self.target(repository, name).read_bytes() == content, name
        self.assert_nothing_half()

    def assert_nothing_half(self):
        for repository, folder in FOLDERS.items():
            below = self.checkpoints / folder
            for path in (path for path in below.rglob("*") if path.is_file()):
                assert path.read_bytes() == self.hub.repositories[repository][path.relative_to(below).as_posix()]

    def left(self):
        """What is staged."""
        return sorted(path.name for path in (self.checkpoints / ".incoming").glob("*.part"))


@pytest.fixture
def machine(tmp_path, hub):
    return Machine(tmp_path, hub)


@pytest.fixture
def text(machine):
    """A manifest whose one job uses the base model and nothing else."""
    return machine.manifest()


def test_a_model_comes_whole_and_nothing_besides_and_the_second_time_nobody_is_asked(machine, hub):
    for name in (ROW, "wan2.1-vace-14b"):
        ran = machine.download(name)
        assert ran.returncode == 0, ran.stderr
    machine.assert_whole(T2V, VACE, ANTELOPE, besides=(T5, "Wan2.1_VAE.pth", *_tokenizer(hub)))
    assert machine.target(T2V, T5).read_bytes() == hub.repositories[T2V][T5]
    parser = machine.checkpoints / "face-parsing" / "parsing_bisenet.pth"
    assert parser.read_bytes() == hub.assets[ASSET]
    assert not any(machine.target(T2V, name).exists() for name in UNNEEDED)
    assert not machine.target(VACE, T5).exists(), "the VACE checkpoint works beside the base, which has it"
    assert machine.left() == []
    _assert_in_ledger(machine, hub)
    asked, seen = len(hub.asked), len(hub.seen)
    again = machine.download(ROW, HF_ENDPOINT=NOWHERE)
    assert again.returncode == 0 and "already; nothing was fetched" in again.stderr
    assert (len(hub.asked), len(hub.seen)) == (asked, seen)


def _tokenizer(hub):
    return tuple(name for name in hub.repositories[T2V] if name.startswith("google/"))


def _assert_in_ledger(machine, hub):
    entries = [json.loads(line) for line in (machine.checkpoints / "weights.jsonl").read_text().splitlines()]
    found = {entry["file"]: entry for entry in entries}
    content = hub.repositories[T2V][SHARD]
    shard = found[f"Wan2.1-T2V/{SHARD}"]
    assert shard["sha256"] == hashlib.sha256(content).hexdigest() and shard["size"] == len(content)
    assert (shard["repository"], shard["revision"], shard["source"]) == (T2V, hub.commit, "Wan2.1-T2V")
    parser = found["face-parsing/parsing_bisenet.pth"]
    assert parser["sha256"] == hashlib.sha256(hub.assets[ASSET]).hexdigest()
    assert parser["revision"].startswith(hub.url), "of a release asset the address"


@pytest.mark.slow
def test_the_digests_are_known_to_planning_without_reading_again(machine, text, hub):
    assert machine.download(text).returncode == 0
    lines = (machine.folder / "cache" / "digests.jsonl").read_text().splitlines()
    known = {json.loads(line)[0]: json.loads(line)[3] for line in lines}
    shard = hashlib.sha256(hub.repositories[T2V][SHARD]).hexdigest()
    assert known[str(machine.target(T2V, SHARD).resolve())] == shard


def test_a_manifest_gets_what_its_jobs_need(machine, text, hub):
    ran = machine.download(text)
    assert ran.returncode == 0, ran.stderr
    machine.assert_whole(T2V)
    assert hub.asked == [T2V]
    assert {path.name for path in machine.checkpoints.iterdir()} == {"Wan2.1-T2V", ".incoming", "weights.jsonl"}


def test_a_dry_run_lists_without_network_and_marks_what_is_here(machine, text, hub):
    before = machine.download(ROW, "--dry-run", HF_ENDPOINT=NOWHERE)
    assert before.returncode == 0 and not machine.checkpoints.exists()
    for word in (T2V, STAND_IN, ANTELOPE, "parsing_bisenet", "57.2 GB", "Apache-2.0", "non-commercial", ROW):
        assert word in before.stdout.replace("\n", ""), word
    assert machine.download(text).returncode == 0
    after = json.loads(machine.download(ROW, "--dry-run", "--json", HF_ENDPOINT=NOWHERE).stdout)
    left = {each["what"]: each["bytes_to_fetch"] for each in after["files"]}
    assert left["transformer"] == left["tokenizer"] == 0 and left["identity adapter"] > 3e8
    assert after["bytes_to_fetch"] == sum(left.values())


def test_a_cut_connection_is_taken_up_where_it_was_cut(machine, text, hub):
    hub.cuts[SHARD] = [50_000, 30_000]
    ran = machine.download(text)
    assert ran.returncode == 0, ran.stderr
    assert "cut at 50000 of 200000 bytes; again in 1 s" in ran.stderr
    assert hub.starts(SHARD) == [0, 50_000, 80_000]
    machine.assert_whole(T2V)


@pytest.mark.slow
def test_a_server_that_knows_no_ranges_sends_all_again(machine, text, hub):
    hub.cuts[SHARD] = [50_000]
    hub.ignores_ranges = True
    assert machine.download(text).returncode == 0
    machine.assert_whole(T2V)


def test_wrong_bytes_never_get_a_name_and_come_anew(machine, text, hub):
    hub.wrong.add(SHARD)
    ran = machine.download(text)
    assert ran.returncode == 3
    expected = hashlib.sha256(hub.repositories[T2V][SHARD]).hexdigest()
    for word in (SHARD, expected, hashlib.sha256(bytes(SHARD_BYTES)).hexdigest(), "run the same command again"):
        assert word in ran.stderr
    assert not machine.target(T2V, SHARD).exists() and machine.left() == []
    machine.assert_whole(T2V, besides=(SHARD,))
    hub.wrong.clear()
    hub.seen.clear()
    assert machine.download(text).returncode == 0
    machine.assert_whole(T2V)
    assert [each.file for each in hub.seen] == [SHARD]


@pytest.mark.slow
def test_a_small_file_without_sha256_is_checked_as_git_does(machine, text, hub):
    hub.wrong.add("google/umt5-xxl/tokenizer.json")
    ran = machine.download(text)
    assert ran.returncode == 3 and "git SHA-1" in ran.stderr and "tokenizer.json" in ran.stderr
    assert not machine.target(T2V, "google/umt5-xxl/tokenizer.json").exists()


@pytest.mark.slow
def test_an_error_page_in_place_of_the_parser_is_no_parser(machine, hub):
    hub.assets[ASSET] = b"<html>not found</html>"
    ran = machine.download(ROW)
    assert ran.returncode == 3 and "no file of torch" in ran.stderr
    assert not (machine.checkpoints / "face-parsing" / "parsing_bisenet.pth").exists()


@pytest.mark.slow
def test_a_host_that_stops_sending_is_asked_again_for_the_rest(machine, text, hub):
    asked_again = threading.Event()

    def before(file):
        if len(hub.starts(SHARD)) == 2:
            asked_again.set()

    def between(file, sent):
        if file == SHARD and len(hub.starts(SHARD)) == 1:
            asked_again.wait(SECONDS)

    hub.before, hub.between = before, between
    ran = machine.download(text, HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert ran.returncode == 0, ran.stderr
    assert "timed out" in ran.stderr
    first, second = hub.starts(SHARD)
    assert first == 0 < second
    machine.assert_whole(T2V)


def test_a_killed_download_goes_on_inside_the_file(machine, text, hub):
    processes = []

    def kill(file, sent):
        if file != SHARD or hub.starts(SHARD) != [0]:
            return
        while not machine.part(T2V, SHARD).is_file() or machine.part(T2V, SHARD).stat().st_size < sent:
            threading.Event().wait(0.005)
        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait()

    hub.between = kill
    started = machine.start(text, "--jobs", 1)
    processes.append(started)
    started.communicate(timeout=SECONDS)
    assert started.returncode == -signal.SIGKILL
    machine.assert_nothing_half()
    kept = machine.part(T2V, SHARD).stat().st_size
    assert 0 < kept < SHARD_BYTES
    done = {each.file for each in hub.seen if machine.target(T2V, each.file).exists()}
    hub.seen.clear()
    ran = machine.download(text)
    assert ran.returncode == 0, ran.stderr
    assert hub.starts(SHARD) == [kept], "only the rest"
    assert done.isdisjoint(each.file for each in hub.seen)
    machine.assert_whole(T2V)


@pytest.mark.slow
def test_an_interrupted_download_keeps_what_has_come(machine, text, hub):
    stalled = threading.Event()
    hub.before = lambda file: stalled.wait(SECONDS)
    started = machine.start(text, "--json", HF_HUB_DOWNLOAD_TIMEOUT="1")
    while json.loads(started.stdout.readline())["event"] != "FileStarted":
        pass
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=SECONDS)
    stalled.set()
    assert started.returncode == 75, err
    assert "Traceback" not in err
    machine.assert_nothing_half()
    assert machine.download(text).returncode == 0
    machine.assert_whole(T2V)


def test_of_two_at_once_the_second_waits_and_finds_everything(machine, text, hub):
    first_is_in, second_waits = threading.Event(), threading.Event()

    def before(file):
        first_is_in.set()
        assert second_waits.wait(SECONDS)

    hub.before = before
    first = machine.start(text)
    assert first_is_in.wait(SECONDS)
    second = machine.start(text)
    assert "another process downloads into" in second.stderr.readline()
    second_waits.set()
    _, first_says = first.communicate(timeout=SECONDS)
    _, second_says = second.communicate(timeout=SECONDS)
    assert (first.returncode, second.returncode) == (0, 0), first_says + second_says
    assert "already; nothing was fetched" in second_says
    assert hub.starts(SHARD) == [0]
    machine.assert_whole(T2V)


@pytest.mark.slow
def test_a_disk_that_takes_no_more_is_a_clear_error(machine, text):
    limit = SHARD_BYTES // 2
    ran = machine.download(text, setup=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert ran.returncode == 3
    assert "does not take the file: File too large" in ran.stderr and "df -h" in ran.stderr
    machine.assert_nothing_half()
    ran = machine.download(text)
    assert ran.returncode == 0, ran.stderr
    machine.assert_whole(T2V)


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of so many megabytes."""
    mounted = []

    def mount(megabytes):
        folder = tmp_path / "disk"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("mounting a small disk needs root")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_too_small_is_told_before_anything_comes(machine, text, hub, small_disk):
    disk = small_disk(20)
    ran = machine.download(text, checkpoints=disk / "checkpoints")
    assert ran.returncode == 3
    assert "GB are to come into" in ran.stderr and "are free there" in ran.stderr and "--checkpoints DIR" in ran.stderr
    assert hub.seen == []


@pytest.mark.slow
def test_a_disk_that_fills_up_on_the_way_stops_it_and_room_lets_it_go_on(machine, text, hub, small_disk):
    disk = small_disk(80)
    machine.checkpoints = disk / "checkpoints"

    def fill(file, sent):
        if file == SHARD and not (disk / "others").exists():
            with (disk / "others").open("wb", buffering=0) as others, contextlib.suppress(OSError):
                while others.write(bytes(1 << 16)):
                    pass

    hub.between = fill
    ran = machine.download(text)
    assert ran.returncode == 3 and "No space left on device" in ran.stderr and "df -h" in ran.stderr
    machine.assert_nothing_half()
    hub.between = lambda file, sent: None
    (disk / "others").unlink()
    ran = machine.download(text)
    assert ran.returncode == 0, ran.stderr
    machine.assert_whole(T2V)


@pytest.mark.slow
def test_a_gated_repository_says_how_to_get_in_and_its_token_goes_nowhere_else(machine, text, hub):
    hub.gated.add(T2V)
    ran = machine.download(text)
    assert ran.returncode == 3
    assert "accepted its terms" in ran.stderr and "HF_TOKEN" in ran.stderr and f"huggingface.co/{T2V}" in ran.stderr
    ran = machine.download(text, HF_TOKEN="hf_secret")
    assert ran.returncode == 0, ran.stderr
    assert hub.seen and not any(each.token for each in hub.seen), "the store is another host"


@pytest.mark.slow
def test_a_missing_repository_and_a_missing_revision_are_named(machine, text, hub):
    there = hub.repositories.pop(T2V)
    ran = machine.download(text)
    assert ran.returncode == 3 and f"there is no repository {T2V}" in ran.stderr
    hub.repositories[T2V] = there
    hub.wrong.add(SHARD)
    assert machine.download(text).returncode == 3
    old, hub.commit = hub.commit, "f" * 40
    ran = machine.download(text)
    assert ran.returncode == 3 and f"{T2V} has no revision {old}" in ran.stderr, "files of two commits are not mixed"


@pytest.mark.slow
def test_without_a_network_it_says_so_and_a_folder_that_has_all_will_do(machine, text, hub, tmp_path):
    ran = machine.download(text, HF_ENDPOINT=NOWHERE)
    assert ran.returncode == 3
    assert "the hub does not answer" in ran.stderr and "--from DIR" in ran.stderr and "HTTPS_PROXY" in ran.stderr
    _lay_out(tmp_path / "have" / "Wan2.1-T2V-14B", hub.repositories[T2V])
    ran = machine.download(text, "--from", tmp_path / "have", HF_ENDPOINT=NOWHERE)
    assert ran.returncode == 0, ran.stderr
    assert "linked without comparing" in ran.stderr
    assert machine.target(T2V, SHARD).resolve() == tmp_path / "have" / "Wan2.1-T2V-14B" / SHARD
    machine.assert_whole(T2V)


def _lay_out(folder: Path, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.mark.slow
def test_what_another_folder_has_is_compared_and_linked_and_the_rest_fetched(machine, text, hub, tmp_path):
    have = tmp_path / "have"
    _lay_out(have, {**hub.repositories[T2V], T5: b"\x80\x02" + bytes(99_998)})
    (have / SHARD).unlink()
    ran = machine.download(text, "--from", have)
    assert ran.returncode == 0, ran.stderr
    assert {each.file for each in hub.seen} == {SHARD, T5}
    assert f"{have / T5} is another file than {T5} on the hub" in ran.stderr
    assert machine.target(T2V, "Wan2.1_VAE.pth").is_symlink() and not machine.target(T2V, T5).is_symlink()
    machine.assert_whole(T2V)


@pytest.mark.slow
def test_a_folder_that_is_a_link_to_another_disk_gets_its_files(machine, text, hub, small_disk):
    disk = small_disk(80)
    machine.checkpoints.mkdir()
    (machine.checkpoints / "Wan2.1-T2V").symlink_to(disk)
    ran = machine.download(text)
    assert ran.returncode == 0, ran.stderr
    assert (disk / SHARD).is_file()
    machine.assert_whole(T2V)


def test_what_the_cache_of_the_hub_has_is_linked(machine, text, hub):
    cache = machine.folder / "hf" / "hub" / f"models--{T2V.replace('/', '--')}"
    _lay_out(cache, {"refs/main": hub.commit.encode()})
    _lay_out(cache / "snapshots" / hub.commit, hub.repositories[T2V])
    ran = machine.download(text)
    assert ran.returncode == 0, ran.stderr
    assert hub.seen == [] and machine.target(T2V, SHARD).is_symlink()
    machine.assert_whole(T2V)


@pytest.mark.slow
def test_what_two_models_share_comes_once_and_outlives_either(machine, hub):
    assert machine.download(ROW).returncode == 0
    hub.seen.clear()
    ran = machine.download(ROW_22)
    assert ran.returncode == 0, ran.stderr
    assert not {T5, "Wan2.1_VAE.pth"} & {each.file for each in hub.seen}
    shutil.rmtree(machine.checkpoints / "Wan2.1-T2V")
    machine.assert_whole(WAN22, STAND_IN)


@pytest.mark.slow
def test_events_for_programs_are_lines_of_json(machine, text, hub):
    hub.cuts[SHARD] = [50_000]
    ran = machine.download(text, "--json")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    names = [event["event"] for event in events]
    assert names[:2] == ["Asking", "DownloadStarted"] and names[-1] == "DownloadFinished"
    assert {"FileStarted", "FileRetried", "FileChecked", "FileDone"} <= set(names)
    finished = events[-1]
    assert (finished["fetched"], finished["linked"], finished["failed"]) == (12, 0, 0)
    assert events[1]["bytes"] == sum(event["size"] for event in events if event["event"] == "FileDone")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], f"standin weights download {ROW}"),
        (["wan2.1-t2v-14"], f"did you mean {ROW}"),
        ([ROW, "--from", "nowhere"], "there is no such folder"),
        (["no.yaml"], "no.yaml"),
    ],
)
def test_a_wrong_command_line_names_the_right_one(machine, arguments, told):
    ran = machine.download(*arguments)
    assert ran.returncode == 2 and told in ran.stderr


@pytest.mark.parametrize(("model", "told"), [("tiny", "made on this machine"), ("demo", "come with the repository")])
def test_a_model_that_is_not_downloaded_needs_none(machine, hub, model, told):
    ran = machine.download(model)
    assert ran.returncode == 0 and told in ran.stderr
    assert hub.asked == []

"""The log: one JSON object a line, about the job at work, and never in the way of a run."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import warnings
from datetime import datetime, timedelta
from logging.handlers import RotatingFileHandler

import pytest
from jobs import make_job

from standin_batch.engine.quiet import to_log
from standin_batch.run import log
from standin_batch.run.log import about, log_to, read_log, read_logs

JOB = make_job(job_id="00aa", name="portraits")
OTHER = make_job(job_id="00bb", name="others")
logger = logging.getLogger("test")


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The log of this process, for the time of a test."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    found = tmp_path / ".standin" / "log.jsonl"
    log_to(found)
    yield found
    for handler in root.handlers:
        handler.close()
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def test_a_line_says_when_who_and_what(path):
    logger.warning("%d frames are black", 3)
    (line,) = lines(path)
    time = datetime.fromisoformat(line.pop("time"))
    assert (time.utcoffset(), time.microsecond % 1000) == (timedelta(0), 0)
    assert line == {"level": "WARNING", "logger": "test", "message": "3 frames are black", "thread": "MainThread"}


def test_all_that_is_said_while_a_job_is_at_work_is_about_it(path):
    logger.info("before")
    with about(JOB):
        logging.getLogger("some.library").info("within")
        with about(OTHER):
            logger.info("the other")
        logger.info("still within")
    logger.info("after")
    assert [line.get("job_id") for line in lines(path)] == [None, "00aa", "00bb", "00aa", None]
    assert lines(path)[1]["label"] == JOB.label


def test_a_thread_speaks_for_its_own_job(path):
    def write():
        with about(OTHER):
            logger.info("from the thread")

    with about(JOB):
        thread = threading.Thread(target=write, name="writer")
        thread.start()
        thread.join()
    (line,) = lines(path)
    assert (line["job_id"], line["thread"]) == ("00bb", "writer")


def test_what_libraries_print_and_warn_of_is_in_it(path):
    with about(JOB), to_log():
        print("loaded")
        warnings.warn("too old", stacklevel=1)
    said = [(line["logger"], line["job_id"]) for line in lines(path)]
    assert said == [("libraries", "00aa"), ("py.warnings", "00aa")]
    assert "too old" in lines(path)[1]["message"]


def test_a_traceback_is_whole_and_a_flood_is_cut(path):
    try:
        raise ValueError("no" * log.MAX_TEXT)
    except ValueError:
        logger.exception("failed")
    (line,) = lines(path)
    assert line["traceback"].startswith("Traceback (most recent call last)")
    assert "characters left out" in line["traceback"]
    assert len(line["traceback"]) < log.MAX_TEXT + 100


@pytest.mark.parametrize("text", ["two\nlines", "\0\x1b[31m", "一个女人 🙂", '"}'], ids=ascii)
def test_any_text_comes_back_as_it_was(path, text):
    with about(JOB):
        logger.info("%s", text)
    assert [line.message for line in read_log(path, "00aa")] == [text]


def test_half_a_character_too(path):
    """Past the handlers that pytest adds: no report of a test can hold it."""
    record = logger.makeRecord(logger.name, logging.INFO, __file__, 1, "%s", ("\ud83d",), None)
    (handler,) = (each for each in logging.getLogger().handlers if isinstance(each, RotatingFileHandler))
    with about(JOB):
        handler.handle(record)
    assert [line.message for line in read_log(path, "00aa")] == ["\ud83d"]


def test_a_message_with_the_wrong_arguments_is_still_told(path):
    log_to(path)  # without the handler that pytest adds for the time of a test, and that raises here
    logger.info("%d steps", "twenty")
    assert "twenty" in lines(path)[0]["message"]


def test_full_files_are_kept_and_read_in_order(path, monkeypatch):
    monkeypatch.setattr(log, "MAX_BYTES", 2_000)
    log_to(path)
    with about(JOB):
        for number in range(100):
            logger.info("message %d", number)
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "log.jsonl",
        *(f"log.jsonl.{number}" for number in range(1, log.KEPT + 1)),
    ]
    assert all(file.stat().st_size <= 2_000 for file in path.parent.iterdir())
    said = [int(line.message.split()[1]) for line in read_log(path, "00aa")]
    assert said == list(range(said[0], 100))


def test_what_names_a_job_is_about_it_unless_another_is_at_work(path):
    with about(OTHER):
        logger.info("the noise of 00aa is another")
    logger.info("of no job")
    logger.info("job 00aa failed")
    assert [line.message for line in read_log(path, "00aa")] == ["job 00aa failed"]


def test_a_line_that_a_crash_cut_short_costs_only_itself(path):
    with about(JOB):
        logger.info("first")
        path.open("a").write('{"time": "2026-01-01", "job_id": "00aa", "mess')
        log_to(path)
        logger.info("second")
    assert [line.message for line in read_log(path, "00aa")] == ["first", "second"]


def test_what_several_logs_say_of_a_job_is_told_in_the_order_of_time(tmp_path):
    paths = [tmp_path / name for name in ("log.jsonl", "w0.jsonl", "nowhere.jsonl")]
    for number in range(4):
        line = {"time": f"2026-01-01T00:00:0{number}", "level": "INFO", "logger": "l", "thread": "t", "job_id": "00aa"}
        with paths[number % 2].open("a") as file:
            file.write(json.dumps({**line, "message": str(number)}) + "\n")
    assert [line.message for line in read_logs(paths, "00aa")] == ["0", "1", "2", "3"]


def test_without_a_log_nothing_is_read(tmp_path):
    assert list(read_log(tmp_path / "log.jsonl", "00aa")) == []


def test_a_file_that_cannot_be_written_breaks_nothing(path, capsys):
    path.mkdir(parents=True)
    logger.error("lost")
    path.rmdir()
    logger.error("found")
    assert [line["message"] for line in lines(path)] == ["found"]
    assert capsys.readouterr() == ("", "")


def test_a_closed_file_is_opened_again(path):
    logger.info("first")
    logging.getLogger().handlers[0].stream.close()
    logger.info("lost")
    logger.info("third")
    assert [line["message"] for line in lines(path)] == ["first", "third"]


def test_a_full_disk_costs_lines_and_a_disk_with_room_gets_them_again(tmp_path):
    """The kernel's limit on the size of files stands for the disk; standard error is the log, as in a run."""
    path = tmp_path / "log.jsonl"
    script = (
        "import logging, resource, signal, sys\n"
        "from pathlib import Path\n"
        "from standin_batch.engine.quiet import to_log\n"
        "from standin_batch.run.log import log_to\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "log_to(Path(sys.argv[1]))\n"
        "say = logging.getLogger('test').info\n"
        "with to_log():\n"
        "    say('first')\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))\n"
        "    for _ in range(100): say('lost ' * 10)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "    say('last')\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    first, *_, last = path.read_text().splitlines()
    assert (json.loads(first)["message"], json.loads(last)["message"]) == ("first", "last")

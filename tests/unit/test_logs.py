"""Log lines: their forms, what they never show, and files that several processes write."""

from __future__ import annotations

import json
import logging
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atoll import logs, settings
from atoll.errors import StorageUnusable
from atoll.logs.context import REQUEST, RequestFields, trace_of
from atoll.logs.files import LogFile, Rotation
from atoll.logs.folder import LogFolder
from atoll.logs.formats import Formatter, render

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FIELDS = {"time": "t", "level": "info", "message": "it is so", "path": "/a b", "count": 3}


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def configured(tmp_path: Path, **environ: str) -> LogFolder | None:
    chosen = settings.load({"STORAGE_PATH": str(tmp_path), **environ}).settings
    return logs.configure(chosen, role="standalone", instance="host-2")


def lines(folder: Path, pattern: str) -> list[dict[str, Any]]:
    return [json.loads(line) for file in folder.glob(pattern) for line in file.read_text().splitlines()]


def test_forms() -> None:
    assert json.loads(render("json", FIELDS)) == FIELDS
    assert render("logfmt", FIELDS) == 'time=t level=info message="it is so" path="/a b" count=3'
    assert render("delimiter", FIELDS | {"path": "a|b"}) == "t|info|it is so|a\\|b|3"
    assert render("console", FIELDS) == "t info    it is so  path=/a b count=3"
    assert "\n" not in render("logfmt", {"error": "a\nb"}) + render("delimiter", {"error": "a\nb"})


@pytest.mark.parametrize("form", ["json", "logfmt", "delimiter", "console"])
def test_secrets_are_masked(form: str) -> None:
    shown = render(
        form,
        {
            "message": "cannot reach redis://user:hunter2@host:6379 and postgres://a:hunter2@b/c",
            "password": "hunter2",
            "Authorization": "Bearer hunter2",
            "path": "/ws?a=1&token=hunter2",
        },
    )
    assert "hunter2" not in shown
    assert "host:6379" in shown


def test_a_traceback_hides_secrets_too() -> None:
    try:
        raise ValueError("redis://u:hunter2@host")
    except ValueError as error:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": (ValueError, error, None)})
    for form in ("json", "console"):
        text = Formatter(form, {}).format(record)
        assert "hunter2" not in text
        assert "ValueError" in text


def test_lines_carry_instance_and_request(tmp_path: Path) -> None:
    configured(tmp_path)
    token = REQUEST.set(RequestFields("crm", "r-1", TRACE))
    logging.getLogger("x").warning("within", extra={"app": "crm", "n": 1})
    REQUEST.reset(token)
    logging.getLogger("x").warning("outside")
    (inside,) = lines(tmp_path / "logs" / "crm", "system_*.log")
    assert inside.items() >= {"app": "crm", "reqId": "r-1", "trace": TRACE, "n": 1}.items()
    assert inside.items() >= {"role": "standalone", "instance": "host-2", "message": "within"}.items()
    (outside,) = lines(tmp_path / "logs" / "main", "system_*.log")
    assert "reqId" not in outside


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"01-{TRACE}-00f067aa0ba902b7-01-more", TRACE),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", ""),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", ""),
        ('00-x"injected', ""),
    ],
)
def test_traces(header: str, trace: str) -> None:
    assert trace_of([(b"host", b"x"), (b"traceparent", header.encode())]) == trace


def test_transports_and_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert configured(tmp_path, LOGGER_TRANSPORT="console") is None
    assert not (tmp_path / "logs").exists()
    configured(tmp_path, LOGGER_TRANSPORT="file", LOGGER_BASE_PATH=str(tmp_path / "elsewhere"))
    logging.getLogger("x").warning("to the file")
    assert len(lines(tmp_path / "elsewhere" / "main", "system.log")) == 1
    configured(tmp_path, LOGGER_SILENT="true")
    logging.getLogger("x").error("nobody hears")
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnusable, match="LOGGER_TRANSPORT=console"):
        configured(tmp_path, LOGGER_BASE_PATH=str(tmp_path / "file"))


def test_a_file_per_day_for_so_many_days(tmp_path: Path) -> None:
    day = ["2020-01-01"]
    log = LogFile(tmp_path, "system", Rotation(daily=True, most_bytes=None, most_files="3"), lambda: day[0])
    for number in range(1, 7):
        day[0] = f"2020-01-0{number}"
        log.write(b"line\n")
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "system_2020-01-04.log",
        "system_2020-01-05.log",
        "system_2020-01-06.log",
    ]
    by_age = LogFile(tmp_path, "system", Rotation(daily=True, most_bytes=None, most_files="14d"))
    by_age.write(b"line\n")
    assert len(list(tmp_path.iterdir())) == 1


def test_numbered_files_of_a_size(tmp_path: Path) -> None:
    other = tmp_path / "systematic.log"
    other.touch()
    for _ in range(2):  # a restart goes on with the last file
        log = LogFile(tmp_path, "system", Rotation(daily=False, most_bytes=100, most_files="3"))
        for _ in range(20):
            log.write(b"x" * 39 + b"\n")
        log.close()
    names = sorted(file.name for file in tmp_path.iterdir() if file != other)
    assert names == ["system17.log", "system18.log", "system19.log"]
    assert all(file.stat().st_size <= 100 for file in tmp_path.iterdir())
    assert other.exists()


def test_a_removed_file_is_made_again(tmp_path: Path) -> None:
    log = LogFile(tmp_path, "system", Rotation(daily=False, most_bytes=None, most_files="3"))
    log.write(b"one\n")
    (tmp_path / "system.log").unlink()
    log.write(b"two\n")
    assert (tmp_path / "system.log").read_bytes() == b"two\n"


def _write_many(folder: Path, writer: int) -> None:
    log = LogFile(folder, "request", Rotation(daily=False, most_bytes=20_000, most_files="1000"))
    for number in range(500):
        log.write(
            json.dumps({"writer": writer, "number": number, "filler": "x" * (number % 97)}).encode() + b"\n"
        )


def test_processes_that_share_files_tear_no_line(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    writers = [spawning.Process(target=_write_many, args=(tmp_path, writer)) for writer in range(4)]
    for process in writers:
        process.start()
    for process in writers:
        process.join(60)
        assert process.exitcode == 0
    found = [(line["writer"], line["number"]) for line in lines(tmp_path, "request*.log")]
    assert sorted(found) == [(writer, number) for writer in range(4) for number in range(500)]
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert max(sizes) <= 20_000
    assert len(sizes) <= sum(sizes) // 15_000 + 1, "nobody began a file before the last was full"


def test_request_lines_are_written_at_the_latest_when_the_folder_closes(tmp_path: Path) -> None:
    folder = LogFolder(
        tmp_path,
        Rotation(daily=False, most_bytes=None, most_files="3"),
        lambda fields: render("json", fields),
    )
    for number in range(100):
        folder.request("crm" if number % 2 else "../x", {"n": number})
    folder.close()
    assert len(lines(tmp_path / "crm", "request.log")) == 50
    assert len(lines(tmp_path / "main", "request.log")) == 50

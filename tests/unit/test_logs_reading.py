"""Looking something up in log files: newest first, in bounds, with secrets masked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from atoll import logs, settings
from atoll.logs.formats import moment
from atoll.logs.reading import LogPage, LogQuery, LogReader
from atoll.testing.supervisor_scene import scene

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    return moment((START + timedelta(seconds=seconds)).timestamp())


def line(seconds: float, message: str, **fields: Any) -> str:
    return json.dumps({"time": at(seconds), "level": "info", "message": message, **fields})


def write(folder: Path, name: str, *lines: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(f"{each}\n" for each in lines))


def messages(page: LogPage) -> list[str]:
    return [each.message for each in page.lines]


def test_the_newest_lines_of_several_files_come_first(tmp_path: Path) -> None:
    write(tmp_path / "shop", "system_2026-01-30.log", line(-86_400, "yesterday"))
    write(tmp_path / "shop", "system_2026-01-31.log", line(1, "one"), line(3, "three"))
    write(tmp_path / "shop", "system_2026-01-31.1.log", line(5, "five"))
    write(tmp_path / "shop", "request_2026-01-31.log", line(2, "two"), line(4, "four"))
    write(tmp_path / "till", "system_2026-01-31.log", line(6, "of another app"))
    reader = LogReader(tmp_path)
    page = reader.find(LogQuery(app="shop"))
    assert messages(page) == ["five", "four", "three", "two", "one", "yesterday"]
    assert page.reached == ""
    assert len({each.id for each in page.lines}) == 6
    first = reader.find(LogQuery(app="shop", limit=2))
    assert (messages(first), first.reached) == (["five", "four"], at(4))
    then = reader.find(LogQuery(app="shop", limit=2, until=first.reached))
    assert messages(then) == ["four", "three"]
    assert messages(reader.find(LogQuery(app="shop", since=at(2), until=at(4)))) == ["four", "three", "two"]
    assert messages(reader.find(LogQuery(limit=1))) == ["of another app"]
    assert messages(reader.find(LogQuery(app="shop", kind="request"))) == ["four", "two"]


def test_what_is_looked_for(tmp_path: Path) -> None:
    write(
        tmp_path / "shop",
        "system.log",
        line(1, "quiet", level="debug"),
        line(2, "A Word", reqId="r1"),
        "no line at all",
        line(3, "careful", level="warning", trace="t1"),
        line(4, "broken", level="critical", environment="env_b"),
    )
    reader = LogReader(tmp_path, environment="env_a")
    assert messages(reader.find(LogQuery())) == ["careful", "A Word", "quiet"]
    assert messages(reader.find(LogQuery(level="info"))) == ["careful", "A Word"]
    assert messages(reader.find(LogQuery(level="warn"))) == ["careful"]
    assert messages(reader.find(LogQuery(text="a word"))) == ["A Word"]
    assert messages(reader.find(LogQuery(request="r1"))) == ["A Word"]
    assert messages(reader.find(LogQuery(request="t1"))) == ["careful"]
    assert messages(LogReader(tmp_path).find(LogQuery(level="error"))) == ["broken"]
    assert messages(reader.find(LogQuery(app="../shop"))) == []
    assert messages(LogReader(tmp_path / "missing").find(LogQuery())) == []


def test_secrets_do_not_come_out(tmp_path: Path) -> None:
    text = "postgres://ann:hunter2@db/shop and /x?token=hunter2"
    write(tmp_path / "shop", "system.log", line(1, text, password="hunter2", more={"cookie": "hunter2"}))
    found = LogReader(tmp_path).find(LogQuery()).lines[0]
    assert "hunter2" not in str(found)
    assert found.fields["password"] == found.fields["more"]["cookie"] == "••••"


def test_a_long_search_stops_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    padding = "x" * 1000
    many = [line(number, "noise", padding=padding) for number in range(20_000)]
    write(tmp_path / "shop", "system.log", line(-1, "needle"), *many)
    reader = LogReader(tmp_path)
    page = reader.find(LogQuery(text="needle"))
    assert messages(page) == []
    steps = 0
    while page.reached and not page.lines:
        before = page.reached
        page = reader.find(LogQuery(text="needle", until=before))
        assert not page.reached or page.reached < before
        steps += 1
    assert messages(page) == ["needle"]
    assert 1 <= steps <= 4
    assert messages(reader.find(LogQuery(until=at(7_000), limit=1))) == ["noise"]
    assert reader.find(LogQuery(until=at(7_000), limit=1)).lines[0].time == at(7_000)


def test_an_answer_has_bounds(tmp_path: Path) -> None:
    write(
        tmp_path / "shop", "system.log", *(line(number, "long", error="y" * 100_000) for number in range(9))
    )
    page = LogReader(tmp_path).find(LogQuery())
    assert 0 < len(page.lines) < 9
    assert page.reached
    assert len(page.lines[0].fields["error"]) == 2000


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"LOGGER_TRANSPORT": "console"}, "LOGGER_TRANSPORT"),
        ({"LOGGER_FORMAT": "logfmt"}, "LOGGER_FORMAT"),
        ({"LOGGER_SILENT": "true"}, "LOGGER_SILENT"),
        ({"LOGGER_FORMAT": "console"}, ""),
        ({}, ""),
    ],
)
def test_where_there_is_nothing_to_read_the_answer_says_why(
    tmp_path: Path, environ: dict[str, str], word: str
) -> None:
    chosen = settings.load({"STORAGE_PATH": str(tmp_path), **environ}).settings
    problem = logs.reader(chosen).find(LogQuery()).problem
    assert word in problem
    assert bool(problem) == bool(word)


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["memory", "redis"])
async def test_each_environment_answers_from_its_own_files(
    tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue("redis_url")) if way == "redis" else None
    async with scene(tmp_path, "env_a", "env_b", redis_url=url) as s:
        write(tmp_path / "env_a" / "logs" / "shop", "system.log", line(1, "one"), line(4, "four"))
        write(tmp_path / "env_b" / "logs" / "shop", "system.log", line(2, "two"), line(3, "three"))
        find = s.supervisor.logs.find
        answer = await find(["env_a", "env_b"], LogQuery(app="shop"))
        assert [(each["message"], each["environment"]) for each in answer["lines"]] == [
            ("four", "env_a"),
            ("three", "env_b"),
            ("two", "env_b"),
            ("one", "env_a"),
        ]
        assert (answer["reached"], answer["problems"]) == (None, {})
        # What an environment left out is never skipped: older lines of others wait for the next question.
        some = await find(["env_a", "env_b"], LogQuery(app="shop", limit=2))
        assert [each["message"] for each in some["lines"]] == ["four", "three"]
        assert some["reached"] == at(3)
        await s.stop(s.environments["env_b"])
        await s.until(lambda: not s.available("env_b"))
        alone = await find(["env_a", "env_b"], LogQuery(app="shop"))
        assert [each["message"] for each in alone["lines"]] == ["four", "one"]
        assert "env_b" in alone["problems"]["env_b"]

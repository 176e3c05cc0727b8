"""F23: each time of a job once, and none left out, whoever is killed, late or a zombie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from atoll.application.schedule import Job, Schedule, Tick
from atoll.application.schedule.store import ScheduleStore
from atoll.database.drivers import Database
from atoll.errors import InvalidValue

from .conftest import ROOT, Api, make_app, until

pytestmark = pytest.mark.anyio
START = int(datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000


class Clock:
    """One time for all, that a test moves."""

    def __init__(self) -> None:
        self.now = START

    async def __call__(self) -> int:
        return self.now


@pytest.fixture
async def tables(database: Database, tmp_path: Path) -> Database:
    await make_app(database, tmp_path).install(ROOT)
    return database


@asynccontextmanager
async def instances(
    database: Database, clock: Clock, count: int, work: Callable[[int, Tick], object], *, catch_up: int = 1
) -> AsyncIterator[list[Schedule]]:
    """As many instances of one app with a job that is due each minute."""
    made = []
    for number in range(count):

        async def run(tick: Tick, number: int = number) -> None:
            result = work(number, tick)
            if asyncio.iscoroutine(result):
                await result

        schedule = Schedule("main", database, f"i{number}", lambda _: True, now=clock, lease_ms=600)
        schedule.add(Job("test/minute", "* * * * *", run, catch_up=catch_up))
        await schedule.start()
        made.append(schedule)
    try:
        yield made
    finally:
        for schedule in made:
            await schedule.stop()


async def _states(schedule: Schedule) -> list[str]:
    return [tick["state"] for tick in (await schedule.overview())[0]["ticks"]]


async def _over(schedule: Schedule) -> list[str]:
    return [state for state in await _states(schedule) if state in ("done", "failed")]


async def _ended(database: Database) -> list[int]:
    """The times of the ticks that are over."""
    store = ScheduleStore(database)
    return [tick.due for tick in await store.last(["test/minute"], 100) if tick.state == "done"]


def _at_least(count: int) -> Callable[[list[Any]], bool]:
    return lambda seen: len(seen) >= count


async def test_each_minute_once_with_three_instances(tables: Database) -> None:
    clock, runs = Clock(), []

    async with instances(tables, clock, 3, lambda _, tick: runs.append(tick.due.minute)) as schedules:
        for minute in range(1, 31):
            clock.now += MINUTE
            for schedule in schedules:
                schedule.look()
            await until(lambda: _ended(tables), _at_least(minute))
        assert runs == list(range(1, 31))


async def test_a_zombie_does_nothing_twice(tables: Database) -> None:
    """One instance believes in an old time of the job, as after a long pause, and acts on it."""
    clock, runs = Clock(), []
    async with instances(tables, clock, 2, lambda _, tick: runs.append(tick.due.minute)) as (one, zombie):
        old = (await zombie._store.known(["test/minute"]))["test/minute"]
        clock.now += MINUTE
        one.look()
        await until(lambda: asyncio.sleep(0, list(runs)), bool)
        assert await zombie._store.make(old, [old.next], [], old.next + MINUTE) is False
        await until(lambda: _over(one), bool)
        assert await _states(one) == ["done"]
        assert runs == [1]


async def test_what_was_missed_is_made_up_for_within_bounds_and_shown(tables: Database) -> None:
    clock, runs = Clock(), []
    async with instances(tables, clock, 1, lambda _, tick: None):
        pass
    clock.now += 60 * MINUTE
    async with instances(
        tables, clock, 2, lambda _, tick: runs.append(tick.due.minute), catch_up=3
    ) as schedules:
        await until(lambda: asyncio.sleep(0, list(runs)), lambda seen: len(seen) == 3)
        assert sorted(runs) == [0, 58, 59]
        ticks = (await schedules[0].overview())[0]["ticks"]
        left_out = [tick for tick in ticks if tick["state"] == "skipped"]
        assert len(left_out) == 1
        assert left_out[0]["note"].startswith("57 times")


async def test_a_tick_of_a_killed_instance_is_run_elsewhere(tables: Database) -> None:
    clock, began, ended = Clock(), asyncio.Event(), []

    async def work(number: int, tick: Tick) -> None:
        if number == 0:
            began.set()
            await asyncio.Event().wait()
        ended.append((number, tick.number))

    async with instances(tables, clock, 1, work) as (first,):
        clock.now += MINUTE
        first.look()
        await began.wait()
    async with instances(tables, clock, 2, work) as (_, second):
        clock.now += 601
        began.clear()
        second.look()
        await until(lambda: asyncio.sleep(0, (began.is_set(), ended)), lambda seen: bool(seen[0] or seen[1]))
        if began.is_set():  # the other one took it: it dies, too
            clock.now += 601
            second.look()
        await until(lambda: asyncio.sleep(0, list(ended)), bool)
        assert ended[0][0] == 1
        await until(lambda: _states(second), lambda states: states == ["done"])


async def test_who_lost_a_tick_has_no_say_in_it(tables: Database) -> None:
    clock = Clock()
    async with instances(tables, clock, 1, lambda *_: None) as (schedule,):
        store = schedule._store
        row = (await store.known(["test/minute"]))["test/minute"]
        assert await store.make(row, [row.next], [], row.next + 60 * MINUTE)
        (tick,) = await store.open(["test/minute"])
        assert await store.claim(tick, "slow", clock.now + 10)
        (taken,) = await store.open(["test/minute"])
        assert await store.claim(taken, "heir", clock.now + 10_000)
        assert await store.finish(tick, 1, "failed", clock.now, "too late") is False
        assert await store.renew(tick, 1, clock.now + 99) is False
        assert await store.finish(tick, 2, "done", clock.now, None) is True


async def test_a_failure_is_shown_and_the_next_time_comes(tables: Database) -> None:
    clock = Clock()

    def work(_: int, tick: Tick) -> None:
        if tick.due.minute == 1:
            raise ValueError("no paper")

    async with instances(tables, clock, 1, work) as (schedule,):
        for count in (1, 2):
            clock.now += MINUTE
            schedule.look()
            await until(lambda: _over(schedule), _at_least(count))
        ticks = (await schedule.overview())[0]["ticks"]
        assert [tick["state"] for tick in ticks] == ["done", "failed"]
        assert ticks[1]["note"] == "ValueError: no paper"


async def test_an_expression_that_is_none_is_refused(tables: Database) -> None:
    schedule = Schedule("main", tables, "i", lambda _: True)
    for wrong in ("", "* * *", "61 * * * *", "0 0 31 2 *"):
        with pytest.raises(InvalidValue):
            schedule.add(Job("test/wrong", wrong, _nothing))


async def test_an_app_cleans_up_by_schedule(root: Api, database: Database) -> None:
    """The job is there, can be seen, and does what it is for."""
    from atoll.application.app import Application

    (job,) = [each for each in await root.data("schedule:list") if each["name"] == "app/clean-up"]
    assert job["nextAt"] is not None
    app: Application = root.client._transport.app  # type: ignore[attr-defined]
    await database.execute("INSERT INTO \"tokenBlacklist\" (token, expiration) VALUES ('old', 1)")
    await app.sessions.load()
    await app._clean_up(Tick("app/clean-up", datetime.now(UTC), 1))
    assert await database.fetch_all('SELECT token FROM "tokenBlacklist"') == []
    assert "old" not in app.sessions._blocked


async def _nothing(_: Tick) -> None:
    return

"""Throttling, durations, kept totals and role patterns without a database."""

from __future__ import annotations

import asyncio

import pytest

from atoll.application.acl import RoleRights
from atoll.application.auth.durations import seconds
from atoll.application.auth.throttle import Throttle
from atoll.application.context import Role
from atoll.application.records.counts import KEPT, Counts
from atoll.cluster.cache import MemoryCounters
from atoll.errors import InvalidValue, RedisUnavailable, TooManyAttempts
from atoll.testing.processes import eventually


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Away(MemoryCounters):
    """Counters that cannot be reached."""

    async def increment(self, key: str, by: int = 1, *, ttl: float) -> int:
        raise RedisUnavailable("away")

    async def reset(self, key: str) -> None:
        raise RedisUnavailable("away")


async def refused(throttle: Throttle, account: str, address: str) -> int:
    with pytest.raises(TooManyAttempts) as caught:
        await throttle.begin(account, address)
    return caught.value.retry_after


@pytest.mark.anyio
async def test_throttle_closes_and_opens_again() -> None:
    shared = MemoryCounters(100)
    one, other = Throttle(shared, MemoryCounters(100), 0.5), Throttle(shared, MemoryCounters(100), 0.5)
    for throttle in (one, other) * 5:
        await throttle.begin("kim", "1.2.3.4")
    assert await refused(one, "kim", "1.2.3.4") == 1
    await refused(other, "kim", "1.2.3.4")
    await one.begin("kim", "5.6.7.8")
    await one.begin("lee", "1.2.3.4")

    async def opens() -> bool:
        try:
            await other.begin("kim", "1.2.3.4")
        except TooManyAttempts:
            return False
        return True

    await eventually(opens, within=10, what="the window ends though attempts go on")


@pytest.mark.anyio
async def test_throttle_counts_an_account_over_all_addresses() -> None:
    throttle = Throttle(MemoryCounters(1000), MemoryCounters(1000))
    for number in range(100):
        await throttle.begin("kim", f"10.0.0.{number}")
    assert 290 < await refused(throttle, "kim", "8.8.8.8") <= 301


@pytest.mark.anyio
async def test_a_refused_address_does_not_close_the_account() -> None:
    throttle = Throttle(MemoryCounters(1000), MemoryCounters(1000))
    for _ in range(10):
        await throttle.begin("kim", "1.2.3.4")
    for _ in range(200):
        await refused(throttle, "kim", "1.2.3.4")
    await throttle.begin("kim", "5.6.7.8")


@pytest.mark.anyio
async def test_success_forgets() -> None:
    throttle = Throttle(MemoryCounters(1000), MemoryCounters(1000))
    for _ in range(300):
        await throttle.begin("kim", "1.2.3.4")
        await throttle.succeeded("kim", "1.2.3.4")


@pytest.mark.anyio
async def test_without_redis_each_process_counts() -> None:
    throttle = Throttle(Away(10), MemoryCounters(10))
    for _ in range(5):
        await throttle.begin("kim", "1.2.3.4")
    await throttle.succeeded("kim", "1.2.3.4")
    for _ in range(10):
        await throttle.begin("kim", "1.2.3.4")
    await refused(throttle, "kim", "1.2.3.4")


@pytest.mark.parametrize(
    ("text", "expected"), [("1d", 86400), ("12h", 43200), ("30m", 1800), ("2s", 2), ("500", 0.5), (1500, 1.5)]
)
def test_durations(text: object, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "abc", "1 fortnight", None, True, "-1d"])
def test_bad_durations(text: object) -> None:
    with pytest.raises(InvalidValue):
        seconds(text)


@pytest.mark.parametrize(
    ("snippets", "allowed"),
    [
        (("pm.users",), True),
        (("pm.*",), True),
        (("pm",), False),
        (("pm.*", "!pm.users"), False),
        (("pm.*", "!pm.*"), False),
        ((), False),
        (("pm.user",), False),
    ],
)
def test_snippets(snippets: tuple[str, ...], allowed: bool) -> None:
    assert RoleRights([Role("r", snippets=snippets)]).may_use("pm.users") is allowed


class Table:
    """Answers counts, slowly by the test's clock."""

    def __init__(self, clock: Clock, takes: float) -> None:
        self.clock = clock
        self.takes = takes
        self.asked = 0
        self.total = 5
        self.gate = asyncio.Event()
        self.gate.set()

    async def ask(self) -> int:
        self.asked += 1
        total = self.total
        await self.gate.wait()
        self.clock.now += self.takes
        return total


@pytest.mark.anyio
async def test_quick_totals_are_always_asked() -> None:
    clock = Clock()
    counts, table = Counts(clock), Table(clock, 0.001)
    assert [await counts.get("t", "all", table.ask) for _ in range(3)] == [5, 5, 5]
    assert table.asked == 3


@pytest.mark.anyio
async def test_slow_totals_are_kept_until_written_or_old() -> None:
    clock = Clock()
    counts, table = Counts(clock), Table(clock, 0.1)
    assert [await counts.get("t", "all", table.ask) for _ in range(3)] == [5, 5, 5]
    assert table.asked == 1
    table.total = 6
    counts.written("t")
    assert await counts.get("t", "all", table.ask) == 6
    table.total = 7
    clock.now += KEPT + 0.1
    assert await counts.get("t", "all", table.ask) == 7
    assert table.asked == 3


@pytest.mark.anyio
async def test_a_count_under_way_is_shared_only_before_a_write() -> None:
    clock = Clock()
    counts, table = Counts(clock), Table(clock, 0.1)
    table.gate.clear()
    early = [asyncio.ensure_future(counts.get("t", "all", table.ask)) for _ in range(3)]
    while not table.asked:  # noqa: ASYNC110 - the tasks run as soon as this one yields
        await asyncio.sleep(0)
    table.total = 6
    counts.written("t")
    late = asyncio.ensure_future(counts.get("t", "all", table.ask))
    while table.asked < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    early[0].cancel()
    table.gate.set()
    assert await asyncio.gather(*early[1:], late) == [5, 5, 6]
    assert table.asked == 2

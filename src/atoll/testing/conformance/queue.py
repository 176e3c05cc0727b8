"""What every queue adapter must do (cluster/queue/base.py says it in words).

The test module gives the fixtures `queue` and `other_queue`: two nodes on one broker, as two processes would
have them, and nobody else there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from atoll.cluster.queue import Item, Queue, QueueStatus
from atoll.cluster.queue.base import LONGEST_DELAY
from atoll.errors import QueueItemNotUnderstood, QueueItemRefused, QueueUnavailable

PATIENCE = 20.0
SOON = 0.02  # a back-off that does not make tests slow


class Seen:
    """A handler that notes its items; what else it does can be given."""

    def __init__(self, then: Callable[[Item], Awaitable[None]] | None = None) -> None:
        self.items: list[Item] = []
        self.running = 0
        self.most = 0
        self._then = then
        self._changed = asyncio.Event()

    async def __call__(self, item: Item) -> None:
        """One try."""
        self.items.append(item)
        self.running += 1
        self.most = max(self.most, self.running)
        self._changed.set()
        try:
            if self._then is not None:
                await self._then(item)
        finally:
            self.running -= 1
            self._changed.set()

    @property
    def contents(self) -> list[bytes]:
        """What came, in order."""
        return [item.content for item in self.items]

    async def until(self, count: int) -> None:
        """Waits for that many tries in all, and for their ends."""
        async with asyncio.timeout(PATIENCE):
            while len(self.items) < count or self.running:
                self._changed.clear()
                await self._changed.wait()

    async def until_running(self, count: int) -> None:
        """Waits until that many are at work."""
        async with asyncio.timeout(PATIENCE):
            while self.running < count:
                self._changed.clear()
                await self._changed.wait()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what the handlers bring about."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def status_is(queue: Queue, channel: str, fits: Callable[[QueueStatus], bool]) -> QueueStatus:
    """Asks until the status fits: numbers of a broker may come a moment later."""
    deadline = time.monotonic() + PATIENCE
    while not fits(status := await queue.status(channel)):
        assert time.monotonic() < deadline, f"{channel}: {status}"
        await asyncio.sleep(0.05)
    return status


async def _for_ever(_: Item) -> None:
    await asyncio.Event().wait()


async def _fails(_: Item) -> None:
    raise RuntimeError("a reason")


@pytest.mark.anyio
class QueueConformance:
    """The suite."""

    async def test_an_item_is_done_once(self, queue: Queue, other_queue: Queue) -> None:
        """Whichever node publishes and whichever serves, before or after."""
        seen = Seen()
        first = await other_queue.publish("a", b"before")
        await queue.subscribe("a", seen)
        await seen.until(1)
        second = await other_queue.publish("a", b"\x00after\xff", priority=3, timeout=None, max_retries=7)
        await seen.until(2)
        assert [item.id for item in seen.items] == [first, second]
        assert seen.contents == [b"before", b"\x00after\xff"]
        last = seen.items[1]
        assert (last.channel, last.priority, last.timeout, last.max_retries) == ("a", 3, None, 7)
        assert (last.retried, last.lost, last.key) == (0, 0, None)
        assert abs(last.published - time.time()) < PATIENCE
        await status_is(queue, "a", lambda status: status.depth == status.in_flight == status.dead == 0)

    async def test_many_items_two_consumers(self, queue: Queue, other_queue: Queue) -> None:
        """Each is done once, and both take part."""
        seen, other = Seen(), Seen()
        await queue.subscribe("a", seen, concurrency=4)
        await other_queue.subscribe("a", other, concurrency=4)
        ids = await asyncio.gather(*(queue.publish("a", str(number).encode()) for number in range(300)))
        await until(lambda: len(seen.items) + len(other.items) >= 300)
        await status_is(queue, "a", lambda status: status.depth == status.in_flight == 0)
        assert sorted(item.id for item in (*seen.items, *other.items)) == sorted(ids)
        assert seen.items
        assert other.items
        assert max(seen.most, other.most) <= 4

    async def test_concurrency(self, queue: Queue) -> None:
        """As many at a time as asked for; 0 means all."""
        limited, free = Seen(_for_ever), Seen(_for_ever)
        await queue.subscribe("limited", limited, concurrency=3)
        await queue.subscribe("free", free, concurrency=0)
        for number in range(6):
            await queue.publish("limited", str(number).encode(), timeout=None)
            await queue.publish("free", str(number).encode(), timeout=None)
        await free.until_running(6)
        await limited.until_running(3)
        status = await status_is(queue, "limited", lambda status: status.in_flight >= 3)
        assert limited.running == 3
        assert status.in_flight + status.depth == 6

    async def test_nobody_listens(self, queue: Queue, other_queue: Queue) -> None:
        """Items stay, and the queue says that nobody serves them."""
        await queue.publish("a", b"1")
        await queue.publish("a", b"2")
        status = await status_is(other_queue, "a", lambda status: status.depth == 2)
        assert status.unserved
        assert status.consumers == 0
        assert status.oldest is not None
        assert 0 <= status.oldest < PATIENCE
        seen = Seen()
        consumer = await other_queue.subscribe("a", seen)
        await seen.until(2)
        status = await status_is(queue, "a", lambda status: status.depth == status.in_flight == 0)
        assert status.oldest is None
        assert status.consumers == 1
        await consumer.close()
        await status_is(queue, "a", lambda status: status.consumers == 0)
        assert not (await queue.status("unheard of")).unserved

    async def test_a_failing_item_is_tried_again(self, queue: Queue) -> None:
        """As often as it may, with a pause; then it is a dead letter, and the next one is done."""
        seen = Seen(_fails)
        await queue.publish("a", b"poison", max_retries=2, backoff=SOON)
        await queue.subscribe("a", seen)
        await seen.until(3)
        assert [item.retried for item in seen.items] == [0, 1, 2]
        assert len({item.id for item in seen.items}) == 1
        await status_is(queue, "a", lambda status: status.dead == 1 and status.depth == 0)
        (dead,) = await queue.dead("a")
        assert dead.item.content == b"poison"
        assert dead.item.channel == "a"
        assert "a reason" in dead.reason
        assert abs(dead.died - time.time()) < PATIENCE
        await queue.publish("a", b"next")
        await seen.until(4)

    async def test_a_failing_item_succeeds_at_last(self, queue: Queue) -> None:
        """Then nothing is left of it."""
        done = []

        async def at_third(item: Item) -> None:
            if item.retried < 2:
                raise RuntimeError("not yet")
            done.append(item)

        await queue.subscribe("a", Seen(at_third))
        await queue.publish("a", b"x", max_retries=5, backoff=SOON)
        await until(lambda: bool(done))
        await status_is(
            queue, "a", lambda status: replace(status, delayed=0) == QueueStatus(0, 0, None, 1, 0)
        )

    async def test_dead_letters(self, queue: Queue, other_queue: Queue) -> None:
        """Can be listed, dropped and re-driven, one by one or all."""
        consumer = await queue.subscribe("a", Seen(_fails))
        ids = [await queue.publish("a", str(number).encode()) for number in range(5)]
        await status_is(queue, "a", lambda status: status.dead == 5)
        await consumer.close()
        assert [each.item.id for each in await other_queue.dead("a")] == ids
        assert [each.item.id for each in await other_queue.dead("a", limit=2)] == ids[:2]
        assert await other_queue.drop("a", [ids[1], "unknown"]) == 1
        assert await other_queue.redrive("a", [ids[3]]) == 1
        seen = Seen()
        await queue.subscribe("a", seen)
        await seen.until(1)
        assert (seen.items[0].id, seen.items[0].retried) == (ids[3], 0)
        assert [each.item.id for each in await other_queue.dead("a")] == [ids[0], ids[2], ids[4]]
        assert await other_queue.redrive("a") == 3
        await seen.until(4)
        assert sorted(item.id for item in seen.items) == sorted([ids[0], ids[2], ids[3], ids[4]])
        assert await other_queue.dead("a") == []
        assert await other_queue.drop("a") == 0

    async def test_a_handler_that_takes_too_long(self, queue: Queue) -> None:
        """Is cancelled, and that counts as a failure."""
        seen = Seen(_for_ever)
        await queue.subscribe("a", seen)
        await queue.publish("a", b"slow", timeout=0.1, max_retries=1, backoff=SOON)
        await seen.until(2)
        (dead,) = await _dead(queue, 1)
        assert "0.1 s" in dead

    async def test_refused_and_not_understood(self, queue: Queue) -> None:
        """One is dead at once, whatever its tries; the other waits for a consumer that understands it."""

        async def old(item: Item) -> None:
            if item.content == b"never":
                raise QueueItemRefused("not with these values")
            raise QueueItemNotUnderstood("unknown kind")

        seen = Seen(old)
        consumer = await queue.subscribe("a", seen)
        await queue.publish("a", b"never", max_retries=9)
        assert await _dead(queue, 1) == ["not with these values"]
        await queue.publish("a", b"newer")
        await seen.until(2)
        await consumer.close()
        newer = Seen()
        await queue.subscribe("a", newer)
        await newer.until(1)
        assert (newer.items[0].content, newer.items[0].retried) == (b"newer", 0)

    async def test_keys(self, queue: Queue, other_queue: Queue) -> None:
        """Publishing again adds nothing, even when the first is done; channels do not share keys."""
        seen, other = Seen(), Seen()
        first = await queue.publish("a", b"1", key="k")
        assert await other_queue.publish("a", b"2", key="k") == first
        together = await asyncio.gather(
            *(node.publish("a", b"3", key="one of many") for node in (queue, other_queue) * 5)
        )
        assert len(set(together)) == 1
        await queue.subscribe("a", seen, concurrency=0)
        await queue.subscribe("b", other)
        await seen.until(2)
        assert await queue.publish("a", b"4", key="k") == first
        await other_queue.publish("b", b"5", key="k")
        await other.until(1)
        await queue.publish("a", b"last")
        await seen.until(3)
        assert sorted(seen.contents) == [b"1", b"3", b"last"]
        assert {item.key for item in seen.items} == {"k", "one of many", None}

    async def test_missing(self, queue: Queue, other_queue: Queue) -> None:
        """Never what waits, is worked on or is dead; what is done, once nothing else is there."""
        wanted = ["waits", "never published"]
        await queue.publish("a", b"1", key="waits")
        assert "waits" not in await other_queue.missing("a", wanted)
        stuck = Seen(_for_ever)
        consumer = await queue.subscribe("a", stuck)
        await stuck.until_running(1)
        await status_is(other_queue, "a", lambda status: status.in_flight == 1)
        assert "waits" not in await other_queue.missing("a", wanted)
        await consumer.close()
        failing = await queue.subscribe("a", Seen(_fails))
        await status_is(queue, "a", lambda status: status.dead == 1)
        await failing.close()
        assert await other_queue.missing("a", wanted) == {"never published"}
        assert await queue.drop("a") == 1
        done = Seen()
        await queue.subscribe("a", done)
        await queue.publish("a", b"2", key="done")
        await done.until(1)
        await status_is(queue, "a", lambda status: status.depth == status.in_flight == 0)
        assert await other_queue.missing("a", [*wanted, "done"]) == {*wanted, "done"}
        assert await queue.missing("b", ["done"]) == {"done"}

    async def test_delays(self, queue: Queue) -> None:
        """Not before; others do not wait for it. People see how many there are, if the broker tells."""
        await queue.publish("b", b"tomorrow", delay=86_400.0)
        await status_is(queue, "b", lambda status: status.depth == 0 and status.delayed in (1, None))
        seen = Seen()
        await queue.subscribe("a", seen)
        began = time.monotonic()
        await queue.publish("a", b"later", delay=0.6)
        await queue.publish("a", b"now")
        await seen.until(1)
        assert seen.contents == [b"now"]
        await seen.until(2)
        assert time.monotonic() - began >= 0.6
        assert seen.contents == [b"now", b"later"]

    async def test_priorities(self, queue: Queue) -> None:
        """The higher first, equals in order."""
        seen = Seen()
        for content, priority in ((b"c", 0), (b"b", 5), (b"a", 9), (b"d", 0)):
            await queue.publish("a", content, priority=priority)
        await status_is(queue, "a", lambda status: status.depth == 4)
        await queue.subscribe("a", seen)
        await seen.until(4)
        assert seen.contents == [b"a", b"b", b"c", b"d"]

    async def test_closing_hands_back(self, queue: Queue, other_queue: Queue) -> None:
        """What is not finished in time goes to another, and the try does not count."""
        stuck, seen = Seen(_for_ever), Seen()
        consumer = await queue.subscribe("a", stuck, concurrency=2)
        for content in (b"1", b"2", b"3"):
            await queue.publish("a", content, timeout=None)
        await stuck.until_running(2)
        await consumer.close()
        await consumer.close()
        assert stuck.running == 0
        await other_queue.subscribe("a", seen)
        await seen.until(3)
        assert sorted(seen.contents) == [b"1", b"2", b"3"]
        assert {(item.retried, item.lost) for item in seen.items} == {(0, 0)}

    async def test_closing_waits(self, queue: Queue) -> None:
        """As long as it is told to; what ends in that time is done."""
        released = asyncio.Event()

        async def until_released(_: Item) -> None:
            await released.wait()

        seen = Seen(until_released)
        consumer = await queue.subscribe("a", seen)
        await queue.publish("a", b"1", timeout=None)
        await seen.until_running(1)
        await queue.publish("a", b"2", timeout=None)
        closing = asyncio.create_task(consumer.close(PATIENCE))
        await asyncio.sleep(0.05)
        assert not closing.done()
        released.set()
        await closing
        await status_is(queue, "a", lambda status: status.depth == 1 and status.in_flight == 0)
        assert seen.contents == [b"1"]

    async def test_idle(self, queue: Queue) -> None:
        """Nothing is taken while it says False, and what another could do is not held either."""
        busy = True
        seen, other = Seen(), Seen()
        await queue.subscribe("a", seen, idle=lambda: not busy)
        await queue.publish("a", b"1")
        await asyncio.sleep(0.5)
        assert seen.items == []
        helper = await queue.subscribe("a", other)
        await other.until(1)
        await helper.close()
        busy = False
        await queue.publish("a", b"2")
        await seen.until(1)

    async def test_one_app_does_not_starve_another(self, queue: Queue) -> None:
        """Apps that share the slots of a process get turns, however many items one of them has."""
        slots = asyncio.Semaphore(2)
        order: list[bytes] = []

        async def note(item: Item) -> None:
            order.append(item.content)
            await asyncio.sleep(0)

        flooding, modest = queue.scope("flooding"), queue.scope("modest")
        await asyncio.gather(*(flooding.publish("a", b"f") for _ in range(400)))
        await flooding.subscribe("a", note, concurrency=4, slots=slots)
        await until(lambda: len(order) >= 10)
        await modest.subscribe("a", note, concurrency=4, slots=slots)
        await asyncio.gather(*(modest.publish("a", b"m") for _ in range(3)))
        await until(lambda: len(order) >= 403)
        last = max(index for index, content in enumerate(order) if content == b"m")
        assert last < 350, "the modest app waited until the flood was nearly over"

    async def test_scopes(self, queue: Queue, other_queue: Queue) -> None:
        """Have channels of their own; scopes of one name are one; closing one leaves the others."""
        app, same, another = queue.scope("app"), other_queue.scope("app"), queue.scope("another")
        mine, others, outside = Seen(), Seen(), Seen()
        await app.subscribe("a", mine)
        await another.subscribe("a", others)
        await queue.subscribe("a", outside)
        await same.publish("a", b"1")
        await mine.until(1)
        assert mine.items[0].channel == "a"
        await app.close()
        with pytest.raises(QueueUnavailable):
            await app.publish("a", b"2")
        await same.publish("a", b"3")
        await another.publish("a", b"4")
        await queue.publish("a", b"5")
        await others.until(1)
        await outside.until(1)
        assert (mine.contents, others.contents, outside.contents) == ([b"1"], [b"4"], [b"5"])
        assert (await same.status("a")).depth == 1

    async def test_a_closed_queue(self, queue: Queue) -> None:
        """Says so, runs nothing, and may be closed again."""
        stuck = Seen(_for_ever)
        await queue.subscribe("a", stuck)
        await queue.publish("a", b"1", timeout=None)
        await stuck.until_running(1)
        await queue.close()
        await queue.close()
        assert stuck.running == 0
        for call in (
            queue.publish("a", b"2"),
            queue.subscribe("a", stuck),
            queue.status("a"),
            queue.dead("a"),
        ):
            with pytest.raises(QueueUnavailable):
                await call

    async def test_arguments_out_of_range(self, queue: Queue) -> None:
        """Are refused, never changed."""
        for wrong in (
            {"timeout": 0.0},
            {"max_retries": -1},
            {"delay": -1.0},
            {"delay": LONGEST_DELAY + 1},
            {"priority": 10},
            {"priority": -1},
            {"backoff": -0.1},
        ):
            with pytest.raises(ValueError, match="must"):
                await queue.publish("a", b"", **wrong)
        assert (await queue.status("a")).depth == 0


async def _dead(queue: Queue, count: int) -> list[str]:
    await status_is(queue, "a", lambda status: status.dead == count)
    return [each.reason for each in await queue.dead("a")]

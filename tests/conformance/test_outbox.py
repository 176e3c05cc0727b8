"""The outbox on every database: work exists if, and only if, its transaction was committed (F33)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.schema import CreateTable
from typing_extensions import override

from atoll.application.migrations import MIGRATIONS
from atoll.application.outbox import Outbox, outbox_table
from atoll.cluster.queue import Item, MemoryQueue
from atoll.cluster.queue.base import BACKOFF, TIMEOUT
from atoll.cluster.queue.memory import MemoryStore
from atoll.database.drivers import Database
from atoll.errors import DatabaseUnavailable, QueueUnavailable
from atoll.testing.conformance.queue import Seen, status_is, until
from atoll.testing.processes import eventually

pytestmark = pytest.mark.anyio

EFFECTS = Table("effects", MetaData(), Column("id", Integer, primary_key=True), Column("what", String(50)))
SOON = 0.02


@pytest.fixture
async def prepared(database: Database) -> Database:
    (outbox,) = [each for each in MIGRATIONS if each.name == "0004-outbox"]
    async with database.transaction() as tx:
        for step in outbox.before:
            await step(database, tx)
        await database.run(CreateTable(EFFECTS), connection=tx)
    return database


class Instance:
    """One instance of an app: an outbox and a node of the queue."""

    def __init__(self, database: Database, queue: MemoryQueue, silent_seconds: float = 600.0) -> None:
        self.database = database
        self.queue = queue
        self.outbox = Outbox(database, queue, silent_seconds=silent_seconds)
        self.seen = Seen()

    async def start(self) -> None:
        self.outbox.start()
        await self.queue.subscribe("jobs", self.outbox.handler(self.seen), concurrency=5)

    async def add(self, content: bytes) -> str:
        async with self.database.transaction() as tx:
            return await self.outbox.publish(tx, "jobs", content)

    async def stop(self) -> None:
        await self.outbox.stop()
        await self.queue.close()

    async def rows(self) -> int:
        return len((await self.database.run(select(outbox_table("").c.id))).rows)

    async def until_rows(self, count: int) -> None:
        async def there() -> bool:
            return await self.rows() == count

        await eventually(there, within=20, what=f"{count} rows are left")


@pytest.fixture
async def instance(prepared: Database) -> AsyncIterator[Instance]:
    instance = Instance(prepared, MemoryQueue())
    yield instance
    await instance.stop()


async def test_committed_work_is_done_and_nothing_is_left(instance: Instance) -> None:
    await instance.start()
    await instance.add(b"\x00 now")
    await instance.seen.until(1)
    assert instance.seen.contents == [b"\x00 now"]
    await instance.until_rows(0)


async def test_work_of_a_transaction_that_is_undone_never_existed(instance: Instance) -> None:
    await instance.start()
    with pytest.raises(RuntimeError, match="undo"):
        async with instance.database.transaction() as tx:
            await instance.outbox.publish(tx, "jobs", b"phantom")
            raise RuntimeError("undo")
    await instance.add(b"real")
    await instance.seen.until(1)
    assert instance.seen.contents == [b"real"]


async def test_work_waits_for_a_late_commit(instance: Instance) -> None:
    await instance.start()
    async with instance.database.transaction() as tx:
        await instance.outbox.publish(tx, "jobs", b"late")
        await asyncio.sleep(0.3)
        assert instance.seen.contents == []
        assert (await instance.queue.status("jobs")).depth == 0
    await instance.seen.until(1)


async def test_options_and_delays_go_along(instance: Instance) -> None:
    await instance.start()
    async with instance.database.transaction() as tx:
        await instance.outbox.publish(
            tx, "jobs", b"x", timeout=None, max_retries=3, priority=7, backoff=2.5, delay=0.3
        )
    await instance.seen.until(1)
    (item,) = instance.seen.items
    assert (item.timeout, item.max_retries, item.priority, item.backoff) == (None, 3, 7, 2.5)


class LostAnswers(MemoryQueue):
    """Named fault: the queue takes an item, and its first answer is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str | None] = []

    @override
    async def publish(
        self,
        channel: str,
        content: bytes,
        *,
        timeout: float | None = TIMEOUT,
        max_retries: int = 0,
        delay: float = 0.0,
        priority: int = 0,
        key: str | None = None,
        backoff: float = BACKOFF,
    ) -> str:
        id_ = await super().publish(channel, content, key=key)
        self.keys.append(key)
        if self.keys.count(key) == 1:
            raise QueueUnavailable("The answer was lost.")
        return id_


async def test_a_lost_answer_of_the_queue_makes_no_second_item(prepared: Database) -> None:
    queue = LostAnswers()
    instance = Instance(prepared, queue)
    instance.outbox.start()
    for number in range(5):
        await instance.add(str(number).encode())
    await until(lambda: len(queue.keys) == 10)
    assert (await queue.status("jobs")).depth == 5
    await queue.subscribe("jobs", instance.outbox.handler(instance.seen))
    await instance.until_rows(0)
    assert sorted(instance.seen.contents) == [b"0", b"1", b"2", b"3", b"4"]
    await instance.stop()


class Away(MemoryQueue):
    """Named fault: the queue is away."""

    tries = 0

    @override
    async def publish(self, channel: str, content: bytes, **options: Any) -> str:
        self.tries += 1
        raise QueueUnavailable("It is away.")


async def test_one_try_shows_that_the_queue_is_away_and_nothing_stays_claimed(prepared: Database) -> None:
    queue = Away()
    instance = Instance(prepared, queue)
    for number in range(20):
        await instance.add(b"%d" % number)
    for expected in (1, 2):
        with pytest.raises(QueueUnavailable):
            await instance.outbox.relay()
        assert queue.tries == expected
    instance.outbox = Outbox(prepared, MemoryQueue())
    assert await instance.outbox.relay() == 20
    await instance.stop()


async def test_several_instances_hand_over_the_same_rows(prepared: Database) -> None:
    """Each item is done once, whoever relays and whoever added it; an instance that is gone leaves no row."""
    store = MemoryStore()
    instances = [Instance(prepared, MemoryQueue(store)) for _ in range(3)]
    gone = Instance(prepared, MemoryQueue(store))
    for number in range(60):
        await gone.add(b"%d" % number)
    await asyncio.gather(*(each.outbox.relay() for each in instances))
    for each in instances:
        await each.start()
    await instances[0].until_rows(0)
    contents = [content for each in instances for content in each.seen.contents]
    assert sorted(contents, key=int) == [b"%d" % number for number in range(60)]
    for each in (*instances, gone):
        await each.stop()


async def test_an_effect_in_the_database_happens_once_though_copies_run_together(instance: Instance) -> None:
    running: list[Item] = []
    go = asyncio.Event()

    async def process(item: Item) -> None:
        running.append(item)
        await go.wait()
        async with instance.database.transaction() as tx:
            await instance.database.run(insert(EFFECTS), {"what": item.content.decode()}, connection=tx)
            await instance.outbox.finish(tx, item)

    await instance.queue.subscribe("jobs", instance.outbox.handler(process), concurrency=5)
    id_ = await instance.add(b"effect")
    await instance.outbox.relay()
    await instance.queue.publish("jobs", b"effect", key=f"outbox:{id_}:1")  # as an instance would that lagged
    await until(lambda: len(running) == 2)
    go.set()
    await status_is(instance.queue, "jobs", lambda status: status.in_flight == 0)
    assert len((await instance.database.run(select(EFFECTS.c.id))).rows) == 1
    assert (await instance.queue.status("jobs")).dead == 0
    await instance.queue.publish("jobs", b"effect", key=f"outbox:{id_}:2")
    await status_is(instance.queue, "jobs", lambda status: status.in_flight == status.depth == 0)
    assert len(running) == 2, "what is done is not begun again"


async def test_what_the_queue_lost_comes_again(prepared: Database) -> None:
    before = Instance(prepared, MemoryQueue())
    await before.add(b"lost with its data")
    assert await before.outbox.relay() == 1
    await before.stop()
    after = Instance(prepared, MemoryQueue(), silent_seconds=-1)
    assert await after.outbox.restore() == 1
    await after.start()
    await after.seen.until(1)
    await after.until_rows(0)
    await after.stop()


async def test_what_a_busy_queue_lost_comes_again_and_nothing_else(prepared: Database) -> None:
    """The queue may never be empty, so its being empty cannot be waited for."""
    before = Instance(prepared, MemoryQueue())
    await before.add(b"lost with its data")
    await before.outbox.relay()
    await before.stop()
    after = Instance(prepared, MemoryQueue())
    await after.add(b"waits")
    await after.outbox.relay()
    after.outbox = Outbox(prepared, after.queue, quiet_seconds=-1)
    assert await after.outbox.ask() == 2
    assert (await after.queue.status("jobs")).depth == 2, "the one that waits is not there twice"
    await after.start()
    await after.until_rows(0)
    assert sorted(after.seen.contents) == [b"lost with its data", b"waits"]
    await after.stop()


async def test_what_a_busy_queue_lost_long_ago_comes_again_and_nothing_else(prepared: Database) -> None:
    """Also when it was handed over so long ago that its key is forgotten."""
    before = Instance(prepared, MemoryQueue())
    await before.add(b"lost with its data")
    await before.outbox.relay()
    await before.stop()
    after = Instance(prepared, MemoryQueue(), silent_seconds=-1)
    await after.add(b"waits")
    await after.outbox.relay()
    assert await after.outbox.restore() == 1
    assert await after.outbox.relay() == 1
    assert (await after.queue.status("jobs")).depth == 2, "the one that waits is not there twice"
    assert await after.outbox.restore() == 0
    await after.start()
    await after.until_rows(0)
    assert sorted(after.seen.contents) == [b"lost with its data", b"waits"]
    await after.stop()


class Broken(Outbox):
    """Named fault: the database is away."""

    tries = 0

    @override
    async def ask(self) -> int:
        self.tries += 1
        raise DatabaseUnavailable("It is away.")


async def test_an_outbox_without_database_rests_between_its_tries(prepared: Database) -> None:
    outbox = Broken(prepared, MemoryQueue())
    outbox.start()
    async with prepared.transaction() as tx:
        for _ in range(50):
            await outbox.publish(tx, "jobs", b"x")
            await asyncio.sleep(0.01)
    await outbox.stop()
    assert 1 < outbox.tries < 12


async def test_dead_letters_stay_dead_until_a_person_decides(prepared: Database) -> None:
    instance = Instance(prepared, MemoryQueue(), silent_seconds=-1)

    async def fails(_: Item) -> None:
        raise RuntimeError("no")

    consumer = await instance.queue.subscribe("jobs", instance.outbox.handler(fails))
    await instance.add(b"poison")
    await instance.outbox.relay()
    await status_is(instance.queue, "jobs", lambda status: status.dead == 1)
    await consumer.close()
    assert await instance.outbox.restore() == 0
    await instance.start()
    assert await instance.queue.redrive("jobs") == 1
    await instance.seen.until(1)
    await instance.until_rows(0)
    await instance.stop()

"""The queue suite in memory, on Redis and on RabbitMQ, and what is particular to each."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from atoll.cluster.queue import MemoryQueue, Queue, RedisQueue
from atoll.cluster.queue.memory import MemoryStore
from atoll.cluster.queue.rabbitmq import RabbitQueue
from atoll.cluster.redis import RedisConnection
from atoll.errors import StorageUnusable
from atoll.testing.conformance.queue import QueueConformance, Seen, status_is


class TestMemoryQueue(QueueConformance):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.fixture
    async def queue(self, store: MemoryStore) -> AsyncIterator[Queue]:
        queue = MemoryQueue(store)
        yield queue
        await queue.close()

    @pytest.fixture
    async def other_queue(self, store: MemoryStore) -> AsyncIterator[Queue]:
        queue = MemoryQueue(store)
        yield queue
        await queue.close()


class TestRedisQueue(QueueConformance):
    async def test_one_of_many_is_missed(self, queue: Queue, redis_connection: RedisConnection) -> None:
        """Redis lost its data, and others were published since: those are not counted for the lost one."""
        await queue.publish("a", b"1", key="lost")
        async for key in redis_connection.client.scan_iter(redis_connection.key("queue", "*")):
            await redis_connection.client.delete(key)
        await queue.publish("a", b"2", key="there")
        assert await queue.missing("a", ["lost", "there"]) == {"lost"}

    @pytest.fixture
    async def queue(self, redis_connection: RedisConnection) -> AsyncIterator[Queue]:
        queue = RedisQueue(redis_connection)
        yield queue
        await queue.close()

    @pytest.fixture
    async def other_queue(self, redis_url: str, redis_connection: RedisConnection) -> AsyncIterator[Queue]:
        connection = RedisConnection(redis_url, redis_connection.namespace)
        queue = RedisQueue(connection)
        yield queue
        await queue.close()
        await connection.close()


class TestRabbitQueue(QueueConformance):
    @pytest.fixture
    def namespace(self) -> str:
        return f"test-{secrets.token_hex(6)}"

    @pytest.fixture
    async def queue(self, rabbitmq_url: str, namespace: str) -> AsyncIterator[Queue]:
        queue = RabbitQueue(rabbitmq_url, namespace)
        yield queue
        await queue.close()

    @pytest.fixture
    async def other_queue(self, rabbitmq_url: str, namespace: str) -> AsyncIterator[Queue]:
        queue = RabbitQueue(rabbitmq_url, namespace)
        yield queue
        await queue.close()


@pytest.mark.anyio
async def test_memory_keeps_items_over_a_clean_stop(tmp_path: Path) -> None:
    file = tmp_path / "queue" / "items.json"
    queue = MemoryQueue(file=file)

    async def fails(_: object) -> None:
        raise RuntimeError("no")

    consumer = await queue.subscribe("dead", fails)
    await queue.publish("dead", b"3")
    await status_is(queue, "dead", lambda status: status.dead == 1)
    await consumer.close()
    await queue.publish("a", b"1\xff", max_retries=4)
    await queue.publish("a", b"2", delay=0.2)
    await queue.close()
    assert file.stat().st_mode & 0o077 == 0

    again = MemoryQueue(file=file)
    assert not file.exists(), "a crash must not bring old items back"
    seen = Seen()
    await again.subscribe("a", seen)
    await seen.until(2)
    assert seen.contents == [b"1\xff", b"2"]
    assert seen.items[0].max_retries == 4
    assert [each.reason for each in await again.dead("dead")] == ["RuntimeError: no"]
    assert await again.drop("dead") == 1
    await again.close()
    assert not file.exists()


def test_memory_does_not_throw_away_what_it_cannot_read(tmp_path: Path) -> None:
    file = tmp_path / "items.json"
    file.write_text("{")
    with pytest.raises(StorageUnusable):
        MemoryQueue(file=file)
    assert file.exists()

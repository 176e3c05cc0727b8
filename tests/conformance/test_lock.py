"""The lock suite in memory and on Redis, and what only Redis can do to a lock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from atoll.cluster.lock import Lock, MemoryLock, RedisLock
from atoll.cluster.redis import RedisConnection
from atoll.testing.conformance.lock import LONG, PATIENCE, LockConformance
from atoll.testing.services import RedisServer, redis_server


class TestMemoryLock(LockConformance):
    @pytest.fixture
    async def lock(self) -> AsyncIterator[Lock]:
        lock = MemoryLock()
        yield lock
        await lock.close()

    @pytest.fixture
    def other_lock(self, lock: Lock) -> Lock:
        return lock


class TestRedisLock(LockConformance):
    @pytest.fixture
    async def lock(self, redis_connection: RedisConnection) -> AsyncIterator[Lock]:
        lock = RedisLock(redis_connection)
        yield lock
        await lock.close()

    @pytest.fixture
    async def other_lock(self, redis_url: str, redis_connection: RedisConnection) -> AsyncIterator[Lock]:
        connection = RedisConnection(redis_url, redis_connection.namespace)
        lock = RedisLock(connection)
        yield lock
        await lock.close()
        await connection.close()


@pytest.fixture(scope="module")
def own_redis(redis_url: str) -> Iterator[RedisServer]:
    """One that may be emptied; `redis_url` has made sure that there is a program for it."""
    with redis_server() as server:
        yield server


@pytest.mark.anyio
async def test_tokens_grow_after_redis_lost_its_data(own_redis: RedisServer) -> None:
    connection = RedisConnection(own_redis.url, "t")
    lock = RedisLock(connection)
    before = await lock.acquire("a", LONG)
    await connection.client.flushall()
    after = await lock.acquire("a", LONG, PATIENCE)
    assert after.token > before.token
    await lock.close()
    await connection.close()


@pytest.mark.anyio
async def test_a_killed_connection_is_made_again(own_redis: RedisServer) -> None:
    connection = RedisConnection(own_redis.url, "t2")
    lock = RedisLock(connection)
    lease = await lock.acquire("a", LONG)
    await connection.client.execute_command("CLIENT", "KILL", "TYPE", "normal")
    await lease.renew()
    await connection.client.script_flush()
    await lease.release()
    await lock.close()
    await connection.close()

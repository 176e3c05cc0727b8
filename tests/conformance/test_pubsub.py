"""The pub/sub suite in memory and on Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from atoll.cluster.pubsub import MemoryPubSub, PubSub, RedisPubSub
from atoll.cluster.pubsub.memory import MemoryBus
from atoll.cluster.redis import RedisConnection
from atoll.testing.conformance.pubsub import PubSubConformance


class TestMemoryPubSub(PubSubConformance):
    @pytest.fixture
    def bus(self) -> MemoryBus:
        return MemoryBus()

    @pytest.fixture
    async def node(self, bus: MemoryBus) -> AsyncIterator[PubSub]:
        node = MemoryPubSub(bus)
        yield node
        await node.close()

    @pytest.fixture
    async def other_node(self, bus: MemoryBus) -> AsyncIterator[PubSub]:
        node = MemoryPubSub(bus)
        yield node
        await node.close()


class TestRedisPubSub(PubSubConformance):
    @pytest.fixture
    async def node(self, redis_connection: RedisConnection) -> AsyncIterator[PubSub]:
        node = RedisPubSub(redis_connection)
        yield node
        await node.close()

    @pytest.fixture
    async def other_node(self, redis_url: str, redis_connection: RedisConnection) -> AsyncIterator[PubSub]:
        connection = RedisConnection(redis_url, redis_connection.namespace)
        node = RedisPubSub(connection)
        yield node
        await node.close()
        await connection.close()

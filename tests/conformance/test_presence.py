"""Presence in memory and in Redis."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from atoll.cluster.redis import RedisConnection
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.presence.memory import MemoryPresence
from atoll.supervisor.presence.redis import RedisPresence
from atoll.testing.conformance.presence import PresenceConformance


class TestMemory(PresenceConformance):
    """In one process."""

    @pytest.fixture
    def presence(self) -> Presence:
        """One for all."""
        return MemoryPresence()

    @pytest.fixture
    def other_presence(self, presence: Presence) -> Presence:
        """The same."""
        return presence


class TestRedis(PresenceConformance):
    """Between processes."""

    @pytest.fixture
    def namespace(self) -> str:
        """One of the test's own."""
        return f"t{secrets.token_hex(6)}"

    @pytest.fixture
    async def presence(self, redis_url: str, namespace: str) -> AsyncIterator[Presence]:
        """One process."""
        connection = RedisConnection(redis_url, namespace)
        yield RedisPresence(connection, lease_seconds=2.0)
        await connection.close()

    @pytest.fixture
    async def other_presence(self, redis_url: str, namespace: str) -> AsyncIterator[Presence]:
        """Another one."""
        connection = RedisConnection(redis_url, namespace)
        yield RedisPresence(connection, lease_seconds=2.0)
        await connection.close()

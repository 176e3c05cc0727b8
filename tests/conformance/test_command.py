"""Commands in memory and in Redis."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from atoll.cluster.redis import RedisConnection
from atoll.supervisor.command.base import Commands
from atoll.supervisor.command.memory import MemoryCommands
from atoll.supervisor.command.redis import RedisCommands
from atoll.testing.conformance.command import CommandConformance


class TestMemory(CommandConformance):
    """In one process."""

    @pytest.fixture
    def commands(self) -> Commands:
        """One for all."""
        return MemoryCommands()

    @pytest.fixture
    def other_commands(self, commands: Commands) -> Commands:
        """The same."""
        return commands


class TestRedis(CommandConformance):
    """Between processes."""

    @pytest.fixture
    def namespace(self) -> str:
        """One of the test's own."""
        return f"t{secrets.token_hex(6)}"

    @pytest.fixture
    async def commands(self, redis_url: str, namespace: str) -> AsyncIterator[Commands]:
        """One process."""
        connection = RedisConnection(redis_url, namespace)
        commands = RedisCommands(connection)
        await commands.open()
        yield commands
        await commands.close()
        await connection.close()

    @pytest.fixture
    async def other_commands(self, redis_url: str, namespace: str) -> AsyncIterator[Commands]:
        """Another one."""
        connection = RedisConnection(redis_url, namespace)
        commands = RedisCommands(connection)
        await commands.open()
        yield commands
        await commands.close()
        await connection.close()

"""Databases of a test's own on the session's PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from atoll.testing.deployment import PostgresAddress


@contextlib.asynccontextmanager
async def database(service: PostgresAddress, name: str) -> AsyncIterator[dict[str, str]]:
    """An empty database; yields the variables that point a server at it."""
    await run(service, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await run(service, f'CREATE DATABASE "{name}"')
    try:
        yield {
            "DB_DIALECT": "postgres",
            "DB_HOST": service.host,
            "DB_PORT": str(service.port),
            "DB_DATABASE": name,
            "DB_USER": service.user,
            "DB_PASSWORD": service.password,
        }
    finally:
        await run(service, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def run(service: PostgresAddress, statement: str, name: str = "postgres") -> list[Any]:
    """One statement on a connection of its own."""
    connection = await asyncpg.connect(
        host=service.host, port=service.port, user=service.user, password=service.password, database=name
    )
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()

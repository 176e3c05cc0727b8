"""Services for all tests. One of each per test process; every test has a database or namespace of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest

from atoll.cluster.redis import RedisConnection
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import Database, connect
from atoll.testing.deployment import PostgresAddress
from atoll.testing.rabbitmq import RabbitServer, rabbitmq_server
from atoll.testing.s3 import S3Server, s3_server
from atoll.testing.sentinels import Watched, watched_redis
from atoll.testing.services import (
    PostgresServer,
    RedisServer,
    ServiceMissing,
    find_bloom_module,
    find_chromium,
    find_other_redis,
    postgres_server,
    redis_server,
)

pytest.register_assert_rewrite("atoll.testing.conformance")
T = TypeVar("T")


def needed(service: AbstractContextManager[T]) -> Iterator[T]:
    """The running service; a missing one skips the test with the reason, and fails it in CI."""
    try:
        running = service.__enter__()
    except ServiceMissing as error:
        missing(error)
    try:
        yield running
    finally:
        service.__exit__(None, None, None)


def missing(error: ServiceMissing) -> None:
    """Skips, or fails in CI: there "not run" must never look like "passed"."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(error))
    pytest.skip(str(error))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def redis_service() -> Iterator[RedisServer]:
    yield from needed(redis_server())


@pytest.fixture(scope="session")
def s3_service() -> Iterator[S3Server]:
    """An S3 server that all tests of this process share: make a bucket of your own."""
    yield from needed(s3_server())


@pytest.fixture(scope="session")
def redis_url(redis_service: RedisServer) -> str:
    """A Redis that all tests of this process share: use a namespace of your own and never empty it."""
    return redis_service.url


@pytest.fixture(scope="session")
def redis_with_bloom(redis_url: str) -> Iterator[RedisServer]:
    """A Redis with the Bloom filter module."""
    try:
        module = find_bloom_module()
    except ServiceMissing as error:
        missing(error)
        raise
    yield from needed(redis_server("--loadmodule", str(module)))


@pytest.fixture(scope="session")
def other_redis_service() -> Iterator[RedisServer]:
    """A Redis of another version: 7 beside 8."""
    try:
        program = find_other_redis()
    except ServiceMissing as error:
        missing(error)
    yield from needed(redis_server(program=program))


@pytest.fixture(scope="session")
def watched_redis_service() -> Iterator[Watched]:
    """A Redis behind sentinels, which all tests of this process share."""
    yield from needed(watched_redis())


@pytest.fixture
async def redis_connection(anyio_backend: str, redis_url: str) -> AsyncIterator[RedisConnection]:
    """A namespace of the test's own."""
    connection = RedisConnection(redis_url, f"test-{secrets.token_hex(6)}")
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def rabbitmq_service() -> Iterator[RabbitServer]:
    yield from needed(rabbitmq_server())


@pytest.fixture(scope="module")
def own_rabbitmq() -> Iterator[RabbitServer]:
    """A RabbitMQ of the module's own, which a test may restart."""
    yield from needed(rabbitmq_server())


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq_service: RabbitServer) -> str:
    """A RabbitMQ that all tests of this process share: use a namespace of your own."""
    return rabbitmq_service.url


@pytest.fixture(scope="session")
def postgres_service() -> Iterator[PostgresServer]:
    yield from needed(postgres_server())


@pytest.fixture(scope="session")
def postgres(postgres_service: PostgresServer) -> PostgresAddress:
    """A PostgreSQL that all tests of this process share: make databases of your own."""
    server = postgres_service
    return PostgresAddress(server.host, server.port, server.user, server.password)


@pytest.fixture(scope="session")
def postgres_admin(postgres: PostgresAddress) -> DatabaseConfig:
    """The maintenance database of the shared PostgreSQL."""
    return DatabaseConfig(
        "postgres",
        host=postgres.host,
        port=postgres.port,
        user=postgres.user,
        password=postgres.password,
        database="postgres",
    )


@pytest.fixture
async def postgres_config(
    anyio_backend: str, postgres_admin: DatabaseConfig
) -> AsyncIterator[DatabaseConfig]:
    """An empty database of the test's own."""
    name = f"test_{secrets.token_hex(6)}"
    await administer(postgres_admin, f"CREATE DATABASE {name} TEMPLATE template0")
    yield replace(postgres_admin, database=name)
    await administer(postgres_admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def sqlite_config(tmp_path: Path) -> DatabaseConfig:
    """A database file of the test's own, not made yet."""
    return DatabaseConfig("sqlite", storage=tmp_path / "main.sqlite")


@pytest.fixture(params=["sqlite", "postgres"])
def database_config(request: pytest.FixtureRequest) -> DatabaseConfig:
    """An empty database of each kind; the test runs once for each."""
    config: DatabaseConfig = request.getfixturevalue(f"{request.param}_config")
    return config


@pytest.fixture
async def database(anyio_backend: str, database_config: DatabaseConfig) -> AsyncIterator[Database]:
    """An opened, empty database of each kind; the test runs once for each."""
    opened = connect(database_config)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program."""
    try:
        return find_chromium()
    except ServiceMissing as error:
        missing(error)
        raise


async def administer(config: DatabaseConfig, statement: str) -> None:
    connection = await asyncpg.connect(
        host=config.host,
        port=config.port,
        user=config.user,
        password=config.password,
        database=config.database,
    )
    try:
        await connection.execute(statement)
    finally:
        await connection.close()

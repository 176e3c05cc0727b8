"""F61: PostgreSQL goes away under three servers of one app: alive, honest, and back by themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from atoll.testing.client import AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess, eventually
from atoll.testing.services import postgres_server

from .conftest import Say
from .postgres import PostgresProcess
from .redis_process import RedisProcess
from .test_instances import ACCOUNT, cluster

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(postgres: PostgresAddress) -> Iterator[PostgresProcess]:
    """A PostgreSQL of the test's own. Where there is none, the shared one has skipped the test."""
    with postgres_server() as server, PostgresProcess(server) as process:
        yield process


async def outage(
    seconds: float, folder: Path, database: PostgresProcess, redis: RedisProcess, say: Say
) -> None:
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(cluster(folder, database.address, redis, "atoll_away"))
        client = await stack.enter_async_context(AtollClient(servers[0].url))
        await client.sign_in(ACCOUNT)
        before = [server.pid for server in servers]
        await asyncio.to_thread(database.stop)
        began, refused = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            for server in servers:
                async with httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as web:
                    assert (await web.get("/api/__health_check")).status_code == 200
            refused += (await client.send("users:list")).status_code == 503
        assert refused, "what needs the database says that it is away"
        for server in servers:
            await eventually(partial(says_not_ready, server), within=20, what="readiness is honest")
        await asyncio.to_thread(database.start)
        back = time.monotonic()
        for server in servers:
            await server.until_ready(within=40)
        assert await client.call("users:list")
        assert [server.pid for server in servers] == before, "nobody was restarted"
        say(
            f"PostgreSQL away {seconds:g} s: three servers live all the time, {refused} requests refused "
            f"with 503, ready again {time.monotonic() - back:.1f} s after it came back"
        )


async def says_not_ready(server: ServerProcess) -> bool:
    async with httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as web:
        answer = await web.get("/api/__ready")
        return answer.status_code == 503 and answer.json()["checks"]["database"]["ok"] is False


async def test_a_short_outage(
    tmp_path: Path, database: PostgresProcess, redis: RedisProcess, say: Say, anyio_backend: str
) -> None:
    await outage(5, tmp_path, database, redis, say)


@pytest.mark.slow
async def test_a_long_outage(
    tmp_path: Path, database: PostgresProcess, redis: RedisProcess, say: Say, anyio_backend: str
) -> None:
    await outage(60, tmp_path, database, redis, say)

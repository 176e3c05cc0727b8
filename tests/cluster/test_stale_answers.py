"""F26, F61: an instance that has trouble with its database waits or refuses, but gives no old answer.

Two servers of one app. The second hears nothing from the first, and its way to the database is bad.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.faults import Relay, relay
from atoll.testing.processes import ServerProcess, closing, eventually

from . import postgres as databases
from .conftest import Say
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio
ACCOUNT = Account()
NAME = "atoll_stale"
POOL = 2
SLOW = 0.15  # in each direction, as at most in a run with random faults


@dataclass
class Pair:
    """Two servers. The ways of the second are relays."""

    good: AtollClient
    bad: AtollClient
    database: Relay
    redis: Relay
    postgres: PostgresAddress
    _numbers: itertools.count[int]

    @asynccontextmanager
    async def deaf(self) -> AsyncIterator[None]:
        """The second server hears nothing, as when its Redis is cut off."""
        self.redis.silence()
        try:
            yield
        finally:
            self.redis.heal()

    async def make_collection(self) -> str:
        """Makes one at the first server; it is answered once no server may answer without knowing it."""
        name = f"made{next(self._numbers)}"
        await self.good.call("collections:create", {"name": name})
        return name


@pytest.fixture(scope="module")
async def pair(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    redis: RedisProcess,
) -> AsyncIterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    async with AsyncExitStack() as stack:
        variables = await stack.enter_async_context(databases.database(postgres, NAME))
        database = await stack.enter_async_context(relay(postgres.host, postgres.port))
        cable = await stack.enter_async_context(relay("127.0.0.1", redis.port))
        common = {
            **variables,
            "STORAGE_PATH": str(folder / "storage"),
            "LOCK_ADAPTER_DEFAULT": "redis",
            "INIT_ROOT_USERNAME": ACCOUNT.username,
            "INIT_ROOT_EMAIL": ACCOUNT.email,
            "INIT_ROOT_PASSWORD": ACCOUNT.password,
        }
        bad = {
            "REDIS_URL": f"redis://127.0.0.1:{cable.listen_port}",
            "DB_PORT": str(database.listen_port),
            "DB_POOL_MAX": str(POOL),
        }
        servers = [
            ServerProcess("good", folder / "good", {**common, "REDIS_URL": redis.url}),
            ServerProcess("bad", folder / "bad", {**common, **bad}),
        ]
        await stack.enter_async_context(closing(*servers))
        for server in servers:
            server.spawn()
        for server in servers:
            await server.until_ready(within=60)
        clients = [await stack.enter_async_context(AtollClient(server.url)) for server in servers]
        token = await clients[0].sign_in(ACCOUNT)
        clients[1].http.headers["Authorization"] = f"Bearer {token}"
        await clients[0].call("collections:create", {"name": "notes"})
        yield Pair(clients[0], clients[1], database, cable, postgres, itertools.count())


async def test_a_slow_database_is_waited_for(pair: Pair, say: Say) -> None:
    async with pair.deaf():
        pair.database.delay = SLOW
        try:
            name = await pair.make_collection()
            began = time.monotonic()
            answer = await pair.bad.send(f"{name}:list")
            assert answer.status_code == 200, answer.text
            trips = (time.monotonic() - began) / (2 * SLOW)
            say(f"round trip {2 * SLOW:g} s: joined again, read all anew and answered in {trips:.0f} of them")
        finally:
            pair.database.delay = 0.0


async def test_a_silent_database_is_no_reason_for_an_old_answer(pair: Pair) -> None:
    """And as soon as it answers again, so does the server."""
    async with pair.deaf():
        pair.database.silence()
        try:
            name = await pair.make_collection()
            answer = await pair.bad.send(f"{name}:list")
            assert answer.status_code == 503, answer.text
            assert answer.json()["errors"][0]["code"] == "INSTANCE_NOT_CURRENT"
            assert answer.headers["retry-after"] == "1"
        finally:
            pair.database.heal()
        assert (await pair.bad.send(f"{name}:list")).status_code == 200


@asynccontextmanager
async def busy_pool(pair: Pair) -> AsyncIterator[None]:
    """All connections of the second server's pool wait for a table that somebody has locked."""
    at = pair.postgres
    blocker = await asyncpg.connect(
        host=at.host, port=at.port, user=at.user, password=at.password, database=NAME
    )
    readers: list[asyncio.Task[object]] = []
    try:
        async with blocker.transaction():
            await blocker.execute('LOCK TABLE "notes" IN ACCESS EXCLUSIVE MODE')
            readers += [asyncio.create_task(pair.bad.send("notes:list")) for _ in range(POOL + 2)]

            async def blocked() -> bool:
                waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'notes'::regclass"
                return int(await blocker.fetchval(waiting)) == POOL

            await eventually(blocked, within=20, what="the pool is used up", every=0.05)
            yield
        answers = await asyncio.gather(*readers)
        assert [each.status_code for each in answers] == [200] * len(readers)  # type: ignore[attr-defined]
    finally:
        await blocker.close()


async def test_a_pool_in_use_keeps_nobody_from_comparing(pair: Pair) -> None:
    """What needs no connection of the pool is answered for longer than a lease lasts."""
    async with busy_pool(pair):
        until = asyncio.get_running_loop().time() + 2.5
        while asyncio.get_running_loop().time() < until:
            async with asyncio.timeout(2):
                assert (await pair.bad.send("roles:check")).status_code == 200
            await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_what_was_changed_meanwhile_is_waited_for(pair: Pair) -> None:
    async with pair.deaf():
        async with busy_pool(pair):
            name = await pair.make_collection()
            asked = asyncio.create_task(pair.bad.send(f"{name}:list"))
            done, _ = await asyncio.wait({asked}, timeout=4)
            assert not done, asked.result().text
        assert (await asked).status_code == 200

"""F24, F26, F43: three servers of one app, as real processes; each request may go to another one."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess, closing, eventually

from . import postgres as databases
from .conftest import Say
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio
COUNT = 3
ACCOUNT = Account()


@asynccontextmanager
async def cluster(
    folder: Path, service: PostgresAddress, redis: RedisProcess, name: str
) -> AsyncIterator[list[ServerProcess]]:
    """Three servers on one database, one Redis and one storage folder, started at the same moment."""
    async with databases.database(service, name) as variables:
        common = {
            **variables,
            "PUBSUB_ADAPTER_REDIS_URL": redis.url,
            "LOCK_ADAPTER_DEFAULT": "redis",
            "LOCK_ADAPTER_REDIS_URL": redis.url,
            "STORAGE_PATH": str(folder / "storage"),
            "INIT_ROOT_USERNAME": ACCOUNT.username,
            "INIT_ROOT_EMAIL": ACCOUNT.email,
            "INIT_ROOT_PASSWORD": ACCOUNT.password,
        }
        servers = [
            ServerProcess(f"node{number}", folder / f"node{number}", common) for number in range(COUNT)
        ]
        async with closing(*servers):
            for server in servers:
                server.spawn()
            for server in servers:
                await server.until_ready(within=60)
            yield servers


class Balanced:
    """A client without memory whose requests go to one server after another."""

    def __init__(self, clients: list[AtollClient]) -> None:
        self.clients = clients
        self._next = 0

    async def call(self, action: str, values: object = None, **parameters: Any) -> Any:
        self._next += 1
        return await self.clients[self._next % len(self.clients)].call(action, values, **parameters)


@pytest.fixture(scope="module")
async def nodes(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    redis: RedisProcess,
) -> AsyncIterator[list[ServerProcess]]:
    async with cluster(tmp_path_factory.mktemp("nodes"), postgres, redis, "atoll_nodes") as servers:
        yield servers


@pytest.fixture
async def clients(nodes: list[ServerProcess]) -> AsyncIterator[list[AtollClient]]:
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(AtollClient(node.url)) for node in nodes]
        token = await made[0].sign_in(ACCOUNT)
        for client in made:
            client.http.headers["Authorization"] = f"Bearer {token}"
        yield made


async def test_simultaneous_first_start_installs_once(
    nodes: list[ServerProcess], clients: list[AtollClient], postgres: PostgresAddress, say: Say
) -> None:
    assert [row["username"] for row in await clients[0].call("users:list")] == [ACCOUNT.username]
    rows = await databases.run(postgres, 'SELECT count(*) FROM "users"', "atoll_nodes")
    assert rows[0][0] == 1
    applied = await databases.run(postgres, 'SELECT name FROM "migrations" ORDER BY name', "atoll_nodes")
    assert len({row[0] for row in applied}) == len(applied)
    say(f"{COUNT} servers started at once on an empty database: 1 installed, {len(applied)} schema rows")


async def test_the_next_request_meets_what_was_changed(clients: list[AtollClient], say: Say) -> None:
    """The client carries no cookie and no version; each request goes to another server, at once."""
    balanced = Balanced(clients)
    slowest, rounds = 0.0, 20
    for number in range(rounds):
        name = f"t{number}"
        began = time.monotonic()
        await balanced.call("collections:create", {"name": name, "fields": [{"name": "a", "type": "string"}]})
        slowest = max(slowest, time.monotonic() - began)
        await balanced.call(f"{name}:create", {"a": "x"})
        await balanced.call(f"collections/{name}/fields:create", {"name": "b", "type": "integer"})
        assert (await balanced.call(f"{name}:create", {"a": "y", "b": 1}))["b"] == 1
        role = f"r{number}"
        await balanced.call("roles:create", {"name": role, "title": role, "strategy": {"actions": ["view"]}})
        assert (await balanced.call(f"roles:get/{role}"))["name"] == role
        user = await balanced.call("users:create", {"username": role, "password": "secret1", "roles": [role]})
        await _signed_in_everywhere(clients, role, name)
        await balanced.call("roles:update", {"strategy": {"actions": []}}, filterByTk=role)
        await balanced.call("users:destroy", {}, filterByTk=str(user["id"]))
        await balanced.call("collections:destroy", {}, filterByTk=name)
        assert (await clients[number % COUNT].send(f"{name}:list")).status_code == 404
    say(
        f"{rounds} rounds of 8 changes, each read back from the next server: 0 stale; slowest {slowest:.2f} s"
    )


async def _signed_in_everywhere(clients: list[AtollClient], username: str, collection: str) -> None:
    """Signs in at one server, reads at another, signs out at the third: then the token is worth nothing."""
    async with AsyncExitStack() as stack:
        own = [await stack.enter_async_context(AtollClient(client.url)) for client in clients]
        token = await own[0].sign_in(Account(username, "secret1"))
        for client in own:
            client.http.headers["Authorization"] = f"Bearer {token}"
        assert len(await own[1].call(f"{collection}:list")) == 2
        await own[2].call("auth:signOut", {})
        for client in own:
            assert (await client.send(f"{collection}:list")).status_code == 401


async def test_apps_come_go_start_and_stop_on_all_servers(
    nodes: list[ServerProcess], clients: list[AtollClient], postgres: PostgresAddress, say: Say
) -> None:
    """Each server runs the sub-apps in its own memory; what is ordered at one holds at all."""
    slowest: dict[str, float] = {}

    async def everywhere(what: str, name: str, code: int) -> None:
        began = time.monotonic()
        for client in clients:

            async def answers(client: AtollClient = client) -> bool:
                return (await client.ask(name)).status_code == code

            await eventually(answers, within=20, what=f"{what} at {client.url}", every=0.01)
        slowest[what] = max(slowest.get(what, 0.0), time.monotonic() - began)

    for number in range(3):
        name = f"sub{number}"
        first, second, third = (clients[(number + step) % COUNT] for step in range(COUNT))
        await first.create_app(name, [], wait=None)
        assert await second.app_row(name) is not None
        assert (await second.ask(name)).status_code == 200, "held until it runs, never unknown"
        await everywhere("create", name, 200)
        await second.call(f"applications:stop/{name}")
        assert (await third.app_row(name) or {})["status"] in ("commanding", "stopped")
        await everywhere("stop", name, 503)
        await third.call(f"applications:start/{name}")
        assert (await first.ask(name)).status_code == 200
        await everywhere("start", name, 200)
        await first.call(f"applications:update/{name}", {"displayName": "Other"})
        assert (await second.app_row(name) or {})["displayName"] == "Other"
    rows = await databases.run(postgres, "SELECT count(*) FROM users", "sub0")
    assert rows[0][0] == 1
    for number in range(3):
        name = f"sub{number}"
        await clients[number].call(f"applications:destroy/{name}", {}, removeDatabase=True)
        for client in clients:
            assert await client.app_row(name) is None
        await everywhere("delete", name, 404)
        found = await databases.run(postgres, f"SELECT 1 FROM pg_database WHERE datname = '{name}'")
        assert not found
    assert all("Traceback" not in node.log() for node in nodes), [node.log()[-3000:] for node in nodes]
    say("sub-apps ordered at one server; then at all three: " + _figures(slowest))


def _figures(slowest: dict[str, float]) -> str:
    return ", ".join(f"{what} within {seconds:.2f} s" for what, seconds in slowest.items())


async def test_a_paused_server_wakes_up_to_date(
    nodes: list[ServerProcess], clients: list[AtollClient], say: Say
) -> None:
    """SIGSTOP for longer than any lease; the first request after SIGCONT is answered rightly."""
    await clients[2].call("roles:check")
    nodes[2].signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        times = []
        for number in range(4):
            before = time.monotonic()
            await clients[0].call("collections:create", {"name": f"while_asleep{number}"})
            times.append(round(time.monotonic() - before, 2))
        await clients[1].call("systemSettings:update", {"title": "Awake"}, filterByTk="1")
        await anyio.sleep_until(anyio.current_time() + max(0.0, 20 - (time.monotonic() - began)))
    finally:
        nodes[2].signal(signal.SIGCONT)
    assert await clients[2].call("while_asleep3:list") == []
    assert (await clients[2].call("systemSettings:get"))["title"] == "Awake"
    await clients[2].call("collections:create", {"name": "after_sleep"})
    assert await clients[0].call("after_sleep:list") == []
    say(f"one server stopped for 20 s: changes took {times} s elsewhere; its first answer was right")


@pytest.mark.parametrize("fault", ["restarted empty", "emptied"])
async def test_redis_that_loses_everything_loses_no_change(
    clients: list[AtollClient], redis: RedisProcess, fault: str, say: Say
) -> None:
    balanced = Balanced(clients)
    slowest = 0.0
    for number in range(6):
        if number % 2 == 0:
            if fault == "emptied":
                assert redis.command("FLUSHALL") == b"+OK"
            else:
                redis.restart(keep=False)
        name = f"lost_{fault[:2]}{number}"
        began = time.monotonic()
        await balanced.call("collections:create", {"name": name})
        slowest = max(slowest, time.monotonic() - began)
        for client in clients:
            assert await client.call(f"{name}:list") == []
    say(f"Redis {fault} three times between changes: 0 stale answers; slowest change {slowest:.2f} s")


async def test_changes_while_redis_is_away(clients: list[AtollClient], redis: RedisProcess, say: Say) -> None:
    redis.stop()
    try:
        began = time.monotonic()
        await clients[0].call("collections:create", {"name": "no_redis"})
        took = time.monotonic() - began
        for client in clients:
            assert await client.call("no_redis:list") == []
    finally:
        redis.start()
    say(f"Redis away: the change took {took:.2f} s and was known everywhere when it was answered")


async def test_a_killed_server_costs_others_nothing_but_time(
    nodes: list[ServerProcess], clients: list[AtollClient], say: Say
) -> None:
    await nodes[1].kill()
    times = []
    for number in range(4):
        began = time.monotonic()
        await clients[0].call("collections:create", {"name": f"killed{number}"})
        times.append(round(time.monotonic() - began, 2))
        assert await clients[2].call(f"killed{number}:list") == []
    await nodes[1].start()
    assert await clients[1].call("killed3:list") == []
    say(f"one server killed: the next changes took {times} s; back again it knew them all")

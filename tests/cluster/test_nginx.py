"""The configuration that `atoll nginx` prints, in a real nginx before two real instances."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import websockets

from atoll.cli.nginx import configuration
from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess, closing, eventually
from atoll.testing.services import ServiceMissing, find_nginx, nginx_server

from .conftest import Say
from .load import CLIENTS, NOTES, makers, seen, under_load
from .postgres import database
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio

ACCOUNT = Account()


@dataclass
class Front:
    """An nginx with its instances, and the token of a person."""

    url: str
    instances: list[ServerProcess]
    token: str

    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, trust_env=False)


@pytest.fixture(scope="module", autouse=True)
def nginx() -> None:
    try:
        find_nginx()
    except ServiceMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@contextlib.asynccontextmanager
async def front(folder: Path, redis: RedisProcess, postgres: PostgresAddress) -> AsyncIterator[Front]:
    async with contextlib.AsyncExitStack() as stack:
        variables = await stack.enter_async_context(database(postgres, "nginx"))
        variables |= {"REDIS_URL": redis.url, "INIT_ROOT_PASSWORD": ACCOUNT.password}
        variables |= {"STORAGE_PATH": str(folder / "storage"), "TRUSTED_PROXIES": "127.0.0.1"}
        instances = [ServerProcess(f"instance{number}", folder, variables) for number in range(2)]
        await stack.enter_async_context(closing(*instances))
        for instance in instances:
            instance.spawn()
        for instance in instances:
            await instance.until_ready()
        addresses = [f"127.0.0.1:{instance.port}" for instance in instances]
        port = stack.enter_context(nginx_server(lambda port: configuration(addresses, port, "_")))
        async with AtollClient(f"http://127.0.0.1:{port}") as client:
            token = await client.sign_in(ACCOUNT)
            await client.call("collections:create", NOTES)
        yield Front(f"http://127.0.0.1:{port}", instances, token)


async def test_an_instance_that_is_killed_and_comes_back(
    tmp_path: Path, own_redis: RedisProcess, postgres: PostgresAddress, say: Say
) -> None:
    """Nobody who reads notices, and nothing is repeated by nginx that must not be."""
    async with front(tmp_path, own_redis, postgres) as site:
        async with under_load(site.url, site.token, create=True) as load:
            await seen(load, 300)
        assert set(load.answers) == {"200"}
        assert len(makers(load.ids)) == 2, "both instances did some of it"
        say(f"nginx before 2 instances: {load.count} records by worker id {dict(makers(load.ids))}")
        first, second = site.instances
        async with under_load(site.url, site.token, create=False) as load:
            await seen(load, 100)
            await first.kill()
            await seen(load, 300)
            await first.start()
            await seen(load, 100)
        assert set(load.answers) == {"200"}
        # An answer whose head nginx had passed on already is cut short, and only its client can ask again.
        assert load.broken <= CLIENTS
        say(
            f"SIGKILL of 1 of 2 behind nginx: {load.count} reads by {CLIENTS} clients, all 200; "
            f"{load.broken} were cut in the middle of the answer and repeated"
        )

        async def back() -> bool:
            async with under_load(site.url, site.token, create=True) as load:
                await seen(load, 40)
            return len(makers(load.ids)) == 2

        await eventually(back, within=30, what="the instance that came back gets its part")
        async with under_load(site.url, site.token, create=True) as load:
            await seen(load, 50)
            assert await second.stop() == 0
            await seen(load, 100)
        assert set(load.answers) == {"200"}
        say(f"SIGTERM of 1 of 2 behind nginx: {load.count} records by {CLIENTS} clients, none failed")


async def test_what_passes_through(
    tmp_path: Path, own_redis: RedisProcess, postgres: PostgresAddress
) -> None:
    async with front(tmp_path, own_redis, postgres) as site, site.client() as http:
        assert (await http.get("/api/__health_check")).text == "ok"
        assert (await http.get("/api/__ready")).status_code == 200
        forged = {"X-Forwarded-For": "9.9.9.9", "X-Request-Id": "forged"}
        answer = await http.get("/api/notes:list", headers=forged)
        request_id = answer.headers["x-request-id"]
        assert len(request_id) == 32, "nginx names the request, not the client"
        large = await http.post("/api/notes:create", content=b'{"s":"' + b"x" * (11 << 20) + b'"}')
        assert large.status_code == 413
        assert large.json()["errors"], "Atoll refuses it, in its own words"
        async with websockets.connect(
            f"{site.url.replace('http', 'ws')}/ws?token={site.token}", proxy=None
        ) as socket:
            await (await socket.ping())
        for instance in site.instances:
            await instance.stop()
    lines = [
        json.loads(line)
        for file in (tmp_path / "storage" / "logs" / "main").glob("request_*.log")
        for line in file.read_text().splitlines()
    ]
    (line,) = [line for line in lines if line["reqId"] == request_id]
    assert line["client"] == "127.0.0.1", "what a client says of itself is not believed"

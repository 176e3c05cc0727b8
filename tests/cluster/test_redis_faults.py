"""F24, F25 and F61: Redis resets, hangs, goes away, comes back empty; nothing needs a restart by hand."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Iterator

import anyio
import httpx
import pytest

from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.faults import Relay, relay
from atoll.testing.processes import eventually

from .conftest import Say
from .reading import starts
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio

LEASE = 4.0
BOUND = 25.0
SHORT_OUTAGE = 12.0
LONG_OUTAGE = 60.0


@pytest.fixture(scope="module")
async def wire(anyio_backend: str, redis: RedisProcess) -> AsyncIterator[Relay]:
    """What stands between all servers and Redis."""
    async with relay(redis.listen, redis.port) as between:
        yield between


@pytest.fixture(scope="module")
async def wired(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    wire: Relay,
) -> AsyncIterator[Deployment]:
    url = f"redis://127.0.0.1:{wire.listen_port}"
    variables = {"ENVIRONMENT_LEASE_SECONDS": f"{LEASE:g}"}
    folder = tmp_path_factory.mktemp("wired")
    async with Deployment(folder, redis_url=url, postgres=postgres, variables=variables) as running:
        await running.client.create_app("steady", ["env_a", "env_b"])
        yield running


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def pids(wired: Deployment) -> Iterator[None]:
    """No server may be restarted by anybody during a test."""
    before = [server.pid for server in wired.servers]
    yield
    assert [server.pid for server in wired.servers] == before
    assert all(server.running for server in wired.servers)


async def _works(deployment: Deployment, name: str) -> None:
    """Presence, commands and statuses all work: an app can be made, stopped, started and removed."""
    client = deployment.client
    await client.wait_environments(dict.fromkeys(deployment.workers, True), within=BOUND)
    await client.create_app(name, ["env_b"], wait=BOUND)
    await client.call(f"applications:stop/{name}")
    await client.wait_status(name, "stopped", within=BOUND)
    await client.remove_app(name, removeDatabase="true", within=BOUND)
    await client.wait_status("steady", "running", within=BOUND)


async def test_connections_reset(wired: Deployment, redis: RedisProcess, pids: None, say: Say) -> None:
    for kind in ("normal", "pubsub"):
        redis.command(f"CLIENT KILL TYPE {kind}")
    began = time.monotonic()
    await _works(wired, "reset")
    say(
        f"CLIENT KILL of all connections: create, stop and delete done after {time.monotonic() - began:.1f} s"
    )


async def test_redis_pauses(wired: Deployment, redis: RedisProcess, pids: None, say: Say) -> None:
    redis.command("CLIENT PAUSE 6000 ALL")
    began = time.monotonic()
    assert (await wired.client.ask("steady")).status_code == 200, "running apps answer while Redis hangs"
    assert time.monotonic() - began < 5
    await _works(wired, "paused")
    say(f"CLIENT PAUSE 6 s: create, stop and delete done {time.monotonic() - began:.1f} s after it began")


async def test_half_open_connections(wired: Deployment, wire: Relay, pids: None, say: Say) -> None:
    """Bytes vanish, nobody is told: only time-outs on our side can notice that."""
    wire.silence()
    await anyio.sleep(1)
    assert (await wired.client.ask("steady")).status_code == 200
    before = wire.accepted

    async def given_up() -> bool:
        return wire.accepted >= before + len(wired.servers)

    began = time.monotonic()
    await eventually(given_up, within=60, what="every server opens a new connection by itself")
    noticed = time.monotonic() - began
    wire.heal()
    began = time.monotonic()
    await _works(wired, "halfopen")
    say(
        f"half-open connections: given up after {noticed:.1f} s,"
        f" all works {time.monotonic() - began:.1f} s after healing"
    )


async def test_redis_restarts_with_its_data(
    wired: Deployment, redis: RedisProcess, pids: None, say: Say
) -> None:
    redis.restart(keep=True)
    began = time.monotonic()
    await _works(wired, "kept")
    say(f"Redis restarted with its data: all works after {time.monotonic() - began:.1f} s")


async def test_redis_restarts_empty(wired: Deployment, redis: RedisProcess, pids: None, say: Say) -> None:
    """Everything is rebuilt from the database, and no old command runs a second time."""
    before = {name: starts(worker, "steady") for name, worker in wired.workers.items()}
    redis.restart(keep=False)
    began = time.monotonic()
    await _works(wired, "emptied")
    say(f"Redis restarted empty: all works after {time.monotonic() - began:.1f} s")
    after = {name: starts(worker, "steady") for name, worker in wired.workers.items()}
    assert after == before, "running apps must not be started again"


async def test_outage(wired: Deployment, redis: RedisProcess, pids: None, say: Say) -> None:
    await _outage(wired, redis, SHORT_OUTAGE, say)


@pytest.mark.slow
async def test_long_outage(wired: Deployment, redis: RedisProcess, pids: None, say: Say) -> None:
    await _outage(wired, redis, LONG_OUTAGE, say)


async def _outage(deployment: Deployment, redis: RedisProcess, seconds: float, say: Say) -> None:
    """F61: liveness green, readiness honest, apps served, no storm, and everything returns unaided."""
    before = {name: starts(worker, "steady") for name, worker in deployment.workers.items()}
    redis.stop()
    began = time.monotonic()
    unready_after: dict[str, float] = {}
    slowest = 0.0
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        while (passed := time.monotonic() - began) < seconds:
            for server in deployment.servers:
                assert (await http.get(server.url + "/api/__health_check")).status_code == 200, server.name
                if (await http.get(server.url + "/api/__ready")).status_code == 503:
                    unready_after.setdefault(server.name, passed)
            asked = time.monotonic()
            answer = await deployment.client.ask("steady")
            slowest = max(slowest, time.monotonic() - asked)
            assert answer.status_code == 200, answer.text
            await anyio.sleep(0.25)
    assert set(unready_after) == {server.name for server in deployment.servers}, "readiness must be honest"
    redis.start()
    back = time.monotonic()
    for server in deployment.servers:
        await server.until_ready(within=BOUND)
    await _works(deployment, f"outage{seconds:g}")
    after = {name: starts(worker, "steady") for name, worker in deployment.workers.items()}
    assert after == before, "running apps must not be started again"
    shown = ", ".join(f"{name} {after:.1f} s" for name, after in unready_after.items())
    say(
        f"Redis down {seconds:g} s: live all the time, app served (slowest {slowest * 1000:.0f} ms), "
        f"not ready after {shown}; all works {time.monotonic() - back:.1f} s after its return"
    )

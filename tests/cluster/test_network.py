"""The reference deployment word for word, each server on a network host of its own, with cables to pull.

Needs root and network namespaces. Inside, servers listen on port 80 as containers do; ports 14000, 15000 and
16000 are published on the gateway.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from atoll.testing.client import AtollClient
from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.faults import Network, Relay, namespaces_missing, network, relay
from atoll.testing.processes import eventually

from .conftest import Say
from .redis_process import RedisProcess

MISSING = namespaces_missing()
pytestmark = [pytest.mark.anyio, pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]

PUBLISHED = {"supervisor": 14000, "worker_a": 15000, "worker_b": 16000}
ENVIRONMENTS = {"env_a": "worker_a", "env_b": "worker_b"}
LEASE = 10.0


@pytest.fixture(scope="module")
def cables() -> Iterator[Network]:
    """Three hosts that know each other by name."""
    with network() as made:
        for name in PUBLISHED:
            made.add(name)
        made.name_hosts()
        yield made


@pytest.fixture(scope="module")
async def containers(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    redis: RedisProcess,
    cables: Network,
) -> AsyncIterator[Deployment]:
    """The deployment with every variable as in the documents."""
    async with contextlib.AsyncExitStack() as stack:
        redis_door = await stack.enter_async_context(relay(redis.listen, redis.port, listen=cables.gateway))
        base_door = await stack.enter_async_context(
            relay(postgres.host, postgres.port, listen=cables.gateway)
        )
        made = Deployment(
            tmp_path_factory.mktemp("containers"),
            redis_url=f"redis://{cables.gateway}:{redis_door.listen_port}/0",
            postgres=PostgresAddress(cables.gateway, base_door.listen_port, postgres.user, postgres.password),
            variables={"APP_HOST": "0.0.0.0", "APP_PORT": "80"},
        )
        for server in made.servers:
            place = ENVIRONMENTS.get(server.name, server.name)
            host = cables.hosts[place]
            door = Relay(host.address, 80)
            await door.open(cables.gateway, PUBLISHED[place])
            stack.push_async_callback(door.close)
            server.command = (*host.prefix, *server.command)
            server.url = f"http://{cables.gateway}:{PUBLISHED[place]}"
            if server.name in ENVIRONMENTS:
                server.environment |= {
                    "ENVIRONMENT_URL": server.url,
                    "ENVIRONMENT_PROXY_URL": f"http://{place}",
                }
        await made.client.http.aclose()
        made.client = AtollClient(made.supervisor.url)
        await stack.enter_async_context(made)
        yield made


async def test_word_for_word(containers: Deployment, say: Say) -> None:
    rows = await containers.client.environments()
    assert {name: row["proxyUrl"] for name, row in rows.items()} == {
        "env_a": "http://worker_a",
        "env_b": "http://worker_b",
    }
    began = time.monotonic()
    await containers.client.create_app("crm", ["env_a"])
    assert (await containers.client.ask("crm")).status_code == 200
    say(
        "three network hosts, ports 14000/15000/16000, proxy to http://worker_a:"
        f" app after {time.monotonic() - began:.2f} s"
    )
    await containers.client.create_app("shared", ["env_a", "env_b"])
    assert (await containers.client.visit("shared")).status_code == 200
    assert (await containers.client.ask("crm", **{"X-Environment": "env_a"})).status_code == 200


async def test_pulled_cable_is_noticed_within_the_lease(
    containers: Deployment, cables: Network, say: Say
) -> None:
    pids = [server.pid for server in containers.servers]
    cables.unplug("worker_a")
    began = time.monotonic()
    await containers.client.wait_environments({"env_a": False, "env_b": True}, within=LEASE + 5)
    say(f"cable of env_a pulled: offline after {time.monotonic() - began:.1f} s (bound {LEASE + 5:g} s)")
    asked = time.monotonic()
    answer = await containers.client.ask("crm")
    assert answer.status_code == 503
    assert time.monotonic() - asked < 5
    assert (await containers.client.ask("shared")).status_code == 200, "the other environment takes over"
    cables.plug("worker_a")
    began = time.monotonic()
    await containers.client.wait_environments({"env_a": True}, within=60)

    async def serves() -> bool:
        return (await containers.client.ask("crm")).status_code == 200

    await eventually(serves, within=30, what="the app is reached again")
    await containers.client.wait_status("crm", "running")
    say(f"cable back: online and served after {time.monotonic() - began:.1f} s")
    assert [server.pid for server in containers.servers] == pids


async def test_orders_given_while_the_cable_is_out_arrive_later(
    containers: Deployment, cables: Network, say: Say
) -> None:
    client = containers.client
    cables.unplug("worker_b")
    await client.wait_environments({"env_b": False}, within=LEASE + 5)
    await client.call("applications:stop/shared")
    cables.plug("worker_b")
    began = time.monotonic()
    await client.wait_status("shared", "stopped", within=60)
    say(
        "stop ordered while env_b was cut off: stopped everywhere"
        f" {time.monotonic() - began:.1f} s after the cable came back"
    )
    await client.call("applications:start/shared")
    await client.wait_status("shared", "running")

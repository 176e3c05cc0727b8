"""An environment that is itself a cluster: three servers under one name and address, and two Supervisors."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from atoll.testing.client import AtollClient
from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.processes import ServerProcess, closing, eventually

from .balancer import Balancer
from .conftest import Say
from .reading import starts
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio


@dataclass
class Scene:
    """Everything that runs."""

    deployment: Deployment
    supervisors: list[AtollClient]
    workers: list[ServerProcess]
    balancer: Balancer


@asynccontextmanager
async def scene_of(folder: Path, postgres: PostgresAddress, redis: RedisProcess) -> AsyncIterator[Scene]:
    balancer = Balancer()
    address = {"ENVIRONMENT_URL": balancer.url, "ENVIRONMENT_PROXY_URL": balancer.url}
    deployment = Deployment(
        folder, redis_url=redis.url, postgres=postgres, environments=["env_a"], only={"env_a": address}
    )
    first = deployment.workers["env_a"]
    first.environment |= address
    workers = [first, *(_twin(first, f"env_a_{number}") for number in (2, 3))]
    other = _twin(deployment.supervisor, "supervisor_2")
    ports = [each.port for each in workers]
    async with closing(*workers[1:], other), balancer.listening(ports), deployment:
        async with anyio.create_task_group() as group:
            for each in (*workers[1:], other):
                group.start_soon(each.start)
        async with AtollClient(other.url) as second:
            second.http.headers["Authorization"] = deployment.client.http.headers["Authorization"]
            yield Scene(deployment, [deployment.client, second], workers, balancer)


def _twin(server: ServerProcess, name: str) -> ServerProcess:
    """One more instance: same variables and storage, a port of its own."""
    variables = {key: value for key, value in server.environment.items() if key != "APP_PORT"}
    return ServerProcess(name, server.folder.parent / name, variables)


@pytest.fixture(scope="module")
async def scene(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    redis: RedisProcess,
) -> AsyncIterator[Scene]:
    async with scene_of(tmp_path_factory.mktemp("clustered"), postgres, redis) as made:
        yield made


async def _code(url: str, name: str) -> int:
    """What one instance answers, on a connection of its own."""
    async with AtollClient(url) as client:
        return (await client.ask(name)).status_code


async def test_all_instances_are_one_environment(scene: Scene) -> None:
    rows = await scene.deployment.client.environments()
    assert list(rows) == ["env_a"]

    async def three() -> bool:
        row = (await scene.deployment.client.environments())["env_a"]
        return len([each for each in row["instances"] if each["alive"]]) == 3

    await eventually(three, within=20, what="three instances announced")
    assert rows["env_a"]["url"] == scene.balancer.url


async def test_orders_reach_every_instance_and_the_next_request(scene: Scene, say: Say) -> None:
    """Each order is given to the other Supervisor; each question goes to another instance."""
    slowest: dict[str, float] = {}

    async def everywhere(what: str, name: str, code: int) -> None:
        began = time.monotonic()
        for worker in scene.workers:

            async def answers(worker: ServerProcess = worker) -> bool:
                return await _code(worker.url, name) == code

            await eventually(answers, within=20, what=f"{what} on {worker.name}", every=0.01)
        slowest[what] = max(slowest.get(what, 0.0), time.monotonic() - began)

    one, two = scene.supervisors
    for number in range(3):
        name = f"shared{number}"
        await one.create_app(name, ["env_a"])
        for worker in scene.workers:
            assert await _code(worker.url, name) == 200, "an app that runs is known to every instance"
        assert (await two.app_row(name) or {})["status"] == "running"
        await two.call(f"applications:stop/{name}")
        await one.wait_status(name, "stopped")
        for worker in scene.workers:
            assert await _code(worker.url, name) == 503, "a stopped app is stopped on every instance"
        await one.call(f"applications:start/{name}")
        await one.wait_status(name, "running")
        for worker in scene.workers:
            assert await _code(worker.url, name) == 200
        await two.call(f"applications:restart/{name}")
        await everywhere("restart", name, 200)
    say("orders to two Supervisors in turn, questions to three instances in turn: none was answered old")


async def test_two_supervisors_do_nothing_twice(scene: Scene, say: Say) -> None:
    one, two = scene.supervisors
    await one.create_app("once", ["env_a"])

    async def started(times: int) -> bool:
        return [starts(worker, "once") for worker in scene.workers] == [times] * 3

    await eventually(lambda: started(1), within=20, what="one start on each instance")
    async with anyio.create_task_group() as group:
        for _ in range(5):
            for client in (one, two):
                group.start_soon(client.call, "applications:start/once")
    await one.call("applications:restart/once")
    await eventually(lambda: started(2), within=20, what="one restart on each instance")
    rows = await scene.deployment.admin("SELECT count(*) FROM users", "once")
    assert rows == [(1,)]
    async with anyio.create_task_group() as group:
        for client in (one, two):
            group.start_soon(_destroy, client, "once")
    for client in (one, two):
        assert await client.app_row("once") is None
    assert "once" not in await scene.deployment.databases()
    say("10 starts and a restart through two Supervisors: one start per instance, one database, dropped once")


async def _destroy(client: AtollClient, name: str) -> None:
    answer = await client.send(f"applications:destroy/{name}", {}, removeDatabase=True)
    assert answer.status_code in (200, 202, 404), answer.text


async def test_changes_in_an_app_hold_behind_the_balancer(scene: Scene, say: Say) -> None:
    """Through the Supervisor's proxy and the balancer: nobody knows which instance answers."""
    await scene.supervisors[0].create_app("ledger", ["env_a"])
    async with AsyncExitStack() as stack:
        direct = [
            await stack.enter_async_context(AtollClient(worker.url, app="ledger")) for worker in scene.workers
        ]
        token = await direct[0].sign_in(scene.deployment.account)
        for client in direct:
            client.http.headers["Authorization"] = f"Bearer {token}"
        for number in range(12):
            name = f"c{number}"
            await direct[number % 3].call(
                "collections:create", {"name": name, "fields": [{"name": "a", "type": "string"}]}
            )
            for client in direct:
                await client.call(f"{name}:create", {"a": "x"})
    say("12 collections made on one instance and written to on all three at once: 0 stale")


async def test_an_instance_that_slept_through_orders_wakes_up_right(scene: Scene, say: Say) -> None:
    client = scene.deployment.client
    for name in ("halted", "removed"):
        await client.create_app(name, ["env_a"])
    for worker in scene.workers:
        assert await _code(worker.url, "halted") == 200
        assert await _code(worker.url, "removed") == 200
    sleeper = scene.workers[2]
    sleeper.signal(signal.SIGSTOP)
    try:
        await client.call("applications:stop/halted")
        await client.create_app("fresh", ["env_a"])
        await anyio.sleep(20)
        await client.call("applications:destroy/removed")
    finally:
        sleeper.signal(signal.SIGCONT)
    began = time.monotonic()
    assert await _code(sleeper.url, "fresh") == 200

    async def right() -> bool:
        return await _code(sleeper.url, "halted") == 503 and await _code(sleeper.url, "removed") == 404

    await eventually(right, within=20, what="the sleeper is up to date")
    took = time.monotonic() - began
    say(f"an instance stopped for 20 s knew the new app at once, and all orders {took:.1f} s later")

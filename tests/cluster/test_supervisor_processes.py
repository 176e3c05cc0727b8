"""A Supervisor and an environment of several processes each: whoever answers knows what was just answered."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator

import psutil
import pytest

from atoll.testing.client import AtollClient
from atoll.testing.deployment import Deployment
from atoll.testing.processes import ServerProcess, eventually

from .conftest import Say
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio

VISITORS = 12  # connections of their own: each process gets some


@pytest.fixture(scope="module")
async def deployment(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory, redis: RedisProcess
) -> AsyncIterator[Deployment]:
    two = {"CLUSTER_MODE": "2", "REDIS_URL": redis.url, "APP_HOLD_SECONDS": "10"}
    made = Deployment(
        tmp_path_factory.mktemp("several"),
        redis_url=redis.url,
        environments=["env_a"],
        only={"supervisor": two, "env_a": two},
    )
    async with made:
        for server in (made.supervisor, made.workers["env_a"]):
            await ready(server, 2)
        yield made


async def ready(server: ServerProcess, times: int) -> None:
    async def counted() -> bool:
        return server.log().count('"server ready"') >= times

    await eventually(counted, within=40, what=f"{server.name} was ready {times} times")


async def code(url: str, name: str) -> int:
    """What a visitor gets who comes now."""
    async with AtollClient(url) as client:
        return (await client.ask(name)).status_code


async def codes(url: str, name: str) -> Counter[int]:
    """What many visitors get who come now at once."""
    return Counter(await asyncio.gather(*(code(url, name) for _ in range(VISITORS))))


async def test_an_app_whose_creation_was_answered_is_known_to_every_process(
    deployment: Deployment, say: Say
) -> None:
    supervisor, worker = deployment.supervisor.url, deployment.workers["env_a"].url
    all_of_them: Counter[int] = Counter()
    for number in range(3):
        name = f"fresh{number}"
        await deployment.client.create_app(name, ["env_a"], wait=None)
        early = await codes(supervisor, name)
        assert 404 not in early, early
        await deployment.client.wait_status(name, "running")
        late = await codes(worker, name)
        assert late == Counter({200: VISITORS}), late
        all_of_them += early + late
    say(f"visits through 2 + 2 processes, the first at once after the creation: {dict(all_of_them)}")


@pytest.mark.parametrize("which", ["supervisor", pytest.param("env_a", marks=pytest.mark.slow)])
async def test_no_process_that_starts_denies_an_app(
    deployment: Deployment, which: str, redis: RedisProcess, say: Say
) -> None:
    """It takes connections from its first second on, before it has read what apps there are."""
    name = f"steady_{which}"
    await deployment.client.create_app(name, ["env_a"])
    server = {each.name: each for each in deployment.servers}[which]
    before = server.log().count('"server ready"')
    seen: Counter[int] = Counter()
    over = False

    async def visit() -> None:
        while not over:
            seen[await code(server.url, name)] += 1

    visits = [asyncio.create_task(visit()) for _ in range(4)]
    server.signal(signal.SIGHUP)
    await ready(server, before + 2)
    for child in psutil.Process(server.pid).children():
        child.kill()
    await ready(server, before + 4)
    over = True
    await asyncio.gather(*visits, return_exceptions=True)
    assert 404 not in seen, seen
    assert (await codes(server.url, name)) == Counter({200: VISITORS})
    say(f"{which}: SIGHUP, then SIGKILL of both processes, with visitors: {dict(seen)}")

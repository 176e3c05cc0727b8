"""F06 and F12: the Supervisor restarts under running apps; after a power cut all is as it was wanted."""

from __future__ import annotations

import time
from pathlib import Path

import anyio
import httpx
import pytest

from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.processes import eventually

from .conftest import Say
from .reading import starts
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio


async def _restart_supervisor(deployment: Deployment, names: list[str], say: Say) -> None:
    before = {name: starts(deployment.workers["env_a"], name) for name in names}
    await deployment.supervisor.kill()
    async with deployment.worker("env_a") as worker:
        for name in names[:10]:
            assert (await worker.ask(name)).status_code == 200, "apps run on without their Supervisor"
    began = time.monotonic()
    await deployment.supervisor.start()
    ready = time.monotonic() - began

    async def all_served() -> bool:
        for name in names:
            if (await deployment.client.ask(name)).status_code != 200:
                return False
        return True

    await eventually(all_served, within=15, what="every app is reached through the new Supervisor")
    served = time.monotonic() - began
    rows = {row["name"]: row["status"] for row in await _all_apps(deployment)}
    assert {rows[name] for name in names} == {"running"}
    after = {name: starts(deployment.workers["env_a"], name) for name in names}
    assert after == before, "no app may be started again"
    say(
        f"Supervisor killed and restarted under {len(names)} apps: ready after {ready:.1f} s,"
        f" all served after {served:.1f} s"
    )
    assert ready < 10


async def _all_apps(deployment: Deployment) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = await deployment.client.call("applications:list", pageSize=1000)
    return rows


async def test_supervisor_restart_with_one_app(deployment: Deployment, say: Say) -> None:
    await deployment.client.create_app("alone", ["env_a"])
    await _restart_supervisor(deployment, ["alone"], say)


async def test_supervisor_restart_with_100_apps(deployment: Deployment, say: Say) -> None:
    names = [f"many{number:03}" for number in range(100)]
    limiter = anyio.CapacityLimiter(8)
    began = time.monotonic()

    async def create(name: str) -> None:
        async with limiter:
            await deployment.client.create_app(
                name, ["env_a"], wait=120, options={"dbConnType": "new_schema"}
            )

    async with anyio.create_task_group() as group:
        for name in names:
            group.start_soon(create, name)
    say(f"100 apps created and running after {time.monotonic() - began:.1f} s")
    await _restart_supervisor(deployment, names, say)


async def test_everything_restarts_as_it_was_wanted(
    tmp_path: Path, postgres: PostgresAddress, deployment: Deployment, say: Say
) -> None:
    """Power cut: all processes and Redis at once. Stopped stays stopped, running comes back."""
    await deployment.close()
    (tmp_path / "redis").mkdir()
    with RedisProcess(tmp_path / "redis") as redis:
        async with Deployment(tmp_path, redis_url=redis.url, postgres=postgres) as power:
            client = power.client
            await client.create_app("running", ["env_a", "env_b"])
            await client.create_app("resting", ["env_a"])
            await client.call("applications:stop/resting")
            await client.wait_status("resting", "stopped")
            async with anyio.create_task_group() as group:
                for server in power.servers:
                    group.start_soon(server.kill)
            redis.restart(keep=False)
            began = time.monotonic()
            async with anyio.create_task_group() as group:
                for server in power.servers:
                    group.start_soon(server.start)
            await client.wait_environments({"env_a": True, "env_b": True})
            await client.wait_status("running", "running")
            took = time.monotonic() - began
            await client.wait_status("resting", "stopped")
            for worker in power.workers:
                async with power.worker(worker) as direct:
                    assert (await direct.ask("running")).status_code == 200
            async with power.worker("env_a") as direct:
                refused = await direct.ask("resting")
                assert refused.json()["error"]["code"] == "APP_STOPPED", (
                    "a visit must not wake what was stopped"
                )
            assert starts(power.workers["env_a"], "resting") == 1
            say(
                f"power cut of 3 servers and Redis: running app back after {took:.1f} s,"
                " stopped app stayed stopped"
            )


async def test_worker_comes_first_supervisor_later(
    tmp_path: Path, postgres: PostgresAddress, say: Say
) -> None:
    """Workers need no Supervisor to serve what they were told before."""
    (tmp_path / "redis").mkdir()
    with RedisProcess(tmp_path / "redis") as redis:
        async with Deployment(tmp_path, redis_url=redis.url, postgres=postgres) as running:
            await running.client.create_app("early", ["env_a"])
            for server in running.servers:
                await server.stop()
            await running.workers["env_a"].start()
            async with running.worker("env_a") as worker:

                async def answers() -> bool:
                    try:
                        return (await worker.ask("early")).status_code == 200
                    except httpx.TransportError:
                        return False

                began = time.monotonic()
                await eventually(answers, within=15, what="the app runs without a Supervisor")
            say(
                "worker alone after a stop of everything:"
                f" its app answers after {time.monotonic() - began:.1f} s"
            )

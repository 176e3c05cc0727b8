"""F06 and F12: the Supervisor restarts under running apps; after a power cut all is as it was wanted."""

from __future__ import annotations

import time

import anyio
import pytest

from atoll.testing.deployment import Deployment
from atoll.testing.processes import eventually

from .conftest import Say
from .reading import starts

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

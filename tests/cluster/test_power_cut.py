"""F12: everything dies at once and comes back as it was wanted."""

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


async def test_everything_restarts_as_it_was_wanted(
    tmp_path: Path, postgres: PostgresAddress, own_redis: RedisProcess, say: Say
) -> None:
    """Power cut: all processes and Redis at once. Stopped stays stopped, running comes back."""
    async with Deployment(tmp_path, redis_url=own_redis.url, postgres=postgres) as power:
        client = power.client
        await client.create_app("running", ["env_a", "env_b"])
        await client.create_app("resting", ["env_a"])
        await client.call("applications:stop/resting")
        await client.wait_status("resting", "stopped")
        async with anyio.create_task_group() as group:
            for server in power.servers:
                group.start_soon(server.kill)
        own_redis.restart(keep=False)
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
            assert refused.json()["error"]["code"] == "APP_STOPPED", "a visit must not wake what was stopped"
        assert starts(power.workers["env_a"], "resting") == 1
        say(
            f"power cut of 3 servers and Redis: running app back after {took:.1f} s,"
            " stopped app stayed stopped"
        )


async def test_worker_comes_first_supervisor_later(
    tmp_path: Path, postgres: PostgresAddress, own_redis: RedisProcess, say: Say
) -> None:
    """Workers need no Supervisor to serve what they were told before."""
    async with Deployment(tmp_path, redis_url=own_redis.url, postgres=postgres) as running:
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
            f"worker alone after a stop of everything: its app answers after {time.monotonic() - began:.1f} s"
        )

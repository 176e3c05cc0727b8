"""F13 and F15: a blocked loop is no death; goodbye and kill are noticed within their bounds."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator

import anyio
import pytest

from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.processes import eventually

from .blocking import instrumented, watch_blocked
from .conftest import Say
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio

LEASE = 4.0
BLOCK = 12.0


@pytest.fixture(scope="module")
async def short_lease(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    redis: RedisProcess,
) -> AsyncIterator[Deployment]:
    """Leases of 4 s, loops blocked for three times as long."""
    folder = tmp_path_factory.mktemp("signs")
    variables = {"ENVIRONMENT_LEASE_SECONDS": f"{LEASE:g}", "BLOCK_SECONDS": f"{BLOCK:g}"}
    async with instrumented(folder, redis, postgres, **variables) as running:
        await running.client.create_app("watched", ["env_a"])
        yield running


async def test_blocked_worker_is_not_dead(short_lease: Deployment, say: Say) -> None:
    lag = await watch_blocked(short_lease, short_lease.workers["env_a"], BLOCK)
    say(
        f"env_a's loop blocked {BLOCK:g} s with a lease of {LEASE:g} s: never offline,"
        f" largest lag shown {lag:.1f} s"
    )
    assert lag > LEASE / 2, "the block must be visible as lag"


async def test_blocked_supervisor_declares_nobody_dead(short_lease: Deployment, say: Say) -> None:
    short_lease.supervisor.signal(signal.SIGUSR1)
    await anyio.sleep(0.5)
    async with short_lease.worker("env_a") as worker:
        assert (await worker.ask("watched")).status_code == 200, "apps outlive a hanging Supervisor"
    began = time.monotonic()
    await short_lease.supervisor.until_healthy(within=BLOCK + 10)
    rows = await short_lease.client.environments()
    assert all(row["available"] for row in rows.values()), rows
    assert (await short_lease.client.ask("watched")).status_code == 200
    say(
        f"Supervisor's loop blocked {BLOCK:g} s: both environments alive in its first answer,"
        f" after {time.monotonic() - began:.1f} s"
    )


async def test_goodbye_is_noticed_at_once(short_lease: Deployment, say: Say) -> None:
    worker = short_lease.workers["env_a"]
    worker.signal(signal.SIGTERM)
    assert await worker.until_ended() == 0
    began = time.monotonic()
    await short_lease.client.wait_environments({"env_a": False}, within=2)
    took = time.monotonic() - began
    say(f"SIGTERM: offline {took:.2f} s after the process ended")
    await worker.start()
    await short_lease.client.wait_environments({"env_a": True})
    await short_lease.client.wait_status("watched", "running")


async def test_kill_is_noticed_within_the_lease(short_lease: Deployment, say: Say) -> None:
    worker = short_lease.workers["env_a"]
    await worker.kill()
    began = time.monotonic()
    await short_lease.client.wait_environments({"env_a": False, "env_b": True}, within=LEASE + 5)
    say(f"SIGKILL with a lease of {LEASE:g} s: offline after {time.monotonic() - began:.1f} s")
    await worker.start()
    await short_lease.client.wait_environments({"env_a": True})
    await short_lease.client.wait_status("watched", "running")


async def test_frozen_process_is_offline_and_returns(short_lease: Deployment, say: Say) -> None:
    worker = short_lease.workers["env_a"]
    worker.signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        await short_lease.client.wait_environments({"env_a": False}, within=LEASE + 5)
        say(f"SIGSTOP: offline after {time.monotonic() - began:.1f} s")
    finally:
        worker.signal(signal.SIGCONT)
    began = time.monotonic()
    await short_lease.client.wait_environments({"env_a": True})
    await short_lease.client.wait_status("watched", "running")

    async def answers() -> bool:
        return (await short_lease.client.ask("watched")).status_code == 200

    await eventually(answers, within=10, what="the app answers again")
    say(f"SIGCONT: online and serving {time.monotonic() - began:.1f} s later")

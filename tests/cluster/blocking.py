"""Deployments whose servers can be made to block their event loop."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import anyio

from atoll.testing.client import AtollClient
from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.processes import ServerProcess, eventually

from .redis_process import RedisProcess

INSTRUMENTED = (sys.executable, str(Path(__file__).with_name("instrumented.py")))


def instrumented(
    folder: Path, redis: RedisProcess, postgres: PostgresAddress, **variables: str
) -> Deployment:
    """A deployment whose servers block their loop on SIGUSR1."""
    made = Deployment(folder, redis_url=redis.url, postgres=postgres, variables=variables)
    for server in made.servers:
        server.command = INSTRUMENTED
    return made


async def watch_blocked(deployment: Deployment, server: ServerProcess, seconds: float) -> float:
    """Blocks a worker's loop and asks all the time: it must stay available. Returns the largest lag shown."""
    server.signal(signal.SIGUSR1)
    ends = time.monotonic() + seconds
    largest = 0.0
    async with AtollClient(deployment.supervisor.url) as client:
        client.http.headers.update(deployment.client.http.headers)
        while time.monotonic() < ends + 2:
            row = (await client.environments())[server.name]
            assert row["available"] is True, (
                f"{ends - time.monotonic():.1f} s before the end of the block: {row}"
            )
            largest = max([largest, *(each["lag"] for each in row["instances"])])
            await anyio.sleep(0.25)
    await server.until_healthy(within=10)

    async def serves() -> bool:
        return (await deployment.client.ask("watched")).status_code == 200

    await eventually(serves, within=10, what="the worker serves after the block")
    return largest

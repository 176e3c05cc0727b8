"""Apps as a whole: how long until a new one answers, how long one takes to start, what one more costs."""

from __future__ import annotations

import time
from pathlib import Path

import anyio

from atoll.testing.client import AtollClient
from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.processes import ServerProcess, eventually
from benchmarks.measure import Result, at_most

GROUP = "Apps"
MEGABYTE = 1_000_000


async def run(
    folder: Path, redis_url: str, postgres: PostgresAddress, *, rounds: int, crowd: int
) -> list[Result]:
    """On PostgreSQL, through the Supervisor's proxy: `rounds` samples each, memory over `crowd` apps."""
    async with Deployment(folder, redis_url=redis_url, postgres=postgres) as deployment:
        client = deployment.client
        created: list[float] = []
        started: list[float] = []
        for number in range(rounds):
            name = f"made{number}"
            began = time.perf_counter()
            await client.create_app(name, ["env_a"], wait=None)
            await _answers(client, name)
            created.append(time.perf_counter() - began)
            await client.wait_status(name, "running")
            await client.call(f"applications:stop/{name}")
            await client.wait_status(name, "stopped")
            began = time.perf_counter()
            await client.call(f"applications:start/{name}")
            await _answers(client, name)
            started.append(time.perf_counter() - began)
        results = [
            at_most(
                GROUP, "create an app until it answers through the proxy (PostgreSQL)", created, "s", 0.5
            ),
            at_most(GROUP, "start an installed app until it answers through the proxy", started, "s", 0.1),
        ]
        results.append(await _memory(deployment, crowd))
    return results


async def cold_start(folder: Path, *, rounds: int) -> list[Result]:
    """From starting the process to the first healthy answer, on SQLite: empty folder, then installed."""
    first: list[float] = []
    again: list[float] = []
    for number in range(rounds):
        server = ServerProcess(
            "cold", folder / f"cold{number}", {"INIT_ROOT_PASSWORD": "atoll-bench-password"}
        )
        for samples in (first, again):
            began = time.perf_counter()
            server.spawn()
            await server.until_healthy()
            samples.append(time.perf_counter() - began)
            await server.until_ready()
            await server.stop()
    return [
        at_most(GROUP, "cold start until healthy, empty folder (SQLite)", first, "s", 1.5),
        at_most(GROUP, "cold start until healthy, installed (SQLite)", again, "s", 1.5),
    ]


async def _memory(deployment: Deployment, crowd: int) -> Result:
    """Growth of the worker's resident memory per app, each having answered a signed-in list."""
    worker = deployment.workers["env_b"]
    limiter = anyio.CapacityLimiter(4)

    async def add(name: str) -> None:
        async with limiter:
            options = {"dbConnType": "new_schema"}
            await deployment.client.create_app(name, ["env_b"], wait=120, options=options)
            async with deployment.client.other(name) as app:
                await app.sign_in(deployment.account)
                await app.call("users:list")

    await add("warmup")
    before = worker.memory()
    async with anyio.create_task_group() as group:
        for number in range(crowd):
            group.start_soon(add, f"crowd{number}")
    each = (worker.memory() - before) / crowd / MEGABYTE
    return at_most(GROUP, f"memory per further running app ({crowd} apps in one worker)", [each], "MB", 2)


async def _answers(client: AtollClient, name: str) -> None:
    """The moment the app answers a request through the proxy."""

    async def served() -> bool:
        return (await client.ask(name)).status_code == 200

    await eventually(served, within=60, what=f"{name} answers", every=0.005)

"""F44: a Supervisor starts while its PostgreSQL, or that and Redis, are away: apps are reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from atoll.supervisor.last_known import Kept
from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.processes import eventually
from atoll.testing.services import postgres_server

from .conftest import Say
from .postgres import PostgresProcess, run
from .reading import starts
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio
APPS = ("alone", "both")


@pytest.fixture(scope="module")
def database(postgres: PostgresAddress) -> Iterator[PostgresProcess]:
    """A PostgreSQL for the Supervisor alone. Where there is none, the shared one has skipped the test."""
    with postgres_server() as server, PostgresProcess(server) as process:
        yield process


@pytest.fixture(scope="module")
async def separate(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    database: PostgresProcess,
    redis: RedisProcess,
) -> AsyncIterator[Deployment]:
    """The reference deployment, whose Supervisor has a database service of its own."""
    own = database.address
    await run(own, "CREATE DATABASE nocobase_supervisor")
    variables = {
        "DB_HOST": own.host,
        "DB_PORT": str(own.port),
        "DB_USER": own.user,
        "DB_PASSWORD": own.password,
        "APP_HOLD_SECONDS": "2",  # its own app cannot start: no need to wait for it
    }
    folder: Path = tmp_path_factory.mktemp("deployment")
    async with Deployment(
        folder, redis_url=redis.url, postgres=postgres, only={"supervisor": variables}
    ) as running:
        await running.client.create_app("alone", ["env_a"])
        await running.client.create_app("both", ["env_a", "env_b"])
        yield running


async def kept(deployment: Deployment) -> None:
    """Waits until both apps with a running row are on the Supervisor's disk."""
    storage = Path(deployment.supervisor.environment["STORAGE_PATH"])
    file = storage / "apps" / "main" / "last_known.state"

    async def complete() -> bool:
        if not file.exists():
            return False
        found = msgspec.msgpack.decode(file.read_bytes(), type=Kept)
        running = {uid for each in found.instances for uid, body in each.rows.items() if b'"running"' in body}
        return {record.name for record in found.apps if record.uid in running} >= set(APPS)

    await eventually(complete, within=20, what="the Supervisor keeps what it knows")


@pytest.mark.parametrize("away", [("database",), ("database", "redis")], ids="-".join)
async def test_apps_are_reached_and_the_supervisor_becomes_whole(
    separate: Deployment, database: PostgresProcess, redis: RedisProcess, away: tuple[str, ...], say: Say
) -> None:
    client, supervisor = separate.client, separate.supervisor
    await kept(separate)
    before = {(name, app): starts(worker, app) for name, worker in separate.workers.items() for app in APPS}
    await supervisor.kill()
    await asyncio.to_thread(database.stop)
    if "redis" in away:
        await asyncio.to_thread(redis.stop)
    began = asyncio.get_running_loop().time()
    supervisor.spawn()
    await supervisor.until_healthy()

    async def served() -> bool:
        return (await client.ask("alone")).status_code == 200

    await eventually(served, within=10, what="an app on env_a answers through the new Supervisor")
    say(
        f"SIGKILL, {' and '.join(away)} away, start: "
        f"an app answers after {asyncio.get_running_loop().time() - began:.1f} s"
    )
    for environment in ("env_a", "env_b"):
        async with client.other("both", environment=environment) as app:
            await app.sign_in(separate.account)
            assert await app.call("users:list"), "a whole request with a body and an answer"
    assert (await client.visit("alone")).status_code == 200
    assert (await client.ask("nobody")).status_code == 503, "it cannot know that there is no such app"
    async with httpx.AsyncClient(base_url=supervisor.url, timeout=30) as web:
        ready = await web.get("/api/__ready")
        assert ready.status_code == 503
        assert ready.json()["checks"]["database"]["ok"] is False
        assert "last known" in ready.json()["checks"]["start"]["message"]
        own = await web.get("/api/app:getInfo")
        assert (own.status_code, own.json()["error"]["code"]) == (503, "APP_INITIALIZING")
    assert supervisor.running
    if "redis" in away:
        await asyncio.to_thread(redis.start)
    await asyncio.to_thread(database.start)
    await supervisor.until_ready(within=40)
    await client.wait_environments({"env_a": True, "env_b": True})
    for name in APPS:
        await client.wait_status(name, "running")
    name = f"new{len(away)}"
    await client.create_app(name, ["env_b"])
    await client.remove_app(name, removeDatabase="true")
    now = {(name, app): starts(worker, app) for name, worker in separate.workers.items() for app in APPS}
    assert now == before, "no app may be started again"

"""F08, F34: commands and statuses that are forged, repeated, reordered, lost or somebody else's."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import redis.asyncio

from atoll.testing.client import CallFailed
from atoll.testing.deployment import Deployment
from atoll.testing.processes import ServerProcess, closing, eventually

from .conftest import Say
from .reading import starts
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio

STILL = 3.0


@pytest.fixture(scope="module")
async def raw(anyio_backend: str, redis: RedisProcess) -> AsyncIterator[Any]:
    """A bare connection to Redis, as an intruder or a broken node has it."""
    client: Any = redis_client(redis.url)
    yield client
    await client.aclose()


def redis_client(url: str) -> Any:
    """Untyped: redis-py's own types mix sync and async answers."""
    return redis.asyncio.Redis.from_url(url)


async def _command_streams(raw: Any, environment: str) -> list[bytes]:
    """Keys of the streams that carry commands to an environment."""
    keys = [key async for key in raw.scan_iter(count=1000, _type="stream")]
    return [key for key in keys if environment.encode() in key and b"command" in key]


async def _unchanged(deployment: Deployment, name: str, status: str, code: int) -> None:
    """The app keeps its state for a while, whatever was sent. An absence can only be watched."""
    ends = time.monotonic() + STILL
    while time.monotonic() < ends:
        row = await deployment.client.app_row(name)
        assert row is not None
        assert row["status"] == status
        assert (await deployment.client.ask(name)).status_code == code
        await anyio.sleep(0.2)


async def test_forged_commands_are_refused(deployment: Deployment, raw: Any, say: Say) -> None:
    client = deployment.client
    await client.create_app("forged", ["env_a"])
    await client.call("applications:stop/forged")
    await client.wait_status("forged", "stopped")
    streams = await _command_streams(raw, "env_a")
    assert streams, "commands travel over streams"
    sent = 0
    for stream in streams:
        for _, fields in await raw.xrange(stream):
            for altered in _alterations(fields):
                await raw.xadd(stream, altered)
                sent += 1
        plain = {
            b"action": b"start",
            b"app": b"forged",
            b"requestId": b"1",
            b"message": b"{}",
            b"deadline": b"9e9",
        }
        await raw.xadd(stream, plain)
        sent += 1
    await _unchanged(deployment, "forged", "stopped", 503)
    assert "refused" in deployment.workers["env_a"].log().lower()
    await client.call("applications:start/forged")
    await client.wait_status("forged", "running")
    await client.create_app("unimpressed", ["env_a"])
    say(f"{sent} unsigned or altered commands put into Redis: none carried out, the next real one was")


def _alterations(fields: dict[bytes, bytes]) -> list[dict[bytes, bytes]]:
    """One copy per field with a changed byte in the middle, and one with a new id but the old signature."""
    copies = []
    for name, value in fields.items():
        if value:
            middle = len(value) // 2
            copies.append({**fields, name: value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]})
    return copies


async def test_repeated_and_reordered_commands_change_nothing(
    deployment: Deployment, raw: Any, say: Say
) -> None:
    client = deployment.client
    await client.create_app("repeated", ["env_a"])
    for order, status in (
        ("stop", "stopped"),
        ("start", "running"),
        ("restart", "running"),
        ("stop", "stopped"),
    ):
        await client.call(f"applications:{order}/repeated")
        await client.wait_status("repeated", status)
    before = starts(deployment.workers["env_a"], "repeated")
    count = 0
    for stream in await _command_streams(raw, "env_a"):
        entries = await raw.xrange(stream)
        for _, fields in [*entries, *reversed(entries)]:
            await raw.xadd(stream, fields)
            count += 1
    await _unchanged(deployment, "repeated", "stopped", 503)
    assert starts(deployment.workers["env_a"], "repeated") == before
    say(f"{count} old commands delivered again, in order and in reverse: app stays stopped, no start")


async def test_lost_commands_only_delay(deployment: Deployment, raw: Any, say: Say) -> None:
    """The order is in the database; whoever never hears the command learns it by looking."""
    client = deployment.client
    worker = deployment.workers["env_a"]
    await client.create_app("lost", ["env_a"])
    worker.signal(signal.SIGSTOP)
    try:
        with contextlib.suppress(CallFailed, httpx.TransportError):
            await client.call("applications:stop/lost")
        for stream in await _command_streams(raw, "env_a"):
            await raw.delete(stream)
    finally:
        worker.signal(signal.SIGCONT)
    began = time.monotonic()
    await client.wait_status("lost", "stopped", within=40)
    assert (await client.ask("lost")).status_code == 503
    say(f"command deleted before it was read: carried out {time.monotonic() - began:.1f} s later")


async def test_old_and_misplaced_statuses_are_ignored(deployment: Deployment, raw: Any, say: Say) -> None:
    """F08: an old row of the same instance, or one under another environment's name, is not believed."""
    client = deployment.client
    await client.create_app("stated", ["env_a"])
    await client.call("applications:stop/stated")
    await client.wait_status("stated", "stopped")
    kept = {key: await raw.hgetall(key) async for key in raw.scan_iter(match="*rows*", _type="hash")}
    news = {key: await raw.xrange(key) async for key in raw.scan_iter(match="*events*", _type="stream")}
    await client.call("applications:start/stated")
    await client.wait_status("stated", "running")
    written = 0
    for key, rows in kept.items():
        for name, value in rows.items():
            for place in kept:
                await raw.hset(place, name, value)
                written += 1
        assert rows or b"env_a" not in key, "status rows lie in Redis by environment and instance"
    for stream, entries in news.items():
        for _, fields in entries:
            await raw.xadd(stream, fields)
            await raw.xadd(
                stream, {name: value.replace(b"env_a", b"env_b") for name, value in fields.items()}
            )
            written += 2
    await _unchanged(deployment, "stated", "running", 200)
    say(f"{written} old or misplaced status rows and messages put into Redis: still shown as running")


async def test_two_workers_of_one_name_at_different_addresses(deployment: Deployment, tmp_path: Path) -> None:
    """No cluster, no mixing: the newcomer is refused, the first keeps working."""
    first = deployment.workers["env_a"]
    variables = {
        name: value
        for name, value in first.environment.items()
        if name not in ("APP_PORT", "STORAGE_PATH", "ENVIRONMENT_URL", "ENVIRONMENT_PROXY_URL")
    }
    newcomer = ServerProcess("newcomer", tmp_path, variables)
    newcomer.environment |= {"ENVIRONMENT_URL": newcomer.url, "ENVIRONMENT_PROXY_URL": newcomer.url}
    async with closing(newcomer):
        newcomer.spawn()

        async def refused() -> bool:
            return not newcomer.running or "ENVIRONMENT_NAME" in newcomer.log()

        await eventually(refused, within=30, what="the newcomer is refused")
        rows = await deployment.client.environments()
        assert rows["env_a"]["url"] == first.url
        assert rows["env_a"]["available"] is True

"""F35 and F40: answers that get lost, and two installations on one Redis."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx
import pytest

from atoll.testing.client import CallFailed
from atoll.testing.deployment import Deployment, PostgresAddress
from atoll.testing.faults import relay
from atoll.testing.processes import ServerProcess, closing

from .conftest import Say
from .postgres import database
from .reading import starts
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio

#: Between two cuts of the line while an app is created, in seconds.
PAUSES = (0.0, 0.003, 0.01, 0.02, 0.05, 0.1)
CUTS = 5


async def test_lost_answers_have_no_second_effect(
    tmp_path: Path, postgres: PostgresAddress, own_redis: RedisProcess, say: Say
) -> None:
    """F35: the Supervisor's line to Redis is cut in the middle of orders that are then repeated."""
    async with relay(own_redis.listen, own_redis.port) as wire:
        url = f"redis://127.0.0.1:{wire.listen_port}"
        only = {"supervisor": {"APP_SUPERVISOR_REDIS_URL": url, "APP_COMMAND_REDIS_URL": url}}
        async with Deployment(tmp_path, redis_url=own_redis.url, postgres=postgres, only=only) as cut:
            errors = 0
            for number, pause in enumerate(PAUSES):
                name = f"answer{number}"
                errors += await _cut_during_create(cut, wire.cut, name, pause)
                await cut.client.wait_status(name, "running")
                assert starts(cut.workers["env_a"], name) == 1
                async with cut.client.other(name) as app:
                    await app.sign_in(cut.account)
                    assert len(await app.call("users:list")) == 1
            say(
                f"connection cut {CUTS} times during each of 6 creates, repeated after {errors} errors:"
                " each app made and started once"
            )


async def _cut_during_create(cut: Deployment, break_wire: Callable[[], int], name: str, pause: float) -> int:
    errors = 0

    async def create() -> None:
        nonlocal errors
        for _ in range(10):
            try:
                await cut.client.create_app(name, ["env_a"], wait=None)
            except CallFailed as error:
                if error.code == "APP_NAME_TAKEN":
                    return
                assert error.status in (500, 503), error
                errors += 1
                await anyio.sleep(0.5)
            else:
                return
        raise AssertionError(f"{name} cannot be created")

    async with anyio.create_task_group() as group:
        group.start_soon(create)
        for _ in range(CUTS):
            await anyio.sleep(pause)
            break_wire()
    return errors


async def test_two_installations_on_one_redis(
    tmp_path: Path, postgres: PostgresAddress, own_redis: RedisProcess, say: Say
) -> None:
    """F40: the second is refused and says why; with a namespace of its own it is welcome."""
    first = Deployment(tmp_path / "first", redis_url=own_redis.url, postgres=postgres)
    async with first, database(postgres, "another_supervisor") as variables:
        await first.client.create_app("mine", ["env_a"])
        copied = {
            name: value
            for name, value in first.supervisor.environment.items()
            if name not in ("APP_PORT", "STORAGE_PATH")
        }
        second = ServerProcess("second", tmp_path / "second", {**copied, **variables})
        async with closing(second):
            second.spawn()
            code = await second.until_ended(within=30)
            assert code not in (0, -signal.SIGKILL)
            assert "REDIS_NAMESPACE" in second.log() or "REDIS_BELONGS_TO_ANOTHER" in second.log()
            assert "Traceback" not in second.log()
        assert (await first.client.ask("mine")).status_code == 200
        second = ServerProcess(
            "apart", tmp_path / "apart", {**copied, **variables, "REDIS_NAMESPACE": "apart"}
        )
        async with second:
            assert (await first.client.ask("mine")).status_code == 200
            answer = await _ask(second, "mine")
            assert answer.status_code == 404, "apps of another installation are unknown"
    say(f"second installation on the same Redis: refused with code {code}; with its own namespace it works")


async def _ask(server: ServerProcess, name: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(f"{server.url}/api/__app/{name}/app:getInfo")

"""F71: starting and stopping one app again and again leaves memory, tasks, threads and descriptors flat."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest

from atoll.testing.client import Account, AtollClient
from atoll.testing.processes import ServerProcess, eventually

from .blocking import INSTRUMENTED
from .conftest import Say

pytestmark = pytest.mark.anyio

ACCOUNT = Account()
WARM_UP = 15
#: What caches and the allocator still fill up after the warm-up, and what may grow with each round: one
#: leaked object graph per round is more than that over 200 rounds.
OBJECTS, OBJECTS_PER_ROUND = 400, 3
MEMORY, MEMORY_PER_ROUND = 4_000_000, 10_000


async def test_starts_and_stops(tmp_path: Path, say: Say) -> None:
    await _rounds(tmp_path, 40, say)


@pytest.mark.slow
async def test_200_starts_and_stops(tmp_path: Path, say: Say) -> None:
    await _rounds(tmp_path, 200, say)


async def _rounds(folder: Path, number: int, say: Say) -> None:
    file = folder / "census.json"
    variables = {"INIT_ROOT_PASSWORD": ACCOUNT.password, "CENSUS_FILE": str(file)}
    server = ServerProcess("server", folder, variables, command=INSTRUMENTED)
    async with server, AtollClient(server.url) as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("spun", ["local"])
        await _spin(client, WARM_UP)
        before = await _census(server, file)
        await _spin(client, number)
        after = await _census(server, file)
    shown = ", ".join(f"{name} {before[name]} -> {after[name]}" for name in before)
    say(f"{number} starts and stops of one app: {shown}")
    assert after["tasks"] <= before["tasks"]
    assert after["threads"] <= before["threads"] + 1
    assert after["files"] <= before["files"] + 2
    assert after["objects"] - before["objects"] < OBJECTS + OBJECTS_PER_ROUND * number
    assert after["memory"] - before["memory"] < MEMORY + MEMORY_PER_ROUND * number


async def _spin(client: AtollClient, number: int) -> None:
    for _ in range(number):
        await client.call("applications:stop/spun")
        await client.wait_status("spun", "stopped")
        await client.call("applications:start/spun")
        await client.wait_status("spun", "running")
        assert (await client.ask("spun")).status_code == 200


async def _census(server: ServerProcess, file: Path) -> dict[str, Any]:
    await anyio.Path(file).unlink(missing_ok=True)
    server.signal(signal.SIGUSR2)

    async def written() -> bool:
        return await anyio.Path(file).exists()

    await eventually(written, within=10, what="the census is written")
    found: dict[str, Any] = json.loads(await anyio.Path(file).read_text("utf-8"))
    return found

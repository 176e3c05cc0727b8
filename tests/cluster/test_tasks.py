"""Tasks on real processes: workers that are killed or paused in the middle, and instances that only wait."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess, closing, eventually

from . import postgres as databases
from .conftest import Say
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio
ACCOUNT = Account()
ROWS = 20_000
DATABASE = "atoll_tasks"


@dataclass(frozen=True)
class Crew:
    """One server that answers requests, and two that work on tasks, not started yet."""

    front: ServerProcess
    workers: tuple[ServerProcess, ServerProcess]
    client: AtollClient


@pytest.fixture(scope="module")
async def crew(
    anyio_backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresAddress,
    redis: RedisProcess,
) -> AsyncIterator[Crew]:
    folder: Path = tmp_path_factory.mktemp("tasks")
    async with AsyncExitStack() as stack:
        variables = await stack.enter_async_context(databases.database(postgres, DATABASE))
        common = {
            **variables,
            "REDIS_URL": redis.url,
            "LOCK_ADAPTER_DEFAULT": "redis",
            "QUEUE_ADAPTER": "redis",
            "STORAGE_PATH": str(folder / "storage"),
            "INIT_ROOT_USERNAME": ACCOUNT.username,
            "INIT_ROOT_EMAIL": ACCOUNT.email,
            "INIT_ROOT_PASSWORD": ACCOUNT.password,
        }
        work = {**common, "WORKER_MODE": "async-task:process"}
        front = ServerProcess("front", folder / "front", {**common, "WORKER_MODE": "!"})
        workers = (
            ServerProcess("a", folder / "a", work),
            ServerProcess("b", folder / "b", work),
        )
        await stack.enter_async_context(closing(front, *workers))
        await front.start(within=60)
        client = await stack.enter_async_context(AtollClient(front.url))
        await client.sign_in(ACCOUNT)
        yield Crew(front, workers, client)


async def _import(client: AtollClient, collection: str) -> dict[str, Any]:
    fields = [{"name": "code", "type": "string", "unique": True}, {"name": "n", "type": "integer"}]
    await client.call("collections:create", {"name": collection, "fields": fields})
    content = "Code,N\n" + "".join(f"c{number},{number}\n" for number in range(ROWS))
    answer = await client.http.post(
        f"/api/{collection}:inspectImport", files={"file": ("rows.csv", content.encode())}
    )
    seen = answer.json()["data"]
    params = {
        "collection": collection,
        "upload": seen["upload"],
        "layout": seen["layout"],
        "columns": [{"index": 0, "field": "code"}, {"index": 1, "field": "n"}],
    }
    task: dict[str, Any] = await client.call("asyncTasks:create", {"type": "import", "params": params})
    return task


async def _until(client: AtollClient, task: dict[str, Any], done: Any, what: str) -> dict[str, Any]:
    async def reached() -> dict[str, Any] | None:
        row: dict[str, Any] = await client.call(f"asyncTasks:get/{task['id']}")
        return row if done(row) else None

    found = await eventually(reached, within=240, what=what, every=0.05)
    assert found is not None
    return found


async def _assert_all_once(crew: Crew, postgres: PostgresAddress, collection: str) -> None:
    statement = f'SELECT count(*), count(DISTINCT "code") FROM "{collection}"'
    assert await databases.run(postgres, statement, DATABASE) == [(ROWS, ROWS)]


def _halfway(row: dict[str, Any]) -> bool:
    return bool(ROWS // 5 < row["progressCurrent"] < ROWS)


def _finished(row: dict[str, Any]) -> bool:
    return row["doneAt"] is not None


async def test_a_killed_worker_loses_no_row_and_writes_none_twice(
    crew: Crew, postgres: PostgresAddress, say: Say
) -> None:
    first, second = crew.workers
    task = await _import(crew.client, "killed")
    listed = (await crew.client.call("asyncTasks:list"))[0]
    assert listed["status"] is None
    assert "async-task:process" in listed["waitingReason"], "nobody serves tasks yet, and the person is told"
    await first.start(within=60)
    row = await _until(crew.client, task, _halfway, "a fifth is imported")
    await first.kill()
    killed = time.monotonic()
    await second.start(within=60)
    row = await _until(
        crew.client, task, lambda now: now["progressCurrent"] > row["progressCurrent"] + 500, "it goes on"
    )
    again = time.monotonic() - killed
    row = await _until(crew.client, task, _finished, "the import ends")
    assert row["status"] == 1, row
    assert (row["result"]["created"], row["result"]["failed"]) == (ROWS, 0)
    await _assert_all_once(crew, postgres, "killed")
    say(f"import of {ROWS} rows, SIGKILL of its worker: another went on after {again:.1f} s; 0 lost, 0 twice")
    await second.stop()


@pytest.mark.slow
async def test_a_paused_worker_that_wakes_up_changes_nothing(
    crew: Crew, postgres: PostgresAddress, say: Say
) -> None:
    first, second = crew.workers
    await first.restart(within=60)
    task = await _import(crew.client, "paused")
    await _until(crew.client, task, _halfway, "a fifth is imported")
    first.signal(signal.SIGSTOP)
    await second.start(within=60)
    row = await _until(crew.client, task, _finished, "another worker ends the import")
    first.signal(signal.SIGCONT)
    assert row["status"] == 1, row
    assert row["result"]["created"] == ROWS
    following = await crew.client.call(
        "asyncTasks:create",
        {"type": "records:destroy", "params": {"collection": "paused", "filter": {"n": 1}, "expected": 1}},
    )
    await _until(crew.client, following, _finished, "tasks go on")
    statement = 'SELECT count(*), count(DISTINCT "code") FROM "paused"'
    assert await databases.run(postgres, statement, DATABASE) == [(ROWS - 1, ROWS - 1)]
    say(f"import of {ROWS} rows, worker paused and woken after another had finished: 0 lost, 0 twice")
    await first.stop()
    await second.stop()


async def test_a_stopped_import_ends_at_once_and_a_restart_does_not_revive_it(crew: Crew) -> None:
    worker = crew.workers[0]
    await worker.restart(within=60)
    task = await _import(crew.client, "stopped")
    await _until(crew.client, task, _halfway, "a fifth is imported")
    stopped = await crew.client.call(f"asyncTasks:stop/{task['id']}")
    await worker.restart(within=60)
    other = await crew.client.call(
        "asyncTasks:create",
        {"type": "export", "params": {"collection": "stopped", "columns": [{"dataIndex": ["code"]}]}},
    )
    row = await _until(crew.client, other, _finished, "another task ends")
    left = row["result"]["rows"]
    assert ROWS // 5 <= left < ROWS
    assert left == stopped["progressCurrent"] or left <= stopped["progressCurrent"] + 500
    assert (await crew.client.call(f"asyncTasks:get/{task['id']}"))["status"] == -2
    file = await crew.client.http.get(f"/api/asyncTasks:fetchFile/{other['id']}")
    assert file.content.startswith(b"PK")
    await worker.stop()

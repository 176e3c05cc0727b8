"""F63: three servers go from one version of the tables to the next while people work."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess, closing, eventually

from . import postgres as databases
from .balancer import Balancer
from .conftest import Say
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio
SCRIPT = (sys.executable, str(Path(__file__).with_name("versions.py")))
PASSWORD = "atoll-test-password"
DATABASE = "atoll_rolling"


def server(name: str, folder: Path, variables: dict[str, str], version: int, **more: str) -> ServerProcess:
    given = {**variables, "VERSION": str(version), "INIT_ROOT_PASSWORD": PASSWORD, **more}
    return ServerProcess(name, folder / name, given, command=SCRIPT)


class Load:
    """Requests through the balancer until stopped; each is counted, none may fail."""

    def __init__(self, balancer: Balancer) -> None:
        self.balancer = balancer
        self.answers = {1: 0, 2: 0}
        self.failures: list[str] = []
        self._numbers = itertools.count(1000)

    async def one(self) -> None:
        """A person: writes, reads, on a new connection each time, as the balancer counts connections."""
        while True:
            async with httpx.AsyncClient(
                base_url=self.balancer.url, timeout=20, trust_env=False, verify=False
            ) as client:
                number = next(self._numbers)
                made = await client.post("/api/people:create", json={"id": number})
                seen = await client.get("/api/people:list")
                for answer in (made, seen):
                    if answer.status_code != 200:
                        self.failures.append(f"{answer.status_code} {answer.text[:200]}")
                    else:
                        self.answers[answer.json()["data"]["version"]] += 1


@asynccontextmanager
async def working(balancer: Balancer, people: int) -> AsyncIterator[Load]:
    load = Load(balancer)
    async with anyio.create_task_group() as group:
        for _ in range(people):
            group.start_soon(load.one)
        yield load
        group.cancel_scope.cancel()


async def test_three_servers_are_rolled_without_a_failed_request(
    tmp_path: Path, postgres: PostgresAddress, redis: RedisProcess, say: Say
) -> None:
    balancer = Balancer()
    async with databases.database(postgres, DATABASE) as variables:
        common = {
            **variables,
            "PUBSUB_ADAPTER_REDIS_URL": redis.url,
            "STORAGE_PATH": str(tmp_path / "storage"),
        }
        old = [server(f"old{number}", tmp_path, common, 1) for number in range(3)]
        new = [server(f"new{number}", tmp_path, common, 2) for number in range(3)]
        async with closing(*old, *new):
            async with anyio.create_task_group() as group:
                for each in old:
                    group.start_soon(each.start)
            began = time.monotonic()
            async with balancer.listening([each.port for each in old]), working(balancer, 4) as load:
                for number in range(3):
                    await new[number].start()
                    balancer.targets = [each.port for each in (*new[: number + 1], *old[number + 1 :])]
                    await balancer.drained(old[number].port)
                    assert await old[number].stop() == 0
                await eventually(
                    lambda: _columns(postgres),
                    within=30,
                    what="the second half ran",
                )
                after = load.answers[2]
                await eventually(lambda: _more(load, after + 50), within=30, what="work goes on")
            took = time.monotonic() - began
            assert load.failures == []
            assert load.answers[1] > 0
            rows = await databases.run(postgres, "SELECT count(*) FROM people WHERE title IS NULL", DATABASE)
            assert rows[0][0] == 0
            late = server("late", tmp_path, common, 1)
            async with closing(late):
                late.spawn()
                assert await late.until_ended(within=30) == 13
            assert "newer version" in late.log()
    total = sum(load.answers.values())
    say(
        f"3 servers rolled in {took:.1f} s under {total / took:.0f} requests/s: {total} answered"
        f" ({load.answers[1]} by the old version, {load.answers[2]} by the new one), 0 failed;"
        " an old one that came late ended with code 13"
    )


async def _columns(postgres: PostgresAddress) -> bool:
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'people'"
    return sorted(row[0] for row in await databases.run(postgres, query, DATABASE)) == ["id", "title"]


async def _more(load: Load, count: int) -> bool:
    return load.answers[2] >= count


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_the_migrator_is_killed_at_every_step(
    tmp_path: Path, postgres: PostgresAddress, kind: str, say: Say
) -> None:
    """SIGKILL inside each step's transaction; the next start does the rest."""
    steps: Sequence[str] = ("make", "add", "fill", "copy", "drop")
    async with databases.database(postgres, DATABASE) as variables:
        base = variables if kind == "postgres" else {"DB_DIALECT": "sqlite"}
        common = {**base, "STORAGE_PATH": str(tmp_path / "storage")}
        for step in steps:
            version = 1 if step == "make" else 2
            killed = server(f"killed_at_{step}", tmp_path, common, version, KILL_AT=step)
            async with closing(killed):
                killed.spawn()
                assert await killed.until_ended(within=60) == -9, killed.log()[-2000:]
            if step == "make":
                first = server("first", tmp_path, common, 1)
                async with closing(first):
                    await first.start()
        last = server("last", tmp_path, common, 2)
        async with closing(last):
            await last.start()

            async def finished() -> bool:
                return "database upgrade finished" in last.log()

            await eventually(finished, within=30, what="the upgrade is finished")
            async with httpx.AsyncClient(base_url=last.url, trust_env=False) as client:
                rows = (await client.get("/api/people:list")).json()["data"]["rows"]
            assert rows == [[number, f"p{number}"] for number in range(49, 29, -1)]
    say(f"{kind}: migrator killed inside each of {len(steps)} steps; the next start finished, no row lost")

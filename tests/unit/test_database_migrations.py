"""Steps are applied once, in order, by one process; a failed step leaves no trace."""

from __future__ import annotations

import asyncio

import pytest

from atoll.database.config import DatabaseConfig
from atoll.database.drivers import Connection, Database, connect
from atoll.database.migrations import Step, applied, migrate
from atoll.errors import Conflict

pytestmark = pytest.mark.anyio


def step(name: str, *, fails: bool = False) -> Step:
    async def apply(database: Database, connection: Connection) -> None:
        await connection.execute(f'CREATE TABLE "{name}" (id INTEGER)')
        await asyncio.sleep(0.01)
        if fails:
            raise RuntimeError(name)

    return Step(name, apply)


async def test_missing_steps_are_applied_in_order(database: Database) -> None:
    assert await applied(database) == set()
    assert await migrate(database, [step("0001-a"), step("0002-b")]) == ["0001-a", "0002-b"]
    assert await migrate(database, [step("0001-a"), step("0002-b")]) == []
    assert await migrate(database, [step("0001-a"), step("0002-b"), step("0003-c")]) == ["0003-c"]
    assert await applied(database) == {"0001-a", "0002-b", "0003-c"}


async def test_a_failed_step_leaves_no_trace_and_is_tried_again(database: Database) -> None:
    with pytest.raises(RuntimeError):
        await migrate(database, [step("0001-a"), step("0002-b", fails=True)])
    assert await applied(database) == {"0001-a"}
    assert await migrate(database, [step("0001-a"), step("0002-b")]) == ["0002-b"]


async def test_many_processes_apply_each_step_once(
    database: Database, database_config: DatabaseConfig
) -> None:
    others = [connect(database_config) for _ in range(4)]
    for each in others:
        await each.open()
    steps = [step("0001-a"), step("0002-b")]
    done = await asyncio.gather(*(migrate(each, steps) for each in (database, *others)))
    assert sorted(name for names in done for name in names) == ["0001-a", "0002-b"]
    for each in others:
        await each.close()


async def test_a_newer_database_is_refused(database: Database) -> None:
    await migrate(database, [step("0001-a"), step("0002-b")])
    with pytest.raises(Conflict):
        await migrate(database, [step("0001-a")])


async def test_steps_out_of_order_are_a_mistake(database: Database) -> None:
    with pytest.raises(ValueError, match="order"):
        await migrate(database, [step("0002-b"), step("0001-a")])

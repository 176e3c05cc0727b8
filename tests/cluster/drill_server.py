"""A plugin that has work to do, for runs with random faults. Whoever imports this file has it in each app.

`drill:submit` writes an order and publishes its item in one transaction; the item's handler notes that it
began and, together with the end of the item, writes the order's one effect. A job notes each minute.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from atoll.application.app import Application
from atoll.application.context import Context
from atoll.application.migrations import Migration
from atoll.application.plugin_manager import Plugin
from atoll.application.schedule import Job, Tick
from atoll.cluster.queue import Item
from atoll.database.drivers.base import Connection, Database
from atoll.server.plugins import PluginsOfEveryApp

PROCESS = f"{os.getpid()}-{time.time():.3f}"
WORK_SECONDS = 0.6
TABLES = (
    'CREATE TABLE "drillOrders" (key TEXT PRIMARY KEY)',
    'CREATE TABLE "drillBegun" (key TEXT NOT NULL, process TEXT NOT NULL, at DOUBLE PRECISION NOT NULL)',
    'CREATE TABLE "drillEffects" (key TEXT PRIMARY KEY, at DOUBLE PRECISION NOT NULL)',
    'CREATE TABLE "drillTicks" (due TEXT PRIMARY KEY)',
)


async def _make(database: Database, tx: Connection) -> None:
    for table in TABLES:
        await tx.execute(table)


class Drill(Plugin):
    """Orders, their work, and a job."""

    name = "drill"
    migrations = (Migration("drill/0001-tables", before=(_make,)),)

    def __init__(self) -> None:
        self._app: Application

    async def install(self, app: Application) -> None: ...

    async def load(self, app: Application) -> None:
        self._app = app
        app.resources.define("drill", {"submit": self._submit}, access={"submit": "public"})
        app.schedule.add(Job("drill/minute", "* * * * *", self._tick, catch_up=10))

    async def start(self, app: Application) -> None:
        handler = app.outbox.handler(self._work)
        await app.services.serve("drill:process", "drill", handler, concurrency=2)

    async def stop(self, app: Application) -> None: ...

    async def _submit(self, ctx: Context) -> Any:
        key, urgent = str(ctx.values["key"]), bool(ctx.values.get("urgent"))
        async with self._app.database.transaction() as tx:
            await tx.execute('INSERT INTO "drillOrders" (key) VALUES ($1)', [key])
            await self._app.outbox.publish(
                tx, "drill", key.encode(), timeout=60, max_retries=20, priority=9 if urgent else 0
            )
        return {"id": self._app.records._rows._ids.next(), "process": PROCESS}

    async def _work(self, item: Item) -> None:
        database, key = self._app.database, item.content.decode()
        begun = 'INSERT INTO "drillBegun" (key, process, at) VALUES ($1, $2, $3)'
        await database.execute(begun, [key, PROCESS, time.time()])
        await asyncio.sleep(0 if item.priority else WORK_SECONDS)
        async with database.transaction() as tx:
            await self._app.outbox.finish(tx, item)
            await tx.execute('INSERT INTO "drillEffects" (key, at) VALUES ($1, $2)', [key, time.time()])

    async def _tick(self, tick: Tick) -> None:
        insert = 'INSERT INTO "drillTicks" (due) VALUES ($1) ON CONFLICT DO NOTHING'
        await self._app.database.execute(insert, [tick.due.isoformat()])


_others = PluginsOfEveryApp.__call__


def with_drill(self: PluginsOfEveryApp) -> list[Plugin]:
    return [*_others(self), Drill()]


PluginsOfEveryApp.__call__ = with_drill  # type: ignore[method-assign]

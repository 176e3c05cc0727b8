"""`atoll start` as version N or N+1 (VERSION=1 or 2) of a plugin with tables of its own, for tests only.

Version 2 moves `people.name` to `people.title`: first a new column, filled while both versions write; when
no instance of version 1 is left, the old column goes. KILL_AT ends the process with SIGKILL in the middle of
the named step, after its statements ran and before they are committed.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from atoll.application.app import Application
from atoll.application.context import Context
from atoll.application.migrations import Migration
from atoll.application.plugin_manager import Plugin
from atoll.cli import main
from atoll.database.drivers.base import Connection, Database
from atoll.server.plugins import PluginsOfEveryApp

VERSION = int(os.environ["VERSION"])


def _here(step: str) -> None:
    if os.environ.get("KILL_AT") == step:
        os.kill(os.getpid(), signal.SIGKILL)


async def _make(database: Database, tx: Connection) -> None:
    await tx.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(50))")
    for number in range(50):
        await tx.execute(f"INSERT INTO people (id, name) VALUES ({number}, 'p{number}')")
    _here("make")


async def _add(database: Database, tx: Connection) -> None:
    await tx.execute("ALTER TABLE people ADD COLUMN title VARCHAR(50)")
    _here("add")


async def _fill(database: Database, tx: Connection) -> bool:
    """Ten rows per transaction."""
    some = "SELECT id FROM people WHERE title IS NULL ORDER BY id LIMIT 10"
    filled = await tx.execute(f"UPDATE people SET title = name WHERE id IN ({some})")
    if filled < 10:
        _here("fill")
    return filled > 0


async def _copy(database: Database, tx: Connection) -> None:
    """What the old version wrote in the meantime."""
    await tx.execute("UPDATE people SET title = name WHERE title IS NULL")
    _here("copy")


async def _drop(database: Database, tx: Connection) -> None:
    await tx.execute("ALTER TABLE people DROP COLUMN name")
    _here("drop")


ALL = (
    Migration("people/0001-table", before=(_make,)),
    Migration("people/0002-title", before=(_add, _fill), after=(_copy, _drop)),
)


class People(Plugin):
    """Reads and writes its table as its version does."""

    name = "people"
    migrations = ALL[:VERSION]

    async def install(self, app: Application) -> None: ...

    async def load(self, app: Application) -> None:
        app.resources.define(
            "people",
            {"list": self._list, "create": self._create},
            access={"list": "public", "create": "public"},
        )

    async def start(self, app: Application) -> None: ...

    async def stop(self, app: Application) -> None: ...

    async def _list(self, ctx: Context) -> Any:
        shown = "name" if VERSION == 1 else "title"
        rows = await ctx.app.database.fetch_all(f"SELECT id, {shown} FROM people ORDER BY id DESC LIMIT 20")
        return {"version": VERSION, "rows": [list(row) for row in rows]}

    async def _create(self, ctx: Context) -> Any:
        column = "name" if VERSION == 1 else "title"
        number = int(ctx.values["id"])
        await ctx.app.database.execute(f"INSERT INTO people (id, {column}) VALUES ({number}, 'n{number}')")
        return {"version": VERSION}


_others = PluginsOfEveryApp.__call__


def with_people(self: PluginsOfEveryApp) -> list[Plugin]:
    return [*_others(self), People()]


if __name__ == "__main__":
    PluginsOfEveryApp.__call__ = with_people  # type: ignore[method-assign]
    sys.argv = ["atoll", "start"]
    main()

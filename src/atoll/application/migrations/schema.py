"""Brings an app's database to what this program needs, and refuses one that it does not understand.

The table `migrations` has a row per migration (`0002-instances`: its first half is done), per step that was
done (`0002-instances#before.0`), and for the second half `#closed` (older versions are refused from now on)
and `#done`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

from sqlalchemy import insert, select

from atoll.application.collections.system import system_collections
from atoll.application.fields.datetime import stored
from atoll.application.fields.moments import now_ms
from atoll.application.migrations.base import Migration, Step, owner_of
from atoll.database.drivers.base import Connection, Database
from atoll.errors import DatabaseError, SchemaTooNew, SchemaUpgradeBlocked, SchemaUpgradeNeeded, UnknownColumn

log = logging.getLogger(__name__)
_LOCK = "migrate"
_LOCK_SECONDS = 2
_TRIES = 30
FIRST = "0001-first"
"""What an installation makes by itself."""
_CLOSED, _DONE = "#closed", "#done"

OldInstances = Callable[[str], Awaitable[Collection[str]]]
"""Instances that may live and do not know the migration of that name."""


class Schema:
    """The migrations of one app.

    Args:
        migrations: those this program and its plugins know, each one's oldest first.
        automatic: apply what is missing at the start; else the start is refused until somebody allows it.
    """

    def __init__(
        self, database: Database, migrations: Sequence[Migration], *, automatic: bool = True
    ) -> None:
        names = [each.name for each in migrations]
        if len(set(names)) < len(names):
            raise ValueError("two migrations have one name")
        self._database = database
        self._migrations = migrations
        self._automatic = automatic
        self._table = system_collections(database.kind, database.table_prefix)["migrations"].table

    @property
    def names(self) -> tuple[str, ...]:
        """The migrations this program knows."""
        return tuple(each.name for each in self._migrations)

    async def applied(self) -> frozenset[str]:
        """The rows; empty when there are no tables yet. One query: all that a start costs as a rule."""
        try:
            rows = (await self._database.run(select(self._table.c.name))).rows
        except UnknownColumn:
            return frozenset()
        return frozenset(row[0] for row in rows)

    async def stamp(self, connection: Connection) -> None:
        """Notes that the application's tables were made just now, and need nothing of all this.

        Those of plugins are made by their migrations, in a new app as in one that gets the plugin later.
        """
        await self._note(FIRST, connection)
        for each in [each for each in self._migrations if not each.owner]:
            await self._note(each.name, connection)
            if each.after:
                await self._note(each.name + _CLOSED, connection)
                await self._note(each.name + _DONE, connection)

    def check(self, applied: Collection[str]) -> None:
        """Raises SchemaTooNew when older versions such as this one must not use the database any more."""
        known = set(self.names)
        owners = {"", *(each.owner for each in self._migrations)}
        for row in sorted(applied):
            name = row.removesuffix(_CLOSED)
            if name != row and name not in known and owner_of(name) in owners:
                raise SchemaTooNew(
                    "The app's database belongs to a newer version of Atoll than this one. Start the newer"
                    " version, or restore a backup from before the upgrade.",
                    detail=f"finished upgrade {name}",
                )

    def unfinished(self, applied: Collection[str]) -> list[str]:
        """The migrations whose second half waits for older instances to leave."""
        return [each.name for each in self._migrations if each.after and each.name + _DONE not in applied]

    async def prepare(self, applied: Collection[str], old: OldInstances) -> None:
        """Does the first halves that are missing. Other processes may try at the same time: one does it.

        Raises:
            SchemaTooNew: see `check`.
            SchemaUpgradeNeeded: something is missing, and it was not allowed to do it.
            SchemaUpgradeBlocked: an upgrade before this one waits for instances of an older version.
        """
        self.check(applied)
        if set(self.names) <= set(applied):
            return
        if not self._automatic:
            raise SchemaUpgradeNeeded(
                "The app's database is of an older version. Switch on the automatic upgrade of this app and"
                " start it again."
            )
        async with self._database.exclusive(_LOCK):
            applied = await self.applied()
            self.check(applied)
            for number, each in enumerate(self._migrations):
                if each.name not in applied:
                    await self._steps(each.name + "#before", each.before, applied, each.name)
                    log.info("database upgraded", extra={"migration": each.name})
                later = [next_.name for next_ in self._migrations[number + 1 :] if next_.owner == each.owner]
                waits = each.after and each.name + _DONE not in applied
                if waits and not set(later) <= set(applied):
                    await self._finish(each, old)

    async def finish(self, old: OldInstances) -> bool:
        """Does the second halves that can be done now; True when none is left. One process does it."""
        async with self._database.exclusive(_LOCK):
            applied = await self.applied()
            for name in self.unfinished(applied):
                if name not in applied:
                    return False
                try:
                    await self._finish(next(each for each in self._migrations if each.name == name), old)
                except SchemaUpgradeBlocked:
                    return False
        return True

    async def _finish(self, migration: Migration, old: OldInstances) -> None:
        """Closes the database to older versions first and looks once more: who registered in between is seen
        here, and who registers later sees that it is closed."""
        applied = await self.applied()
        closed = migration.name + _CLOSED
        await self._refuse_old(migration.name, old)
        if closed not in applied:
            async with self._database.transaction() as tx:
                await self._note(closed, tx)
        await self._refuse_old(migration.name, old)
        await self._steps(migration.name + "#after", migration.after, applied, migration.name + _DONE)
        log.info("database upgrade finished", extra={"migration": migration.name})

    async def _refuse_old(self, name: str, old: OldInstances) -> None:
        if left := await old(name):
            raise SchemaUpgradeBlocked(
                "An upgrade of the app's database waits for instances of an older version. Stop them and"
                " start again.",
                detail=f"{name}: {', '.join(sorted(left))}",
            )

    async def _steps(self, half: str, steps: Sequence[Step], applied: Collection[str], finally_: str) -> None:
        for number, step in enumerate(steps):
            row = f"{half}.{number}"
            while row not in applied and await self._part(step, row):
                pass
        async with self._database.transaction() as tx:
            await self._note(finally_, tx)

    async def _part(self, step: Step, row: str) -> bool:
        """One transaction. A table that is busy for long is tried again, so that nobody queues behind us."""
        for attempt in range(_TRIES):
            try:
                async with self._database.transaction() as tx:
                    if self._database.kind == "postgres":
                        await tx.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
                    more = await step(self._database, tx)
                    if not more:
                        await self._note(row, tx)
                    return bool(more)
            except DatabaseError as error:
                if getattr(error.__cause__, "sqlstate", None) != "55P03" or attempt == _TRIES - 1:
                    raise
                log.info("a table is in use, the upgrade tries again", extra={"step": row})
                await asyncio.sleep(0.2)
        raise AssertionError("the loop returns or raises")

    async def _note(self, name: str, connection: Connection) -> None:
        now = stored(now_ms(), self._database.kind)
        await self._database.run(insert(self._table).values(name=name, appliedAt=now), connection=connection)

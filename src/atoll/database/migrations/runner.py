"""Applies ordered steps once per database, whoever starts first and however often it is killed.

A step and its record are one transaction where the database can (both supported ones can), so a killed step
has not happened. Processes that start together wait for the one that is at it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from atoll.database.drivers.base import Connection, Database
from atoll.database.schema import Schema
from atoll.errors import Conflict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One change.

    Args:
        name: unique and never changed again, beginning with a number for the order: `0001-users`.
        apply: does it on the given transaction.
    """

    name: str
    apply: Callable[[Database, Connection], Awaitable[None]]


async def applied(database: Database, connection: Connection | None = None) -> set[str]:
    """The names of the steps this database has seen."""
    table = _table(database)
    if table.name not in await Schema(database).tables(connection):
        return set()
    rows = (await database.run(sa.select(table.c.name), connection=connection)).rows
    return {name for (name,) in rows}


async def migrate(database: Database, steps: Sequence[Step]) -> list[str]:
    """Applies what is missing, in order; gives the names of what was applied now.

    Raises `Conflict` when the database has seen steps that are not known here: it belongs to a newer version.
    """
    if [step.name for step in steps] != sorted({step.name for step in steps}):
        raise ValueError("steps must have different names, in order")
    if await applied(database) == {step.name for step in steps}:
        return []
    async with database.exclusive("migrate"):
        table = _table(database)
        await database.run(CreateTable(table, if_not_exists=True))
        known = await applied(database)
        newer = sorted(known - {step.name for step in steps})
        if newer:
            raise Conflict(
                "The database was changed by a newer version. Start that version, or restore a backup.",
                detail=f"unknown steps: {', '.join(newer)}",
            )
        done = []
        for step in steps:
            if step.name not in known:
                await _apply(database, step, table)
                done.append(step.name)
        return done


async def _apply(database: Database, step: Step, table: sa.Table) -> None:
    async with database.transaction() as tx:
        await step.apply(database, tx)
        row = {"name": step.name, "appliedAt": datetime.now(UTC)}
        await database.run(sa.insert(table), row, connection=tx)
    log.info("database changed", extra={"step": step.name, "database": database.config.address})


def _table(database: Database) -> sa.Table:
    return sa.Table(
        f"{database.table_prefix}migrations",
        sa.MetaData(),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("appliedAt", sa.DateTime(timezone=True), nullable=False),
    )

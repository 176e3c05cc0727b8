"""0005: the tables of scheduled work (application/schedule)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text
from sqlalchemy.schema import CreateTable

from atoll.application.migrations.base import Migration
from atoll.database.drivers.base import Connection, Database


async def _make_tables(database: Database, connection: Connection) -> None:
    metadata = MetaData()
    jobs = Table(
        f"{database.table_prefix}appJobs",
        metadata,
        Column("name", String(255), primary_key=True),
        Column("cron", String(255), nullable=False),
        Column("next", BigInteger, nullable=False),
        quote=True,
    )
    ticks = Table(
        f"{database.table_prefix}appTicks",
        metadata,
        Column("job", String(255), primary_key=True),
        Column("due", BigInteger, primary_key=True, autoincrement=False),
        Column("state", String(16), nullable=False),
        Column("tries", Integer, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("instance", String(255)),
        Column("finished", BigInteger),
        Column("note", Text),
        quote=True,
    )
    for table in (jobs, ticks):
        await database.run(CreateTable(table), connection=connection)


SCHEDULE = Migration("0005-schedule", before=(_make_tables,))

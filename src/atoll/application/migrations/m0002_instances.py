"""0002: the table of the instances that serve an app (application/instances)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, MetaData, String, Table, Text
from sqlalchemy.schema import CreateTable

from atoll.application.migrations.base import Migration
from atoll.database.drivers.base import Connection, Database


async def _make_table(database: Database, connection: Connection) -> None:
    table = Table(
        f"{database.table_prefix}appInstances",
        MetaData(),
        Column("id", String(255), primary_key=True),
        Column("fenced", Boolean, nullable=False),
        Column("migrations", Text),
        quote=True,
    )
    await database.run(CreateTable(table), connection=connection)


INSTANCES = Migration("0002-instances", before=(_make_table,))

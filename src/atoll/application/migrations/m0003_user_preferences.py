"""0003: the table of what people chose for their own screens (application/auth/preferences)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text
from sqlalchemy.schema import CreateTable

from atoll.application.migrations.base import Migration
from atoll.database.drivers.base import Connection, Database


async def _make_table(database: Database, connection: Connection) -> None:
    table = Table(
        f"{database.table_prefix}userPreferences",
        MetaData(),
        Column("userId", BigInteger, primary_key=True, autoincrement=False),
        Column("key", String(255), primary_key=True),
        Column("value", Text, nullable=False),
        quote=True,
    )
    await database.run(CreateTable(table), connection=connection)


USER_PREFERENCES = Migration("0003-user-preferences", before=(_make_table,))

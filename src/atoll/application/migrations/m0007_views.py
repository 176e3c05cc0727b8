"""0007: the table of saved views of lists (application/auth/views)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, String, Table, Text
from sqlalchemy.schema import CreateIndex, CreateTable

from atoll.application.migrations.base import Migration
from atoll.database.drivers.base import Connection, Database


async def _make_table(database: Database, connection: Connection) -> None:
    name = f"{database.table_prefix}views"
    index = Index(f"{name}_block", "blockId")
    table = Table(
        name,
        MetaData(),
        Column("id", String(255), primary_key=True),
        Column("blockId", String(255), nullable=False),
        Column("title", String(255), nullable=False),
        Column("shared", Boolean, nullable=False),
        Column("ownerId", BigInteger),
        Column("content", Text, nullable=False),
        index,
        quote=True,
    )
    await database.run(CreateTable(table), connection=connection)
    await database.run(CreateIndex(index), connection=connection)


VIEWS = Migration("0007-views", before=(_make_table,))

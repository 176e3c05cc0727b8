"""0004: the table of work that belongs to a transaction (application/outbox)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.schema import CreateIndex, CreateTable

from atoll.application.migrations.base import Migration
from atoll.database.drivers.base import Connection, Database


async def _make_table(database: Database, connection: Connection) -> None:
    name = f"{database.table_prefix}appOutbox"
    index = Index(f"{name}_handed", "handed")
    table = Table(
        name,
        MetaData(),
        Column("id", String(32), primary_key=True),
        Column("channel", String(255), nullable=False),
        Column("content", LargeBinary, nullable=False),
        Column("options", Text, nullable=False),
        Column("due", BigInteger, nullable=False),
        Column("claimed", BigInteger, nullable=False),
        Column("handed", BigInteger),
        Column("copy", Integer, nullable=False),
        index,
        quote=True,
    )
    await database.run(CreateTable(table), connection=connection)
    await database.run(CreateIndex(index), connection=connection)


OUTBOX = Migration("0004-outbox", before=(_make_table,))

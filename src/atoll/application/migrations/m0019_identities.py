"""0019: whose account belongs to whom at a provider (application/auth/identities)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table
from sqlalchemy.schema import CreateTable

from atoll.application.migrations.base import Migration
from atoll.database.drivers.base import Connection, Database


async def _make_table(database: Database, connection: Connection) -> None:
    table = Table(
        f"{database.table_prefix}usersAuthenticators",
        MetaData(),
        Column("authenticator", String(255), primary_key=True),
        Column("uuid", String(255), primary_key=True),
        Column("userId", BigInteger, nullable=False),
        quote=True,
    )
    await database.run(CreateTable(table), connection=connection)


IDENTITIES = Migration("0019-identities", before=(_make_table,))

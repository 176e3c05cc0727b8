"""0011: the table of links that set a new password (application/auth/password_resets)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table
from sqlalchemy.schema import CreateTable

from atoll.application.migrations.base import Migration
from atoll.database.drivers.base import Connection, Database


async def _make_table(database: Database, connection: Connection) -> None:
    table = Table(
        f"{database.table_prefix}passwordResets",
        MetaData(),
        Column("tokenHash", String(255), primary_key=True),
        Column("userId", BigInteger, nullable=False),
        Column("expires", BigInteger, nullable=False),
        quote=True,
    )
    await database.run(CreateTable(table), connection=connection)


PASSWORD_RESETS = Migration("0011-password-resets", before=(_make_table,))

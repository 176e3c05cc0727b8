"""0013: the tables of second factors and recovery codes (application/auth/second_factors)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text
from sqlalchemy.schema import CreateIndex, CreateTable

from atoll.application.migrations.base import Migration
from atoll.database.drivers.base import Connection, Database


async def _make_tables(database: Database, connection: Connection) -> None:
    prefix, metadata = database.table_prefix, MetaData()
    factors = Table(
        f"{prefix}secondFactors",
        metadata,
        Column("userId", BigInteger, primary_key=True, autoincrement=False),
        Column("secret", Text, nullable=False),
        Column("lastStep", BigInteger),
        Column("confirmedAt", BigInteger),
        quote=True,
    )
    index = Index(f"{prefix}recoveryCodes_userId_ix", "userId")
    codes = Table(
        f"{prefix}recoveryCodes",
        metadata,
        Column("codeHash", String(255), primary_key=True),
        Column("userId", BigInteger, nullable=False),
        index,
        quote=True,
    )
    for statement in (CreateTable(factors), CreateTable(codes), CreateIndex(index)):
        await database.run(statement, connection=connection)


SECOND_FACTORS = Migration("0013-second-factors", before=(_make_tables,))

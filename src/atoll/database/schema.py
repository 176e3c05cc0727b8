"""Changing tables, and looking at them, described by SQLAlchemy's Table and Column, alike on every database.

Each change is one transaction, or part of the caller's: killed half-way it has not happened. Changes of
what has rows keep the rows. A `Table` given to a change is the table as it shall be afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable, DropTable

from atoll.database.drivers.base import Connection, Database
from atoll.errors import InvalidValue, NotNullViolation, UnknownColumn

LONGEST_NAME = 63
_PG_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, coalesce(i.indisprimary, false)
    FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum =
    ANY (i.indkey) WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY
    a.attnum"""
_PG_INDEXES = """
    SELECT c.relname, i.indisunique, array_agg(a.attname ORDER BY k.ord)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH ORDINALITY AS k(attnum, ord)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = to_regclass($1) AND NOT i.indisprimary GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column as the database has it; `type` in the database's own words."""

    name: str
    type: str
    nullable: bool
    primary_key: bool


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index other than the primary key's."""

    name: str
    unique: bool
    columns: tuple[str, ...]


class Schema:
    """The tables of one database or schema.

    Every method takes `connection`, a transaction of the same database to be part of; without it the change
    is a transaction of its own. Errors are those of the drivers.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._quote = database.dialect.identifier_preparer.quote_identifier

    async def tables(self, connection: Connection | None = None) -> set[str]:
        """The names of all tables."""
        where = connection or self._database
        if self._database.kind == "sqlite":
            rows = await where.fetch_all("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {name for (name,) in rows if not name.startswith("sqlite_")}
        query = "SELECT tablename FROM pg_tables WHERE schemaname = coalesce($1, current_schema())"
        return {name for (name,) in await where.fetch_all(query, (self._database.schema,))}

    async def columns(self, table: str, connection: Connection | None = None) -> dict[str, ColumnInfo]:
        """The columns of a table in their order; empty when there is no such table."""
        where = connection or self._database
        if self._database.kind == "sqlite":
            query = 'SELECT name, type, NOT "notnull" AND NOT pk, pk > 0 FROM pragma_table_info(?)'
            rows = await where.fetch_all(query, (table,))
        else:
            rows = await where.fetch_all(_PG_COLUMNS, (self.qualified(table),))
        return {name: ColumnInfo(name, kind, bool(null), bool(key)) for name, kind, null, key in rows}

    async def indexes(self, table: str, connection: Connection | None = None) -> dict[str, IndexInfo]:
        """The indexes of a table by name, without that of the primary key."""
        where = connection or self._database
        if self._database.kind == "postgres":
            rows = await where.fetch_all(_PG_INDEXES, (self.qualified(table),))
            return {name: IndexInfo(name, unique, tuple(columns)) for name, unique, columns in rows}
        listed = "SELECT name, \"unique\" FROM pragma_index_list(?) WHERE origin <> 'pk'"
        found = {}
        for name, unique in await where.fetch_all(listed, (table,)):
            columns = await where.fetch_all("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (name,))
            found[name] = IndexInfo(name, bool(unique), tuple(column for (column,) in columns))
        return found

    async def create_table(self, table: sa.Table, connection: Connection | None = None) -> None:
        """The table with its constraints and indexes."""
        async with self._change(connection) as tx:
            await self._database.run(CreateTable(table), connection=tx)
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                await self._database.run(CreateIndex(index), connection=tx)

    async def drop_table(self, table: sa.Table, connection: Connection | None = None) -> None:
        """The table with its rows; fine when it is gone already."""
        async with self._change(connection) as tx:
            await self._database.run(DropTable(table, if_exists=True), connection=tx)

    async def add_column(self, table: sa.Table, name: str, connection: Connection | None = None) -> None:
        """The column `name` of `table`; rows get its `server_default`.

        Raises NotNullViolation when it must not be empty, has no default, and there are rows.
        """
        column = table.c[name]
        async with self._change(connection) as tx:
            needs_value = not column.nullable and column.server_default is None
            if needs_value and await tx.fetch_one(f"SELECT 1 FROM {self.qualified(table.name)} LIMIT 1"):  # noqa: S608
                raise NotNullViolation(f"{name} needs a default value: there are rows already.", column=name)
            loose = column._copy()  # noqa: SLF001 - SQLAlchemy's own way to move a column between tables
            if needs_value and self._database.kind == "sqlite":
                loose.nullable = True
            sa.Table(table.name, sa.MetaData(), loose)
            spec = str(CreateColumn(loose).compile(dialect=self._database.dialect))
            await tx.execute(f"ALTER TABLE {self.qualified(table.name)} ADD COLUMN {spec}")
            if loose.nullable != column.nullable:
                await self._rebuild(table, tx)
            elif column.unique:
                await self.create_index(table, [name], unique=True, connection=tx)

    async def drop_column(self, table: sa.Table, name: str, connection: Connection | None = None) -> None:
        """The column with its values and the indexes on it."""
        async with self._change(connection) as tx:
            for index in (await self.indexes(table.name, tx)).values():
                if name in index.columns and not index.name.startswith("sqlite_autoindex"):
                    await self.drop_index(index.name, connection=tx)
            await tx.execute(f"ALTER TABLE {self.qualified(table.name)} DROP COLUMN {self._quote(name)}")

    async def alter_column(self, table: sa.Table, name: str, connection: Connection | None = None) -> None:
        """Type, nullability and default of the column as `table` has it; values are converted.

        Raises `InvalidValue` when a value cannot be converted and `NotNullViolation` when one is missing;
        on SQLite text does not become a date, time, UUID or JSON.
        """
        async with self._change(connection) as tx:
            if self._database.kind == "sqlite":
                await self._rebuild(table, tx)
                await self._check_types(table.c[name], tx)
                return
            column = table.c[name]
            start = f"ALTER TABLE {self.qualified(table.name)} ALTER COLUMN {self._quote(name)}"
            kind = self._database.dialect.type_compiler_instance.process(column.type)
            await tx.execute(f"{start} DROP DEFAULT")
            await tx.execute(f"{start} TYPE {kind} USING {self._quote(name)}::{kind}")
            await tx.execute(f"{start} {'DROP' if column.nullable else 'SET'} NOT NULL")
            compiler: Any = self._database.dialect.ddl_compiler
            default = compiler(self._database.dialect, None).get_column_default_string(column)
            if default is not None:
                await tx.execute(f"{start} SET DEFAULT {default}")

    async def create_index(
        self,
        table: sa.Table,
        columns: Sequence[str],
        *,
        unique: bool = False,
        connection: Connection | None = None,
    ) -> str:
        """An index on the columns; gives its name. Raises `UniqueViolation` when rows contradict it."""
        name = index_name(table.name, columns, unique=unique)
        target = f"{self.qualified(table.name)} ({', '.join(map(self._quote, columns))})"
        async with self._change(connection) as tx:
            await tx.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX {self._quote(name)} ON {target}")
        return name

    async def drop_index(self, name: str, connection: Connection | None = None) -> None:
        """The index; fine when it is gone already."""
        async with self._change(connection) as tx:
            await tx.execute(f"DROP INDEX IF EXISTS {self.qualified(name)}")

    def qualified(self, name: str) -> str:
        """The quoted name with its schema."""
        schema = self._database.schema
        return f"{self._quote(schema)}.{self._quote(name)}" if schema else self._quote(name)

    async def _rebuild(self, table: sa.Table, tx: Connection) -> None:
        """SQLite alters a table by copying it into a new one."""
        present = await self.columns(table.name, tx)
        unknown = [name for name in present if name not in table.c]
        if unknown:
            raise UnknownColumn(f"The description of {table.name} lacks its columns {', '.join(unknown)}.")
        indexes = await tx.fetch_all(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
            (table.name,),
        )
        fresh = table.to_metadata(sa.MetaData(), name=f"atoll_new_{table.name}")
        names = ", ".join(map(self._quote, present))
        old, new = self._quote(table.name), self._quote(fresh.name)
        await tx.execute("PRAGMA defer_foreign_keys=ON")
        await self._database.run(CreateTable(fresh), connection=tx)
        await tx.execute(f"INSERT INTO {new} ({names}) SELECT {names} FROM {old}")  # noqa: S608 - quoted names
        await tx.execute(f"DROP TABLE {old}")
        await tx.execute(f"ALTER TABLE {new} RENAME TO {old}")
        for (sql,) in indexes:
            await tx.execute(sql)

    async def _check_types(self, column: sa.Column[object], tx: Connection) -> None:
        """SQLite keeps a value that it cannot convert as it is: that is an error elsewhere, and here."""
        fitting = {
            sa.Integer: "'integer'",
            sa.Boolean: "'integer'",
            sa.Numeric: "'integer', 'real'",
            sa.String: "'text'",
        }
        name = self._quote(column.name)
        kinds = next((kinds for kind, kinds in fitting.items() if isinstance(column.type, kind)), None)
        wrong = f"typeof({name}) NOT IN ({kinds})" if kinds else f"{name} IS NOT NULL"
        rows = f"FROM {self._quote(column.table.name)} WHERE {name} IS NOT NULL AND {wrong}"
        if await tx.fetch_one(f"SELECT 1 {rows} LIMIT 1"):
            raise InvalidValue(f"Values of {column.name} cannot be converted. Correct or remove them first.")

    @asynccontextmanager
    async def _change(self, connection: Connection | None) -> AsyncIterator[Connection]:
        if connection is not None:
            yield connection
            return
        async with self._database.transaction() as tx:
            yield tx


def index_name(table: str, columns: Sequence[str], *, unique: bool) -> str:
    """The name of an index on these columns: readable, and never longer than databases allow."""
    name = f"{table}_{'_'.join(columns)}_{'uk' if unique else 'ix'}"
    if len(name.encode()) <= LONGEST_NAME:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
    return f"{name.encode()[: LONGEST_NAME - 16].decode(errors='ignore')}_{digest}_{name[-2:]}"

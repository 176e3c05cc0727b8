"""PostgreSQL through asyncpg. Statements are prepared once per connection and kept.

When another session changes a table, kept statements fail; asyncpg prepares them again and repeats the call
once where no transaction runs. Inside a transaction PostgreSQL has given up on it already: the error
reaches the caller, who may repeat the whole transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from typing_extensions import override

from atoll.database.config import DatabaseConfig
from atoll.database.drivers.base import Connection, Database
from atoll.database.drivers.postgres_dialect import AtollPostgresDialect
from atoll.database.drivers.postgres_errors import translate
from atoll.database.drivers.postgres_pool import PostgresPool, PostgresPools, connect_once
from atoll.database.statement import Row
from atoll.errors import DatabaseUnavailable

DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    ValueError,
    TypeError,
    OverflowError,
)

_SECOND_TRY = 0.6
"""The part of its time that `fetch_ahead` leaves for its second connection."""


class PostgresDatabase(Database):
    """One schema (or the search path) of one PostgreSQL database.

    Args:
        pools: where to find the shared pool; None gives this database a pool of its own.
    """

    kind = "postgres"
    transactional_ddl = True
    _read_types = False

    def __init__(self, config: DatabaseConfig, pools: PostgresPools | None = None) -> None:
        super().__init__(config)
        self.dialect = AtollPostgresDialect()
        self._pool: PostgresPool = (pools or PostgresPools()).get(config)
        self._open = False

    @override
    async def open(self) -> None:
        if not self._open:
            self._open = True
            await self._pool.open()

    @override
    async def close(self) -> None:
        if self._open:
            self._open = False
            await self._pool.close()

    @override
    async def fetch_all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        async with self._connection() as connection:
            return await _fetch_all(connection, sql, args)

    @override
    async def fetch_one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        async with self._connection() as connection:
            return await _fetch_one(connection, sql, args)

    @override
    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        async with self._connection() as connection:
            return await _execute(connection, sql, args)

    @override
    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        async with self._connection() as connection:
            await _execute_many(connection, sql, rows)

    @override
    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._connection() as connection:
            await _execute(connection, "BEGIN", ())
            transaction = PostgresTransaction(connection)
            try:
                yield transaction
                await _execute(connection, "COMMIT", ())
            except BaseException:
                await _roll_back(connection)
                raise
            finally:
                transaction.ended = True

    @override
    async def fetch_ahead(self, sql: str, args: Sequence[Any] = (), *, within: float) -> list[Row]:
        """First on a connection of the pool, if one is free; then on one that is kept for this."""
        if not self._open:
            raise DatabaseUnavailable("The database is closed.", detail=self.config.address)
        until = asyncio.get_running_loop().time() + within
        if self._pool.has_free:
            with suppress(DatabaseUnavailable):
                return await self._fetch_until(until - within * _SECOND_TRY, sql, args, spare=False)
        return await self._fetch_until(until, sql, args, spare=True)

    async def _fetch_until(self, deadline: float, sql: str, args: Sequence[Any], *, spare: bool) -> list[Row]:
        within = deadline - asyncio.get_running_loop().time()
        async with self._pool.connection(within=within, spare=spare) as connection:
            try:
                async with asyncio.timeout_at(deadline):
                    return await _fetch_all(connection, sql, args)
            except TimeoutError as error:
                _throw_away(connection)  # what it was asked may never be answered
                raise translate(error, sql) from error

    @override
    @asynccontextmanager
    async def exclusive(self, key: str) -> AsyncIterator[None]:
        """An advisory lock on a connection of its own, freed by the server when that connection ends."""
        number = advisory_number(self.schema, key)
        connection = await connect_once(self.config, patient=True)
        holder = asyncio.current_task()
        lost = False
        done = False

        def on_end(_: Any) -> None:
            nonlocal lost
            if not done and holder is not None:
                lost = True
                holder.cancel()

        try:
            try:
                await connection.execute("SELECT pg_advisory_lock($1)", number)
            except DRIVER_ERRORS as error:
                raise translate(error, "pg_advisory_lock") from error
            connection.add_termination_listener(on_end)
            try:
                yield
            except asyncio.CancelledError:
                if not lost or holder is None or holder.uncancel() > 0:
                    raise
                raise DatabaseUnavailable(
                    "The connection that kept others away was lost; the work was stopped. Try again.",
                    detail=f"advisory lock for {key!r}",
                ) from None
        finally:
            done = True
            connection.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        if not self._open:
            raise DatabaseUnavailable("The database is closed.", detail=self.config.address)
        async with self._pool.connection() as connection:
            yield connection


class PostgresTransaction(Connection):
    """A pooled connection while a transaction holds it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._savepoints = 0
        self.ended = False

    @override
    async def fetch_all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        return await _fetch_all(self._live(), sql, args)

    @override
    async def fetch_one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        return await _fetch_one(self._live(), sql, args)

    @override
    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        return await _execute(self._live(), sql, args)

    @override
    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        async with self.transaction():
            await _execute_many(self._live(), sql, rows)

    @override
    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        self._savepoints += 1
        name = f"s{self._savepoints}"
        await _execute(self._live(), f"SAVEPOINT {name}", ())
        try:
            yield self
        except BaseException:
            await _roll_back(self._connection, f"ROLLBACK TO {name}; RELEASE {name}")
            raise
        await _execute(self._live(), f"RELEASE {name}", ())

    def _live(self) -> Any:
        if self.ended:
            raise DatabaseUnavailable("The transaction has ended.")
        return self._connection


async def _fetch_all(connection: Any, sql: str, args: Sequence[Any]) -> list[Row]:
    try:
        return list(map(tuple, await connection.fetch(sql, *args)))
    except DRIVER_ERRORS as error:
        raise translate(error, sql) from error


async def _fetch_one(connection: Any, sql: str, args: Sequence[Any]) -> Row | None:
    try:
        record = await connection.fetchrow(sql, *args)
    except DRIVER_ERRORS as error:
        raise translate(error, sql) from error
    return None if record is None else tuple(record)


async def _execute(connection: Any, sql: str, args: Sequence[Any]) -> int:
    try:
        status: str = await connection.execute(sql, *args)
    except DRIVER_ERRORS as error:
        raise translate(error, sql) from error
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


async def _execute_many(connection: Any, sql: str, rows: Iterable[Sequence[Any]]) -> None:
    try:
        await connection.executemany(sql, rows)
    except DRIVER_ERRORS as error:
        raise translate(error, sql) from error


async def _roll_back(connection: Any, statement: str = "ROLLBACK") -> None:
    """Undoes whatever state the connection is in; one that cannot be asked any more is thrown away."""
    try:
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute(statement)
    except asyncio.CancelledError:
        _throw_away(connection)
        raise
    except DRIVER_ERRORS:
        _throw_away(connection)


def _throw_away(connection: Any) -> None:
    with suppress(asyncpg.InterfaceError):  # the pool has taken it back already
        connection.terminate()


def advisory_number(schema: str | None, key: str) -> int:
    """The number of an advisory lock for `key`."""
    digest = hashlib.blake2b(f"{schema or ''}\x00{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)

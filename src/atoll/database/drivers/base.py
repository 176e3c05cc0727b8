"""The contract of a database driver.

Promised
    Outside `transaction()` each call stands for itself: it is applied as a whole and committed when it
    returns, or not at all. A read sees every write that returned before it began, in this process and in
    others. Inside `transaction()` all calls of the given connection see each other's effects; others see
    them after the block has ended. An exception (cancellation too) undoes the block. A transaction inside a
    transaction is a savepoint: its failure undoes only its own part. Calls may be cancelled at any await;
    connections are never left in the middle of something. A write that was cancelled outside a transaction
    has happened as a whole or not at all. Several tasks may use a
    `Database` at once; the connection of one transaction belongs to one task.

Not promised
    Isolation above READ COMMITTED (SQLite: transactions are serial). The order of concurrent writes. What
    became of a COMMIT whose answer was lost (`DatabaseUnavailable`).

Values, the same on every driver, in and out
    | column type                | Python                                                                   |
    |----------------------------|--------------------------------------------------------------------------|
    | String, Text               | str (no NUL characters)                                                  |
    | Integer, BigInteger        | int within 32 / 64 bits                                                  |
    | Float, Double              | float, finite                                                            |
    | Numeric                    | Decimal, out with the column's scale; SQLite keeps 15 digits             |
    | Boolean                    | bool                                                                     |
    | DateTime(timezone=True)    | datetime with a zone in, in UTC out, microseconds                        |
    | DateTime()                 | datetime without zone (wall clock)                                       |
    | Date, Time                 | date, time                                                               |
    | JSON (JSONB on PostgreSQL) | what JSON can say (dict, list, str, number, bool); None is SQL's NULL    |
    | Uuid                       | uuid.UUID out; UUID or its text in                                       |
    | LargeBinary                | bytes                                                                    |
    Values of another kind raise `InvalidValue`. The length of String(n) is enforced by PostgreSQL only: who
    needs it everywhere checks it before. `fetch_*` and `execute` take and give what the driver speaks;
    `compile().bind` and `.read`, or `run`, translate to and from this table.

Errors
    `UniqueViolation`, `NotNullViolation`, `ForeignKeyViolation`, `UnknownColumn` (tables too),
    `InvalidValue`, `DatabaseUnavailable`, `DatabaseRightsMissing`, else `DatabaseError`. SQL and the
    driver's words are in `detail` only.

Life
    `open()` connects to nothing and cannot fail; connections are made when needed and closed when idle, so a
    service that comes late, goes away or restarts needs no restart here. Calls before `open` and after
    `close` raise `DatabaseUnavailable`. `close()` is idempotent and waits for calls under way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

from atoll.database.config import DatabaseConfig
from atoll.database.statement import CompiledStatement, Row, compile_statement


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave.

    Attributes:
        rows: the rows in Python types; empty for statements that return none.
        columns: the rows' column names.
        rowcount: rows returned, or rows changed.
    """

    rows: list[Row]
    columns: tuple[str, ...]
    rowcount: int

    def dicts(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Connection(ABC):
    """Runs statements. SQL text carries the driver's placeholders (`$1` or `?`), values go into `args`."""

    @abstractmethod
    async def fetch_all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """All rows of a statement that returns rows (`INSERT … RETURNING` too)."""

    @abstractmethod
    async def fetch_one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""

    @abstractmethod
    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Runs one statement; the number of rows it changed (0 for DDL)."""

    @abstractmethod
    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Runs one statement for each row of arguments: all of them or none."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """`async with db.transaction() as tx:` commits at the block's end or undoes it on any exception."""


class Database(Connection):
    """One opened database, schema or file."""

    kind: Literal["sqlite", "postgres"]
    dialect: Dialect
    transactional_ddl: bool
    _read_types: bool

    def __init__(self, config: DatabaseConfig) -> None:
        self.config = config
        self.schema = config.schema
        self.table_prefix = config.table_prefix

    @abstractmethod
    async def open(self) -> None:
        """Makes the database usable; connects to nothing yet. Idempotent."""

    @abstractmethod
    async def close(self) -> None:
        """Waits for calls under way and closes every connection. Idempotent."""

    @abstractmethod
    async def fetch_ahead(self, sql: str, args: Sequence[Any] = (), *, within: float) -> list[Row]:
        """As `fetch_all`, for a short question on which everything else waits.

        It waits for none of the calls that are under way, however many they are, and survives one connection
        that is dead without knowing it.

        Raises:
            DatabaseUnavailable: also when there was no answer within that many seconds.
        """

    @abstractmethod
    def exclusive(self, key: str) -> AbstractAsyncContextManager[None]:
        """Only one block of one `key` at a time, among all processes that use this database (and schema).

        Waits without limit; use `asyncio.timeout` around it. Ends with the process that holds it, however
        that dies. When the connection that holds it is lost (PostgreSQL), the block is cancelled and
        `DatabaseUnavailable` raised.
        """

    async def ping(self) -> None:
        """Raises `DatabaseUnavailable` unless the database answers."""
        await self.fetch_one("SELECT 1")

    def compile(self, statement: ClauseElement, keys: Sequence[str] | None = None) -> CompiledStatement:
        """A SQLAlchemy Core statement (DDL too) as text and binder; takes 0.1-0.5 ms, so keep the result.

        Args:
            keys: the columns that will be given, for `insert(table)` and `update(table)` without `values()`.
        """
        return compile_statement(self.dialect, statement, self.schema, keys, read_types=self._read_types)

    async def run(
        self,
        statement: ClauseElement,
        params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        *,
        connection: Connection | None = None,
    ) -> Result:
        """Compiles and runs, for cold paths. A list of params runs the statement for each (no rows back)."""
        where = connection or self
        if isinstance(params, Mapping) or params is None:
            compiled = self.compile(statement, list(params) if params else None)
            args = compiled.bind(params)
            if compiled.columns:
                rows = compiled.read(await where.fetch_all(compiled.sql, args))
                return Result(rows, compiled.columns, len(rows))
            return Result([], (), await where.execute(compiled.sql, args))
        if not params:
            return Result([], (), 0)
        compiled = self.compile(statement, list(params[0]))
        await where.execute_many(compiled.sql, [compiled.bind(each) for each in params])
        return Result([], (), len(params))

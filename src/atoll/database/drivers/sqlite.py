"""SQLite: one writing connection and a few reading ones per file, opened on demand, closed when idle."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from typing_extensions import override

from atoll.database.config import DatabaseConfig
from atoll.database.drivers.base import Connection, Database
from atoll.database.drivers.sqlite_dialect import AtollSQLiteDialect
from atoll.database.drivers.sqlite_lane import Lane, SlowTexts
from atoll.database.statement import Row
from atoll.errors import DatabaseUnavailable

T = TypeVar("T")
CHECKPOINT_AFTER_WRITES = 500
CHECKPOINT_AFTER_SECONDS = 1.0
_READS = re.compile(
    r"\s*(SELECT|VALUES|EXPLAIN|WITH(?!.*\b(INSERT|UPDATE|DELETE|REPLACE)\b))\b", re.IGNORECASE | re.DOTALL
)
_DDL = re.compile(r"\s*(CREATE|ALTER|DROP|PRAGMA|REINDEX|VACUUM)\b", re.IGNORECASE)


def _all(sql: str, args: Sequence[Any]) -> Callable[[sqlite3.Connection], list[Row]]:
    return lambda connection: connection.execute(sql, args).fetchall()


def _one(sql: str, args: Sequence[Any]) -> Callable[[sqlite3.Connection], Row | None]:
    def work(connection: sqlite3.Connection) -> Row | None:
        cursor = connection.execute(sql, args)
        row: Row | None = cursor.fetchone()
        if row is not None:
            cursor.fetchall() if not _READS.match(sql) else cursor.close()
        return row

    return work


def _count(sql: str, args: Sequence[Any]) -> Callable[[sqlite3.Connection], int]:
    def work(connection: sqlite3.Connection) -> int:
        cursor = connection.execute(sql, args)
        if cursor.description is not None:
            return len(cursor.fetchall())
        return max(cursor.rowcount, 0)

    return work


def _each(sql: str, rows: list[Sequence[Any]]) -> Callable[[sqlite3.Connection], None]:
    def work(connection: sqlite3.Connection) -> None:
        nested = connection.in_transaction
        connection.execute("SAVEPOINT every" if nested else "BEGIN IMMEDIATE")
        try:
            connection.executemany(sql, rows)
            connection.execute("RELEASE every" if nested else "COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK TO every" if nested else "ROLLBACK")
            raise

    return work


class SQLiteDatabase(Database):
    """One file. Reads use connections of their own and never wait for writes; writes happen one by one."""

    kind = "sqlite"
    transactional_ddl = True
    _read_types = True

    def __init__(self, config: DatabaseConfig) -> None:
        super().__init__(config)
        if config.storage is None:
            raise ValueError("a SQLite database needs `storage`")
        self.dialect = AtollSQLiteDialect()
        self.path = config.storage
        self._open = False
        self._slow = SlowTexts()
        self._writer = self._lane(reading=False)
        self._writing = asyncio.Lock()
        self._idle_readers: list[Lane] = []
        self._readers = asyncio.Semaphore(config.pool_max)
        self._calls = 0
        self._no_calls = asyncio.Event()
        self._no_calls.set()
        self._unsaved = 0
        self._saving: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    @override
    async def open(self) -> None:
        self._open = True

    @override
    async def close(self) -> None:
        self._open = False
        await self._no_calls.wait()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in (self._saving, self._closing):
            if task is not None:
                await asyncio.wait([task])
        await self._close_lanes(float("inf"))

    @override
    async def fetch_all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        return await self._run(sql, args, _all(sql, args))

    @override
    async def fetch_one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        return await self._run(sql, args, _one(sql, args))

    @override
    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        return await self._run(sql, args, _count(sql, args))

    @override
    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        async with self._in_use(), self._writing:
            await self._write(sql, _each(sql, list(rows)), in_loop=False)

    @override
    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._in_use(), self._writing:
            lane = self._writer
            transaction = SQLiteTransaction(lane)
            try:
                await lane.run("BEGIN IMMEDIATE", _count("BEGIN IMMEDIATE", ()), stoppable=False)
                yield transaction
                await lane.run("COMMIT", _count("COMMIT", ()), stoppable=False, in_loop=not transaction.heavy)
            except BaseException:
                if lane.connection is not None and lane.connection.in_transaction:
                    lane.connection.execute("ROLLBACK")
                raise
            finally:
                transaction.ended = True
                self._wrote()

    @override
    async def fetch_ahead(self, sql: str, args: Sequence[Any] = (), *, within: float) -> list[Row]:
        try:
            async with asyncio.timeout(within), self._in_use():
                return await self._read(sql, _all(sql, args))
        except TimeoutError as error:
            raise DatabaseUnavailable(
                "The file of the database cannot be read in time. Look at its disk.", detail=str(self.path)
            ) from error

    @override
    @asynccontextmanager
    async def exclusive(self, key: str) -> AsyncIterator[None]:
        """A lock on a file beside the database; the system frees it when its process ends."""
        name = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
        path = self.path.with_name(f"{self.path.name}.{name}.lock")
        try:
            held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DatabaseUnavailable(
                "The folder of the database file cannot be written.", detail=str(error)
            ) from error
        try:
            pause = 0.002
            while True:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, 0.1)
            yield
        finally:
            os.close(held)

    def _lane(self, *, reading: bool) -> Lane:
        timeout = self.config.busy_timeout
        return Lane(self.path, reading=reading, slow=self._slow, busy_timeout=timeout)

    @asynccontextmanager
    async def _in_use(self) -> AsyncIterator[None]:
        if not self._open:
            raise DatabaseUnavailable("The database is closed.", detail=str(self.path))
        self._calls += 1
        self._no_calls.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._no_calls.set()
            if self._timer is None and self._open:
                self._timer = asyncio.get_running_loop().call_later(CHECKPOINT_AFTER_SECONDS, self._tick)

    async def _run(self, sql: str, args: Sequence[Any], work: Callable[[sqlite3.Connection], T]) -> T:
        if _READS.match(sql):
            async with self._in_use(), self._readers:
                return await self._read(sql, work)
        async with self._in_use(), self._writing:
            short = not _DDL.match(sql) and self._writer.touches_one_row(sql, args)
            return await self._write(sql, work, in_loop=short)

    async def _read(self, sql: str, work: Callable[[sqlite3.Connection], T]) -> T:
        # Until a writing connection has made the file, there is nothing to open for reading.
        if self._writer.connection is None and not self.path.exists():
            async with self._writing:
                return await self._write(sql, work, in_loop=False)
        lane = self._idle_readers.pop() if self._idle_readers else self._lane(reading=True)
        try:
            return await lane.run(sql, work, stoppable=True)
        finally:
            self._idle_readers.append(lane)

    async def _write(self, sql: str, work: Callable[[sqlite3.Connection], T], *, in_loop: bool) -> T:
        try:
            return await self._writer.run(sql, work, stoppable=False, in_loop=in_loop)
        finally:
            if _DDL.match(sql):
                self._writer.forget_plans()
            self._wrote()

    def _wrote(self) -> None:
        self._unsaved += 1
        if self._unsaved >= CHECKPOINT_AFTER_WRITES:
            self._save()

    def _save(self) -> None:
        if self._saving is None or self._saving.done():
            self._unsaved = 0
            self._saving = asyncio.create_task(self._checkpoint(), name="sqlite:checkpoint")

    async def _checkpoint(self) -> None:
        """Writes the log back into the file, in a thread and beside readers and writers."""
        lane = Lane(self.path, reading=False, slow=self._slow, busy_timeout=self.config.busy_timeout)
        sql = "PRAGMA wal_checkpoint(PASSIVE)"
        try:
            await lane.run(sql, _all(sql, ()), stoppable=True, in_loop=False)
        finally:
            await lane.close()

    def _tick(self) -> None:
        self._timer = None
        if not self._open:
            return
        if self._unsaved:
            self._save()
        if self._closing is None or self._closing.done():
            idle_since = time.monotonic() - self.config.pool_idle
            if self._has_idle(idle_since):
                self._closing = asyncio.create_task(self._close_lanes(idle_since), name="sqlite:close-idle")
        if self._writer.connection is not None or self._idle_readers:
            self._timer = asyncio.get_running_loop().call_later(CHECKPOINT_AFTER_SECONDS, self._tick)

    def _has_idle(self, since: float) -> bool:
        lanes = (self._writer, *self._idle_readers)
        return any(lane.connection is not None and lane.used_at < since for lane in lanes)

    async def _close_lanes(self, idle_since: float) -> None:
        for lane in tuple(self._idle_readers):
            if lane.used_at < idle_since and lane in self._idle_readers:
                self._idle_readers.remove(lane)
                await lane.close()
        if self._writer.used_at < idle_since:
            async with self._writing:
                await self._writer.close()


class SQLiteTransaction(Connection):
    """The writing connection while a transaction holds it."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._savepoints = 0
        self.heavy = False
        self.ended = False

    @override
    async def fetch_all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        return await self._run(sql, args, _all(sql, args))

    @override
    async def fetch_one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        return await self._run(sql, args, _one(sql, args))

    @override
    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        return await self._run(sql, args, _count(sql, args))

    @override
    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._check()
        self.heavy = True
        await self._lane.run(sql, _each(sql, list(rows)), stoppable=False, in_loop=False)

    @override
    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        self._check()
        self._savepoints += 1
        name = f"s{self._savepoints}"
        await self._lane.run("SAVEPOINT", _count(f"SAVEPOINT {name}", ()), stoppable=False)
        try:
            yield self
        except BaseException:
            # In the loop and at once: nothing may come between a failure and its undoing.
            if self._lane.connection is not None and self._lane.connection.in_transaction:
                self._lane.connection.execute(f"ROLLBACK TO {name}")
                self._lane.connection.execute(f"RELEASE {name}")
            raise
        await self._lane.run("RELEASE", _count(f"RELEASE {name}", ()), stoppable=False)

    async def _run(self, sql: str, args: Sequence[Any], work: Callable[[sqlite3.Connection], T]) -> T:
        self._check()
        if _READS.match(sql):
            return await self._lane.run(sql, work, stoppable=True)
        if _DDL.match(sql):
            self._lane.forget_plans()
            self.heavy = True
            return await self._lane.run(sql, work, stoppable=False, in_loop=False)
        short = self._lane.touches_one_row(sql, args)
        self.heavy = self.heavy or not short
        return await self._lane.run(sql, work, stoppable=False, in_loop=short)

    def _check(self) -> None:
        if self.ended or self._lane.connection is None or not self._lane.connection.in_transaction:
            raise DatabaseUnavailable("The transaction has ended.")

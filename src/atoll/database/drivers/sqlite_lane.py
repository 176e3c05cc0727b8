"""One SQLite connection, used by one caller at a time, that never holds up the event loop for long.

A short statement takes 10-50 µs, a hop to a thread and back as long again or more (measured: 65,000 reads
of one row a second in the loop, 7,000 through threads). So reads start in the loop with a time limit that
SQLite itself checks every thousand steps. One that exceeds it is stopped and runs again in a thread; its
text is remembered and goes to a thread at once from then on. Writes are never stopped: SQLite also asks
after a statement has committed, so a stopped write may have happened. They run in the loop when by their
plan they touch one row, else in a thread.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from atoll.database.drivers.sqlite_errors import primary_code, translate
from atoll.errors import DatabaseUnavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

LOOP_LIMIT = 0.002  # seconds a statement may hold the loop
STEPS_BETWEEN_CHECKS = 1000
REMEMBERED_TEXTS = 512
PREPARED_STATEMENTS = 200
_ONE_ROW_INSERT = re.compile(r"\s*INSERT\b(?!.*\bSELECT\b)", re.IGNORECASE | re.DOTALL)
_SEARCH = re.compile(
    r"SEARCH \S+ USING (?:INTEGER PRIMARY KEY \(rowid=\?\)|(?:COVERING )?INDEX (\S+) \((.*)\))$"
)


class SlowTexts:
    """The statements of one database that took longer than the loop can spare."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, sql: str) -> bool:
        return sql in self._texts

    def add(self, sql: str) -> None:
        """Remembers a text, forgetting the oldest above the limit."""
        self._texts[sql] = None
        if len(self._texts) > REMEMBERED_TEXTS:
            self._texts.popitem(last=False)

    def discard(self, sql: str) -> None:
        """A text that has become quick may run in the loop again."""
        self._texts.pop(sql, None)


class Lane:
    """One connection, opened on first use.

    Args:
        path: the file; must exist unless `create`.
        reading: refuse writes.
        busy_timeout: seconds to wait for another process that writes.
    """

    def __init__(self, path: Path, *, reading: bool, slow: SlowTexts, busy_timeout: float) -> None:
        self._path = path
        self._reading = reading
        self._slow = slow
        self._busy_timeout = busy_timeout
        self._deadline = float("inf")
        self._one_row: dict[str, bool] = {}
        self._held = 0.0
        self.connection: sqlite3.Connection | None = None
        self.used_at = 0.0

    async def run(self, sql: str, work: Work[T], *, stoppable: bool, in_loop: bool = True) -> T:
        """Runs `work`, which executes `sql`; waits while another process writes.

        Args:
            stoppable: it only reads, so it may be stopped half-way and begun again.
            in_loop: False sends it to a thread at once.
        """
        self.used_at = started = time.monotonic()
        pause = 0.001
        if self._held > LOOP_LIMIT * 2:
            self._held = 0.0
            await asyncio.sleep(0)  # a caller with thousands of short statements in a row lets others in, too
        while True:
            in_loop = in_loop and self.connection is not None and sql not in self._slow
            try:
                if in_loop:
                    return self._now(sql, work, stoppable=stoppable)
                return await self._in_thread(sql, work)
            except sqlite3.Error as error:
                code = primary_code(error)
                if code == sqlite3.SQLITE_INTERRUPT and in_loop:
                    self._slow.add(sql)
                    continue
                if code != sqlite3.SQLITE_BUSY or time.monotonic() - started > self._busy_timeout:
                    raise translate(error, sql) from error
            except (UnicodeError, ValueError) as error:
                raise translate(error, sql) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)

    def touches_one_row(self, sql: str, args: Any) -> bool:
        """Whether a write can only ever change one row, by its text or by SQLite's plan for it."""
        known = self._one_row.get(sql)
        if known is None:
            if self.connection is None:
                return False
            if len(self._one_row) > REMEMBERED_TEXTS:
                self._one_row.clear()
            try:
                known = _ONE_ROW_INSERT.match(sql) is not None or self._plan_is_lookup(sql, args)
            except (sqlite3.Error, ValueError):
                return False  # the statement itself will say what is wrong with it
            self._one_row[sql] = known
        return known

    def forget_plans(self) -> None:
        """After a change of the schema."""
        self._one_row.clear()

    async def close(self) -> None:
        """Closes the connection; the last one of a file writes the log back into it, hence the thread."""
        connection, self.connection = self.connection, None
        if connection is not None:
            await _finished(asyncio.get_running_loop().run_in_executor(None, connection.close))

    def _now(self, sql: str, work: Work[T], *, stoppable: bool) -> T:
        connection = self._connect()
        started = time.monotonic()
        self._deadline = started + LOOP_LIMIT if stoppable else float("inf")
        try:
            return work(connection)
        finally:
            self._deadline = float("inf")
            took = time.monotonic() - started
            self._held += took
            if took > LOOP_LIMIT * 2:
                self._slow.add(sql)

    async def _in_thread(self, sql: str, work: Work[T]) -> T:
        def task() -> tuple[T, float]:
            connection = self._connect()
            started = time.monotonic()
            return work(connection), time.monotonic() - started

        future = asyncio.get_running_loop().run_in_executor(None, task)
        try:
            result, took = await asyncio.shield(future)
        except asyncio.CancelledError:
            if self.connection is not None:
                self.connection.interrupt()
            await _finished(future, keep_error=False)
            raise
        if took < LOOP_LIMIT / 4:
            self._slow.discard(sql)
        return result

    def _connect(self) -> sqlite3.Connection:
        if self.connection is None:
            self.connection = connect_file(self._path, reading=self._reading)
            self.connection.set_progress_handler(self._over_limit, STEPS_BETWEEN_CHECKS)
        return self.connection

    def _over_limit(self) -> bool:
        return time.monotonic() > self._deadline

    def _plan_is_lookup(self, sql: str, args: Any) -> bool:
        if self.connection is None:
            return False
        steps = self.connection.execute(f"EXPLAIN QUERY PLAN {sql}", args).fetchall()
        return bool(steps) and all(self._is_lookup(str(step[3])) for step in steps)

    def _is_lookup(self, step: str) -> bool:
        found = _SEARCH.fullmatch(step)
        if found is None or self.connection is None:
            return False
        index, terms = found.groups()
        if index is None:
            return True
        unique = (
            "SELECT 1 FROM sqlite_master m, pragma_index_list(m.name) i WHERE "
            "m.type='table' AND i.name=? AND i.\"unique\""
        )
        if self.connection.execute(unique, (index,)).fetchone() is None:
            return False
        width = self.connection.execute("SELECT count(*) FROM pragma_index_info(?)", (index,)).fetchone()[0]
        return terms.count("=?") == width and ">" not in terms and "<" not in terms


def connect_file(path: Path, *, reading: bool) -> sqlite3.Connection:
    """A connection with Atoll's settings. The file comes into being on the first writing connection.

    The log is written back by `wal_checkpoint` in a thread (sqlite.py), never by a commit in the loop. NORMAL
    keeps the file sound on power loss; the last commits before it may be lost, as in other SQLite servers.
    """
    if not path.parent.is_dir():
        raise DatabaseUnavailable("The folder of the database file does not exist.", detail=str(path))
    mode = "rw" if reading else "rwc"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=0,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=PREPARED_STATEMENTS,
    )
    try:
        if not reading:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA foreign_keys=ON")
        else:
            connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        # SQLite's own know ASCII only; searches without case must find the same rows as on PostgreSQL.
        connection.create_function("lower", 1, _lower, deterministic=True)
        connection.create_function("upper", 1, _upper, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


async def _finished(future: asyncio.Future[Any], *, keep_error: bool = True) -> None:
    """Waits until `future` has ended, whatever cancels the waiting; a cancellation is raised afterwards."""
    cancelled = False
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            cancelled = True
    error = future.exception()
    if cancelled:
        raise asyncio.CancelledError
    if error is not None and keep_error:
        raise error

"""SQLite: the loop stays free, idle connections close, other processes are waited for."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from atoll.database.config import DatabaseConfig
from atoll.database.drivers import Database, connect
from atoll.database.drivers.sqlite import CHECKPOINT_AFTER_WRITES, SQLiteDatabase
from atoll.errors import DatabaseUnavailable, UniqueViolation
from atoll.testing.processes import eventually

pytestmark = pytest.mark.anyio
PATIENCE = 15.0
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) "


@pytest.fixture
async def database(anyio_backend: str, sqlite_config: DatabaseConfig) -> Database:
    database = connect(sqlite_config)
    await database.open()
    await database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, n INTEGER)")
    return database


class Ticks:
    """Counts how often the loop comes around."""

    def __init__(self) -> None:
        self.count = 0

    async def run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "sql",
    [
        NUMBERS + "SELECT count(*) FROM n",
        "INSERT INTO t (id, n) " + NUMBERS + "SELECT i, i FROM n",
    ],
)
async def test_a_long_statement_leaves_the_loop_free(database: Database, sql: str) -> None:
    ticks = Ticks()
    ticking = asyncio.create_task(ticks.run())
    await asyncio.sleep(0)
    before = ticks.count
    await database.execute(sql)
    assert ticks.count - before > 20
    async with database.transaction() as tx:
        before = ticks.count
        await tx.execute("UPDATE t SET n = n + 1")
        await tx.fetch_all(NUMBERS + "SELECT count(*) FROM n")
        assert ticks.count - before > 5
    ticking.cancel()
    await database.close()


async def test_thousands_of_short_statements_let_others_in(database: Database) -> None:
    ticks = Ticks()
    ticking = asyncio.create_task(ticks.run())
    await asyncio.sleep(0)
    before = ticks.count
    for number in range(3000):
        await database.execute("INSERT INTO t (id) VALUES (?)", (number,))
    assert ticks.count - before > 3
    ticking.cancel()
    await database.close()


async def test_one_row_writes_by_plan(database: Database) -> None:
    assert isinstance(database, SQLiteDatabase)
    lane = database._writer
    await database.execute("CREATE TABLE two (a, b, c, UNIQUE (a, b))")
    short = {
        "INSERT INTO t VALUES (?, ?, ?)": (1, "a", 1),
        "UPDATE t SET n = ? WHERE id = ?": (1, 1),
        "DELETE FROM t WHERE a = ?": ("a",),
        "UPDATE two SET c = 1 WHERE a = ? AND b = ?": (1, 2),
    }
    long = {
        "UPDATE t SET n = ? WHERE n = ?": (1, 1),
        "DELETE FROM t WHERE id > ?": (1,),
        "DELETE FROM t": (),
        "UPDATE two SET c = 1 WHERE a = ?": (1,),
        "INSERT INTO t SELECT id + 1, a, n FROM t": (),
        "DELETE FROM t WHERE id IN (SELECT value FROM json_each(?))": ("[1]",),
        "UPDATE t SET n = (SELECT count(*) FROM t) WHERE id = ?": (1,),
    }
    assert [sql for sql, args in short.items() if not lane.touches_one_row(sql, args)] == []
    assert [sql for sql, args in long.items() if lane.touches_one_row(sql, args)] == []
    await database.close()


async def test_idle_connections_close_and_open_again(
    database: Database, sqlite_config: DatabaseConfig
) -> None:
    await database.close()
    idle = SQLiteDatabase(replace(sqlite_config, pool_idle=0.1))
    await idle.open()
    await idle.execute("INSERT INTO t (id) VALUES (1)")
    await idle.fetch_all("SELECT * FROM t")

    async def closed() -> bool:
        return idle._writer.connection is None and not idle._idle_readers and idle._timer is None

    await eventually(closed, within=PATIENCE, what="connections close and no timer is left")
    assert await idle.fetch_one("SELECT count(*) FROM t") == (1,)
    await idle.close()


async def test_the_log_is_written_back_while_writing(database: Database) -> None:
    assert isinstance(database, SQLiteDatabase)
    log = database.path.with_name(database.path.name + "-wal")
    largest = 0
    for number in range(CHECKPOINT_AFTER_WRITES * 6):
        await database.execute("INSERT INTO t (id, a) VALUES (?, ?)", (number, f"{number}" * 50))
        if number % CHECKPOINT_AFTER_WRITES == CHECKPOINT_AFTER_WRITES - 1:
            largest = max(largest, log.stat().st_size)
            await asyncio.sleep(0.05)
    written_without = CHECKPOINT_AFTER_WRITES * 6 * 3 * 4096
    assert largest < written_without
    await database.close()
    assert not log.exists()


async def test_another_process_that_writes_is_waited_for(
    database: Database, sqlite_config: DatabaseConfig
) -> None:
    assert sqlite_config.storage is not None
    with closing(sqlite3.connect(sqlite_config.storage, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(database.execute("INSERT INTO t (id) VALUES (1)"))
        await asyncio.sleep(0.1)
        assert not writing.done()
        assert await database.fetch_one("SELECT count(*) FROM t") == (0,)
        other.execute("COMMIT")
        assert await writing == 1
        hasty = connect(replace(sqlite_config, busy_timeout=0.1))
        await hasty.open()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable):
            await hasty.execute("INSERT INTO t (id) VALUES (2)")
        with pytest.raises(DatabaseUnavailable):
            async with hasty.transaction():
                pass
        other.execute("ROLLBACK")
        await hasty.execute("INSERT INTO t (id) VALUES (2)")
        await hasty.close()
    await database.close()


async def test_rows_are_not_written_twice_under_load(database: Database) -> None:
    async def write(start: int) -> None:
        for number in range(start, start + 200):
            await database.execute("INSERT INTO t (id, a) VALUES (?, ?)", (number, str(number)))
            await database.execute("UPDATE t SET n = coalesce(n, 0) + 1 WHERE id <= ?", (number,))

    await asyncio.gather(*(write(start) for start in range(0, 2000, 200)))
    row = await database.fetch_one("SELECT count(*), max(n) FROM t")
    assert row is not None
    assert row[0] == 2000
    assert row[1] <= 2000
    with pytest.raises(UniqueViolation):
        await database.execute("INSERT INTO t (id, a) VALUES (9999, '5')")
    await database.close()


async def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is not a database, whatever it may be called " * 100)
    for path in (tmp_path / "missing" / "a.sqlite", tmp_path / "text", tmp_path):
        database = connect(DatabaseConfig("sqlite", storage=path))
        await database.open()
        with pytest.raises(DatabaseUnavailable):
            await database.fetch_one("SELECT 1 FROM sqlite_master")
        with pytest.raises(DatabaseUnavailable):
            await database.execute("CREATE TABLE t (id)")
        await database.close()


async def test_a_file_with_odd_characters_in_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "ä b?c#d%20"
    folder.mkdir()
    database = connect(DatabaseConfig("sqlite", storage=folder / "x y.sqlite"))
    await database.open()
    await database.execute("CREATE TABLE t (id)")
    assert await database.fetch_all("SELECT * FROM t") == []
    await database.close()
    assert [path.name for path in folder.iterdir()] == ["x y.sqlite"]

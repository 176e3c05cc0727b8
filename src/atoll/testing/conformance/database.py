"""What every database driver must do (drivers/base.py says it in words).

The test module gives a fixture `database`: an opened `Database` on an empty database of its own, and
`second_database`: another one on the same database, as another process would have it.
"""

from __future__ import annotations

import asyncio
import pickle
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateTable, DropTable

from atoll.database.drivers import Connection, Database, connect
from atoll.errors import (
    DatabaseError,
    DatabaseUnavailable,
    ForeignKeyViolation,
    InvalidValue,
    NotNullViolation,
    UniqueViolation,
    UnknownColumn,
)

PATIENCE = 15.0
METADATA = sa.MetaData()
THINGS = sa.Table(
    "things",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("title", sa.String(255)),
    sa.Column("body", sa.Text),
    sa.Column("count", sa.Integer),
    sa.Column("price", sa.Numeric(12, 2)),
    sa.Column("weight", sa.Double),
    sa.Column("done", sa.Boolean),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("local", sa.DateTime()),
    sa.Column("day", sa.Date),
    sa.Column("hour", sa.Time),
    sa.Column("more", sa.JSON().with_variant(JSONB(), "postgresql")),
    sa.Column("uid", sa.Uuid),
    sa.Column("data", sa.LargeBinary),
)
PAIRS = sa.Table(
    "pairs",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("camelCase", sa.String(20), nullable=False),
    sa.Column("other", sa.String(20)),
    sa.Column("thing", sa.BigInteger, sa.ForeignKey("things.id")),
    sa.UniqueConstraint("camelCase", "other"),
)
TEXTS = [
    "",
    "plain",
    "ünïcödé 漢字 🙂",
    "'; DROP TABLE things; --",
    "$1 ? :x %s %(x)s",
    "a\nb\t\\",
    '"quoted"',
]
WRITTEN: dict[str, Any] = {
    "title": "ünïcödé 漢字 🙂",
    "body": "x" * 100_000,
    "count": -(2**31),
    "price": Decimal("1234567.89"),
    "weight": 0.1,
    "done": True,
    "at": datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=8))),
    "local": datetime(1999, 12, 31, 1, 2, 3, 4),  # noqa: DTZ001 - the column has no zone
    "day": date(1, 1, 1),
    "hour": time(23, 59, 59, 999999),
    "more": {"a": [1, 2.5, None, True, {"b": "ä"}], "": ""},
    "uid": UUID("12345678-1234-5678-1234-567812345678"),
    "data": b"\x00\xff\x00",
}


@pytest.mark.anyio
class DatabaseConformance:
    """The suite."""

    @pytest.fixture
    async def db(self, database: Database) -> AsyncIterator[Database]:
        """The database with the suite's tables."""
        await database.run(CreateTable(THINGS))
        await database.run(CreateTable(PAIRS))
        yield database

    # --- values ---

    async def test_values_come_back_as_the_documented_types(self, db: Database) -> None:
        """Every column type, in and out."""
        await db.run(sa.insert(THINGS), {"id": 2**62, **WRITTEN})
        (row,) = (await db.run(sa.select(THINGS))).dicts()
        assert row == {"id": 2**62, **WRITTEN}
        for name, value in WRITTEN.items():
            assert isinstance(row[name], type(value)), name
        assert row["at"].utcoffset() == timedelta(0)
        assert str(row["price"]) == "1234567.89"

    async def test_none_is_null_in_every_column(self, db: Database) -> None:
        """JSON too: not the JSON text null."""
        await db.run(sa.insert(THINGS), {"id": 1, **dict.fromkeys(WRITTEN)})
        (row,) = (await db.run(sa.select(THINGS))).dicts()
        assert row == {"id": 1, **dict.fromkeys(WRITTEN)}
        nulls = sa.select(sa.func.count()).where(THINGS.c.more.is_(sa.null()))
        assert (await db.run(nulls)).rows == [(1,)]

    @pytest.mark.parametrize("text", TEXTS)
    async def test_text_is_never_read_as_sql(self, db: Database, text: str) -> None:
        """What people type goes in, is found and comes out unchanged."""
        await db.run(sa.insert(THINGS), {"id": 1, "title": text})
        assert (await db.run(sa.select(THINGS.c.title).where(THINGS.c.title == text))).rows == [(text,)]

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("title", 5),
            ("title", "nul \x00"),
            ("title", "lone surrogate \ud800"),
            ("count", 2**31),
            ("count", "5"),
            ("id", 2**63),
            ("price", "five"),
            ("weight", "heavy"),
            ("at", "2024-01-01"),
            ("day", "2024-01-01"),
            ("more", {"x": object()}),
            ("uid", "not a uuid"),
            ("data", "text"),
        ],
    )
    async def test_values_of_another_kind_are_refused(self, db: Database, column: str, value: object) -> None:
        """With the same error everywhere, and nothing is written."""
        with pytest.raises(InvalidValue):
            await db.run(sa.insert(THINGS), {"id": 1, column: value})
        assert (await db.run(sa.select(THINGS.c.id))).rows == []

    async def test_numbers_are_kept_with_their_scale(self, db: Database) -> None:
        """Whole and small ones."""
        for number, price in enumerate(("0", "1.1", "-0.01", "9999999999.99", "100")):
            await db.run(sa.insert(THINGS), {"id": number, "price": Decimal(price)})
        rows = (await db.run(sa.select(THINGS.c.price).order_by(THINGS.c.price))).rows
        assert [str(price) for (price,) in rows] == ["-0.01", "0.00", "1.10", "100.00", "9999999999.99"]

    async def test_letters_without_case(self, db: Database) -> None:
        """Of all languages."""
        await db.run(sa.insert(THINGS), {"id": 1, "title": "GRÖSSE Éa ЖУК"})
        for part in ("größe".replace("ß", "ss"), "éA", "жук"):
            found = sa.select(THINGS.c.id).where(THINGS.c.title.ilike(f"%{part}%"))
            assert (await db.run(found)).rows == [(1,)], part

    async def test_moments_are_ordered_and_compared_as_moments(self, db: Database) -> None:
        """Whatever zone they were written in."""
        base = datetime(2024, 1, 1, 12, tzinfo=UTC)
        written = [base.astimezone(timezone(timedelta(hours=h))) + timedelta(minutes=h) for h in (5, -7, 0)]
        for number, moment in enumerate(written):
            await db.run(sa.insert(THINGS), {"id": number, "at": moment})
        query = sa.select(THINGS.c.id).where(THINGS.c.at >= base).order_by(THINGS.c.at)
        assert (await db.run(query)).rows == [(2,), (0,)]

    # --- statements ---

    async def test_a_list_for_in_does_not_change_the_text(self, db: Database) -> None:
        """So the text can be kept and prepared."""
        await db.run(sa.insert(THINGS), [{"id": n, "title": f"t{n}", "uid": UUID(int=n)} for n in range(5)])
        ids = sa.select(THINGS.c.id).order_by(THINGS.c.id)
        found = db.compile(ids.where(THINGS.c.id.in_(sa.bindparam("ids", expanding=True))))
        others = db.compile(ids.where(THINGS.c.title.not_in(sa.bindparam("names", expanding=True))))
        uids = db.compile(ids.where(THINGS.c.uid.in_([UUID(int=1), UUID(int=9)])))
        assert await db.fetch_all(found.sql, found.bind({"ids": [3, 1, 9]})) == [(1,), (3,)]
        assert await db.fetch_all(found.sql, found.bind({"ids": []})) == []
        assert await db.fetch_all(others.sql, others.bind({"names": ["t0", "t1", "'"]})) == [(2,), (3,), (4,)]
        assert len(await db.fetch_all(others.sql, others.bind({"names": []}))) == 5
        assert await db.fetch_all(uids.sql, uids.bind()) == [(1,)]

    async def test_a_compiled_statement_names_columns_and_parameters(self, db: Database) -> None:
        """What callers need to keep it."""
        query = sa.select(THINGS.c.id, THINGS.c.at).where(THINGS.c.id == sa.bindparam("wanted")).limit(3)
        compiled = db.compile(query)
        assert compiled.columns == ("id", "at")
        assert compiled.parameters == ("wanted",)
        with pytest.raises(ValueError, match="wanted"):
            compiled.bind({})

    async def test_counts_of_changed_rows(self, db: Database) -> None:
        """Inserted, updated, deleted, none."""
        assert (await db.run(sa.insert(THINGS), {"id": 1})).rowcount == 1
        await db.run(sa.insert(THINGS), [{"id": 2}, {"id": 3}])
        assert (await db.run(sa.update(THINGS).values(count=1).where(THINGS.c.id > 1))).rowcount == 2
        assert (await db.run(sa.delete(THINGS).where(THINGS.c.id == 9))).rowcount == 0

    async def test_returning_gives_rows(self, db: Database) -> None:
        """From INSERT, UPDATE and DELETE."""
        inserted = await db.run(
            sa.insert(THINGS).returning(THINGS.c.id, THINGS.c.price), {"id": 1, "price": 2}
        )
        assert inserted.rows == [(1, Decimal("2.00"))]
        changed = await db.run(sa.update(THINGS).values(title="x").returning(THINGS.c.title))
        assert changed.rows == [("x",)]
        assert (await db.run(sa.delete(THINGS).returning(THINGS.c.id))).rows == [(1,)]
        assert (await db.run(sa.select(THINGS))).rows == []

    async def test_fetch_one_gives_the_first_row_or_none(self, db: Database) -> None:
        """And leaves nothing open."""
        await db.run(sa.insert(THINGS), [{"id": n} for n in range(3)])
        assert await db.fetch_one("SELECT id FROM things ORDER BY id DESC") == (2,)
        assert await db.fetch_one("SELECT id FROM things WHERE id > 5") is None
        await db.run(DropTable(PAIRS))

    async def test_execute_many_is_all_or_nothing(self, db: Database) -> None:
        """A bad row undoes the good ones before it."""
        with pytest.raises(UniqueViolation):
            await db.run(sa.insert(THINGS), [{"id": 1}, {"id": 2}, {"id": 1}])
        assert (await db.run(sa.select(THINGS.c.id))).rows == []
        async with db.transaction() as tx:
            await db.run(sa.insert(THINGS), {"id": 7}, connection=tx)
            with pytest.raises(UniqueViolation):
                await db.run(sa.insert(THINGS), [{"id": 8}, {"id": 7}], connection=tx)
        assert (await db.run(sa.select(THINGS.c.id))).rows == [(7,)]

    # --- errors ---

    async def test_errors_name_what_is_wrong(self, db: Database) -> None:
        """Columns of constraints, and never SQL in the text for people."""
        await db.run(sa.insert(PAIRS), {"id": 1, "camelCase": "a", "other": "b"})
        with pytest.raises(UniqueViolation) as unique:
            await db.run(sa.insert(PAIRS), {"id": 2, "camelCase": "a", "other": "b"})
        assert unique.value.columns == ("camelCase", "other")
        with pytest.raises(UniqueViolation) as key:
            await db.run(sa.insert(PAIRS), {"id": 1, "camelCase": "x"})
        assert key.value.columns == ("id",)
        with pytest.raises(NotNullViolation) as empty:
            await db.run(sa.insert(PAIRS), {"id": 3})
        assert empty.value.column == "camelCase"
        with pytest.raises(ForeignKeyViolation):
            await db.run(sa.insert(PAIRS), {"id": 3, "camelCase": "x", "thing": 77})
        for wrong in (
            "SELECT nope FROM things",
            "SELECT * FROM nope",
            "INSERT INTO things (nope) VALUES (1)",
        ):
            with pytest.raises(UnknownColumn) as unknown:
                await db.execute(wrong)
            assert "nope" in unknown.value.detail
            assert "SELECT" not in unknown.value.message
        with pytest.raises(DatabaseError):
            await db.execute("SELEC 1")

    # --- visibility and transactions ---

    async def test_writes_are_seen_by_others_when_they_return(
        self, db: Database, second_database: Database
    ) -> None:
        """In this process and in others."""
        for number in range(20):
            await db.run(sa.insert(THINGS), {"id": number})
            assert await second_database.fetch_one("SELECT count(*) FROM things") == (number + 1,)

    async def test_a_transaction_is_seen_whole_at_its_end(
        self, db: Database, second_database: Database
    ) -> None:
        """Its own reads see it before."""
        async with db.transaction() as tx:
            await db.run(sa.insert(THINGS), {"id": 1}, connection=tx)
            assert await tx.fetch_one("SELECT count(*) FROM things") == (1,)
            assert await db.fetch_one("SELECT count(*) FROM things") == (0,)
            assert await second_database.fetch_one("SELECT count(*) FROM things") == (0,)
        assert await second_database.fetch_one("SELECT count(*) FROM things") == (1,)

    async def test_an_exception_undoes_the_transaction(self, db: Database) -> None:
        """Data and, where the database can, tables."""
        with pytest.raises(RuntimeError, match="stop"):
            async with db.transaction() as tx:
                await db.run(sa.insert(THINGS), {"id": 1}, connection=tx)
                if db.transactional_ddl:
                    await tx.execute("CREATE TABLE later (id INTEGER)")
                raise RuntimeError("stop")
        assert await db.fetch_one("SELECT count(*) FROM things") == (0,)
        if db.transactional_ddl:
            with pytest.raises(UnknownColumn):
                await db.fetch_all("SELECT * FROM later")

    async def test_a_savepoint_undoes_only_its_part(self, db: Database) -> None:
        """Also after an error of the database, and nested twice."""
        async with db.transaction() as tx:
            await db.run(sa.insert(THINGS), {"id": 1}, connection=tx)
            with pytest.raises(UniqueViolation):
                async with tx.transaction() as part:
                    await db.run(sa.insert(THINGS), {"id": 2}, connection=part)
                    async with part.transaction() as deeper:
                        await db.run(sa.insert(THINGS), {"id": 3}, connection=deeper)
                    await db.run(sa.insert(THINGS), {"id": 1}, connection=part)
            async with tx.transaction() as part:
                await db.run(sa.insert(THINGS), {"id": 4}, connection=part)
        assert await db.fetch_all("SELECT id FROM things ORDER BY id") == [(1,), (4,)]

    async def test_a_cancelled_transaction_leaves_nothing(self, db: Database) -> None:
        """Cancelled in its own code and within a statement."""

        async def forever(connection: Connection) -> None:
            await asyncio.Event().wait()

        async def long_statement(connection: Connection) -> None:
            await connection.fetch_all(endless(db))

        for wait in (forever, long_statement):
            await self._cancel_inside(db, wait)
            async with asyncio.timeout(PATIENCE):
                assert await db.fetch_one("SELECT count(*) FROM things") == (0,)
                await db.run(sa.insert(THINGS), {"id": 5})
                await db.run(sa.delete(THINGS))

    async def test_a_cancelled_statement_frees_its_connection(self, db: Database) -> None:
        """More of them than there are connections."""
        for _ in range(12):
            task = asyncio.create_task(db.fetch_all(endless(db)))
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with asyncio.timeout(PATIENCE):
            assert await db.fetch_one("SELECT 1") == (1,)

    async def test_a_question_ahead_of_all_waits_for_no_call(self, db: Database) -> None:
        """All connections are in use for hours; others wait, it does not."""
        narrow = connect(replace(db.config, pool_max=2))
        await narrow.open()
        long = [asyncio.create_task(narrow.fetch_all(endless(db))) for _ in range(2)]
        try:
            await asyncio.sleep(0)  # each has asked for its connection
            for _ in range(3):
                assert await narrow.fetch_ahead("SELECT 1", within=PATIENCE) == [(1,)]
            with pytest.raises(DatabaseUnavailable):
                await narrow.fetch_ahead(endless(db), within=0.3)
            assert await narrow.fetch_ahead("SELECT 1", within=PATIENCE) == [(1,)]
            assert not any(each.done() for each in long)
        finally:
            for each in long:
                each.cancel()
            await asyncio.gather(*long, return_exceptions=True)
            await narrow.close()
        with pytest.raises(DatabaseUnavailable):
            await narrow.fetch_ahead("SELECT 1", within=PATIENCE)

    async def test_an_ended_transaction_takes_no_more_calls(self, db: Database) -> None:
        """A connection that escaped its block."""
        async with db.transaction() as tx:
            await tx.fetch_one("SELECT 1")
        with pytest.raises(DatabaseUnavailable):
            await tx.fetch_one("SELECT 1")

    async def test_many_tasks_at_once(self, db: Database) -> None:
        """Reads, writes and transactions of one process do not get in each other's way."""
        await db.run(sa.insert(THINGS), {"id": 0, "count": 0})

        async def add(number: int) -> None:
            await db.run(sa.insert(THINGS), {"id": number, "count": 0})
            async with db.transaction() as tx:
                await tx.execute("UPDATE things SET count = count + 1 WHERE id = 0")
                await tx.execute(f"UPDATE things SET count = 5 WHERE id = {number}")
            await db.fetch_one("SELECT count(*) FROM things")

        async with asyncio.timeout(PATIENCE * 2):
            await asyncio.gather(*(add(number) for number in range(1, 61)))
        assert await db.fetch_one("SELECT count FROM things WHERE id = 0") == (60,)
        assert await db.fetch_one("SELECT count(*) FROM things WHERE count = 5") == (60,)

    async def test_long_writes_happen_once(self, db: Database) -> None:
        """However long they take and whatever else runs."""
        many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        for _ in range(3):
            await db.execute("DELETE FROM things")
            assert await db.execute("INSERT INTO things (id, count) " + many + "SELECT i, 0 FROM n") == 20000
            changes = (db.execute("UPDATE things SET count = count + 1 WHERE id > 0") for _ in range(3))
            assert await asyncio.gather(*changes) == [20000] * 3
            assert await db.fetch_all("SELECT DISTINCT count FROM things") == [(3,)]

    async def test_two_processes_write_at_once(self, db: Database, second_database: Database) -> None:
        """Both wait for each other instead of failing."""

        async def add(database: Database, start: int) -> None:
            for number in range(start, start + 100):
                await database.run(sa.insert(THINGS), {"id": number})

        async with asyncio.timeout(PATIENCE * 2):
            await asyncio.gather(add(db, 0), add(second_database, 1000))
        assert await db.fetch_one("SELECT count(*) FROM things") == (200,)

    async def test_a_table_changed_by_another_session(self, db: Database, second_database: Database) -> None:
        """Statements that were prepared before still work, and see the change."""
        await db.run(sa.insert(THINGS), {"id": 1})
        first = await db.fetch_all("SELECT * FROM things")
        await second_database.execute("ALTER TABLE things ADD COLUMN extra INTEGER")
        for _ in range(3):
            second = await db.fetch_all("SELECT * FROM things")
            assert len(second[0]) == len(first[0]) + 1

    # --- exclusion ---

    async def test_exclusive_lets_one_in_at_a_time(self, db: Database, second_database: Database) -> None:
        """Of both processes; other keys are free."""
        inside = 0
        most = 0

        async def enter(database: Database) -> None:
            nonlocal inside, most
            async with database.exclusive("install"):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.005)
                inside -= 1

        async with asyncio.timeout(PATIENCE):
            async with db.exclusive("other"):
                await asyncio.gather(*(enter(each) for each in (db, second_database) * 4))
        assert most == 1

    async def test_exclusive_can_be_given_up_while_waiting(
        self, db: Database, second_database: Database
    ) -> None:
        """And is free after the holder left."""
        async with db.exclusive("install"):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1), second_database.exclusive("install"):
                    raise AssertionError("entered twice")
        async with asyncio.timeout(PATIENCE), second_database.exclusive("install"):
            pass

    async def test_exclusive_ends_with_a_killed_holder(self, db: Database) -> None:
        """kill -9 of the process that holds it."""
        async with holder_process(db, "install") as kill:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2), db.exclusive("install"):
                    raise AssertionError("entered twice")
            await kill()
            async with asyncio.timeout(PATIENCE), db.exclusive("install"):
                pass

    # --- life ---

    async def test_closed_is_said_and_closing_twice_is_fine(self, db: Database) -> None:
        """And it can be opened again."""
        await db.close()
        await db.close()
        with pytest.raises(DatabaseUnavailable):
            await db.fetch_one("SELECT 1")
        await db.open()
        await db.open()
        assert await db.fetch_one("SELECT count(*) FROM things") == (0,)

    async def test_close_waits_for_calls_under_way(self, db: Database) -> None:
        """A transaction that was begun is finished."""
        begun = asyncio.Event()
        go_on = asyncio.Event()

        async def work() -> None:
            async with db.transaction() as tx:
                await db.run(sa.insert(THINGS), {"id": 1}, connection=tx)
                begun.set()
                await go_on.wait()

        working = asyncio.create_task(work())
        await begun.wait()
        closing = asyncio.create_task(db.close())
        await asyncio.sleep(0.02)
        assert not closing.done()
        go_on.set()
        await asyncio.gather(working, closing)
        await db.open()
        assert await db.fetch_one("SELECT count(*) FROM things") == (1,)

    async def _cancel_inside(self, db: Database, wait: Callable[[Connection], Awaitable[None]]) -> None:
        begun = asyncio.Event()

        async def work() -> None:
            async with db.transaction() as tx:
                await db.run(sa.insert(THINGS), {"id": 1}, connection=tx)
                begun.set()
                await wait(tx)

        task = asyncio.create_task(work())
        await begun.wait()
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def endless(db: Database) -> str:
    """A read that does not end by itself."""
    if db.kind == "postgres":
        return "SELECT pg_sleep(3600)"
    return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


HOLDER = """
import asyncio, pickle, sys
from atoll.database.drivers import connect

async def main():
    db = connect(pickle.loads(bytes.fromhex(sys.argv[1])))
    await db.open()
    async with db.exclusive(sys.argv[2]):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def holder_process(db: Database, key: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Another process that holds `key`; gives the function that kills it."""
    given = pickle.dumps(db.config).hex()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, given, key, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None

    async def kill() -> None:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()

    try:
        async with asyncio.timeout(PATIENCE):
            assert await process.stdout.readline() == b"held\n"
        yield kill
    finally:
        await kill()
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - else a ResourceWarning follows

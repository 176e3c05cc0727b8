"""Jobs and ticks as rows. Times are milliseconds since 1970 by the database's clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from atoll.application.schedule.base import TRIES
from atoll.database.drivers.base import Database
from atoll.errors import UniqueViolation


@dataclass(frozen=True, slots=True)
class JobRow:
    """When a job is due next."""

    name: str
    cron: str
    next: int


@dataclass(frozen=True, slots=True)
class TickRow:
    """One tick. `state`: waiting, running, done, failed, skipped. `until`: end of the lease that runs it."""

    job: str
    due: int
    state: str
    tries: int
    until: int
    instance: str | None
    finished: int | None
    note: str | None


def schedule_tables(prefix: str) -> tuple[Table, Table]:
    """Jobs and ticks: the tables of migration 0005."""
    metadata = MetaData()
    jobs = Table(
        f"{prefix}appJobs",
        metadata,
        Column("name", String(255), primary_key=True),
        Column("cron", String(255), nullable=False),
        Column("next", BigInteger, nullable=False),
        quote=True,
    )
    ticks = Table(
        f"{prefix}appTicks",
        metadata,
        Column("job", String(255), primary_key=True),
        Column("due", BigInteger, primary_key=True, autoincrement=False),
        Column("state", String(16), nullable=False),
        Column("tries", Integer, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("instance", String(255)),
        Column("finished", BigInteger),
        Column("note", Text),
        quote=True,
    )
    return jobs, ticks


class ScheduleStore:
    """Reads and writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.jobs, self.ticks = schedule_tables(database.table_prefix)

    async def now(self) -> int:
        """The database's clock."""
        query = (
            "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
            if self._database.kind == "postgres"
            else "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
        )
        row = await self._database.fetch_one(query)
        return int(row[0]) if row is not None else 0

    async def known(self, names: Collection[str]) -> dict[str, JobRow]:
        """The rows of those jobs."""
        rows = (await self._database.run(select(self.jobs).where(self.jobs.c.name.in_(list(names))))).rows
        return {row[0]: JobRow(*row) for row in rows}

    async def introduce(self, name: str, cron: str, first: int, before: JobRow | None) -> None:
        """Makes a job's row, or follows a changed expression."""
        if before is None:
            with suppress(UniqueViolation):
                await self._database.run(insert(self.jobs).values(name=name, cron=cron, next=first))
            return
        changed = and_(self.jobs.c.name == name, self.jobs.c.cron == before.cron)
        await self._database.run(update(self.jobs).where(changed).values(cron=cron, next=first))

    async def make(self, job: JobRow, due: Sequence[int], skipped: Sequence[int], following: int) -> bool:
        """Makes the ticks of a job up to now; False when another instance has done so."""
        async with self._database.transaction() as tx:
            mine = and_(self.jobs.c.name == job.name, self.jobs.c.next == job.next)
            taken = await self._database.run(
                update(self.jobs).where(mine).values(next=following), connection=tx
            )
            if not taken.rowcount:
                return False
            rows: list[tuple[int, str, str | None]] = [(each, "waiting", None) for each in due]
            if skipped:
                note = f"{len(skipped)} times passed while no instance ran the app; they were left out"
                rows.append((skipped[-1], "skipped", note))
            for each, state, note_ in rows:
                values = {"job": job.name, "due": each, "state": state, "tries": 0, "until": 0, "note": note_}
                await self._database.run(insert(self.ticks).values(values), connection=tx)
        return True

    async def open(self, names: Collection[str]) -> list[TickRow]:
        """The ticks of those jobs that are not over, oldest first."""
        table = self.ticks
        statement = select(table).where(
            table.c.job.in_(list(names)), or_(table.c.state == "waiting", table.c.state == "running")
        )
        return [TickRow(*row) for row in (await self._database.run(statement.order_by(table.c.due))).rows]

    async def claim(self, tick: TickRow, instance: str, until: int) -> bool:
        """Takes a tick to run it, unless somebody else did in the meantime."""
        values = {"state": "running", "tries": tick.tries + 1, "until": until, "instance": instance}
        return await self._change(tick, tick.tries, tick.until, values)

    async def renew(self, tick: TickRow, number: int, until: int) -> bool:
        """Keeps the lease of that try; False when it is lost."""
        return await self._change(tick, number, None, {"until": until})

    async def finish(self, tick: TickRow, number: int, state: str, now: int, note: str | None) -> bool:
        """Ends that try; False when its lease was lost, then nothing is noted."""
        return await self._change(tick, number, None, {"state": state, "finished": now, "note": note})

    async def _change(self, tick: TickRow, tries: int, until: int | None, values: dict[str, object]) -> bool:
        table = self.ticks
        mine = and_(table.c.job == tick.job, table.c.due == tick.due, table.c.tries == tries)
        mine = and_(mine, or_(table.c.state == "waiting", table.c.state == "running"))
        if until is not None:
            mine = and_(mine, table.c.until == until)
        return bool((await self._database.run(update(table).where(mine).values(values))).rowcount)

    async def last(self, names: Collection[str], count: int) -> list[TickRow]:
        """The newest ticks of those jobs, newest first."""
        statement = select(self.ticks).where(self.ticks.c.job.in_(list(names)))
        statement = statement.order_by(self.ticks.c.due.desc()).limit(count)
        return [TickRow(*row) for row in (await self._database.run(statement)).rows]

    async def forget(self, before: int) -> int:
        """Removes ticks that ended before that time; how many."""
        ended = and_(self.ticks.c.due < before, self.ticks.c.state.in_(["done", "failed", "skipped"]))
        return (await self._database.run(delete(self.ticks).where(ended))).rowcount


def lost(tick: TickRow, now: int) -> bool:
    """Whether whoever ran the tick has lost it."""
    return tick.state == "running" and tick.until < now


def spent(tick: TickRow) -> bool:
    """Whether it was tried often enough."""
    return tick.tries >= TRIES

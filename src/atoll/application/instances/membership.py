"""Which instances serve an app, and the numbers of its changes: rows in the app's own database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    MetaData,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.types import String as StringType

from atoll.database.drivers.base import Connection, Database
from atoll.errors import UniqueViolation

LOOK_SECONDS = 6.0
_ME = "instance"


@dataclass(frozen=True, slots=True)
class Peer:
    """An instance that may be serving.

    Attributes:
        fenced: it gave no sign when one was due; it compares with the database before it serves again.
        migrations: the names of the migrations it knows.
    """

    id: str
    fenced: bool
    migrations: frozenset[str]


def instances_table(prefix: str) -> Table:
    """The table of migration 0002."""
    return Table(
        f"{prefix}appInstances",
        MetaData(),
        Column("id", String(255), primary_key=True),
        Column("fenced", Boolean, nullable=False),
        Column("migrations", Text),
        quote=True,
    )


class Membership:
    """The row of one instance, and what it must know of the others.

    Args:
        instance: identity of this one.
        migrations: the names of the migrations this program knows.
    """

    def __init__(self, database: Database, instance: str, migrations: Sequence[str]) -> None:
        self._database = database
        self._instance = instance
        self._migrations = migrations
        self._table = instances_table(database.table_prefix)
        self._revisions = Table(
            f"{database.table_prefix}revisions",
            MetaData(),
            Column("name", String(255), primary_key=True),
            Column("number", BigInteger, nullable=False),
            quote=True,
        )
        numbers = select(literal_column("0").label("kind"), self._revisions.c.name, self._revisions.c.number)
        me = select(
            literal_column("1").label("kind"), self._table.c.id.label("name"), literal_column("0")
        ).where(
            and_(
                self._table.c.id == bindparam(_ME, type_=StringType()),
                self._table.c.fenced.is_(False),
            )
        )
        self._look = database.compile(union_all(numbers, me))

    async def look(self) -> tuple[Mapping[str, int], bool]:
        """The number of each topic, and whether this instance is a member in good standing; one query."""
        rows = await self._database.fetch_ahead(
            self._look.sql, self._look.bind({_ME: self._instance}), within=LOOK_SECONDS
        )
        numbers = {str(name): int(number) for kind, name, number in rows if not kind}
        return numbers, any(kind for kind, _, _ in rows)

    async def register(self) -> None:
        """Makes this instance a member, again if need be. From now on the others wait for it."""
        mine = update(self._table).where(self._table.c.id == self._instance).values(fenced=False)
        if (await self._database.run(mine)).rowcount:
            return
        row = {"id": self._instance, "fenced": False, "migrations": "\n".join(self._migrations)}
        with suppress(UniqueViolation):
            await self._database.run(insert(self._table).values(row))

    async def withdraw(self) -> None:
        """This instance serves no more."""
        await self.remove([self._instance])

    async def others(self) -> list[Peer]:
        """All other instances."""
        rows = (await self._database.run(select(self._table).where(self._table.c.id != self._instance))).rows
        return [Peer(str(each), bool(fenced), _names(known)) for each, fenced, known in rows]

    async def fence(self, ids: Collection[str]) -> None:
        """Those must not serve from memory any more before they have become members again."""
        if ids:
            await self._database.run(
                update(self._table).where(self._table.c.id.in_(list(ids))).values(fenced=True)
            )

    async def remove(self, ids: Collection[str], *, fenced: bool | None = None) -> None:
        """Nobody waits for those any more; with `fenced` only if they still are."""
        if not ids:
            return
        condition: ColumnElement[bool] = self._table.c.id.in_(list(ids))
        if fenced is not None:
            condition = and_(condition, self._table.c.fenced.is_(fenced))
        await self._database.run(delete(self._table).where(condition))

    async def begin(self, topics: Collection[str]) -> None:
        """Makes the numbers of new topics."""
        known, _ = await self.look()
        for topic in topics:
            if topic not in known:
                with suppress(UniqueViolation):
                    await self._database.run(insert(self._revisions).values(name=topic, number=1))

    async def count_up(self, topic: str, connection: Connection) -> int:
        """The next number of a topic. Until the transaction ends, nobody else gets one."""
        table = self._revisions
        counted = (
            update(table)
            .where(table.c.name == topic)
            .values(number=table.c.number + literal_column("1"))
            .returning(table.c.number)
        )
        number: int = (await self._database.run(counted, connection=connection)).rows[0][0]
        return number


def _names(text: str | None) -> frozenset[str]:
    return frozenset((text or "").split("\n"))

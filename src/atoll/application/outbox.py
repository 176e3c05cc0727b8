"""Work that belongs to a transaction: it exists if, and only if, the transaction was committed.

`publish` writes a row on the transaction's connection. After the commit any instance hands it to the queue,
under a key made from the row, so that a row which is handed over twice (whoever did it died before noting it)
is still one item. The row stays until the work is done: a copy that comes later finds no row and is left out,
and an item that the queue lost with its data is handed over again. `finish` in the transaction that has the
work's own effect makes that effect happen exactly once.

How it is found that a queue lost items: as long as it remembers keys, a row without a sign of life is
published again under its key, which does nothing while the queue has the item. Of older ones the queue is
asked which are missing, and those are handed over under a new key. Should the first turn up after all,
whoever comes second finds no row.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from atoll.cluster.queue import Item, Process, Queue
from atoll.cluster.queue.base import BACKOFF, KEY_SECONDS, LONGEST_BACKOFF, TIMEOUT, check_arguments
from atoll.database.drivers.base import Connection, Database
from atoll.errors import DatabaseUnavailable, QueueItemDone, QueueItemRefused, QueueUnavailable
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
KEY = "outbox:"
LOOK_SECONDS = 30.0  # for rows that an instance left behind which died
CLAIM_SECONDS = 30.0
MOST_AT_ONCE = 100
SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 2.0
# Without a sign of life for so long, an item is in no retry pause.
SILENT_SECONDS = LONGEST_BACKOFF * 1.25 + 60.0
QUIET_SECONDS = 60.0  # without a sign of life: the queue is asked by publishing again under the same key
KEY_MARGIN_SECONDS = 60.0
MOST_ASKED = 1000
GIVEN_UP = 2**62  # in place of the last sign of life: a dead letter is for people, whatever becomes of it


def outbox_table(prefix: str) -> Table:
    """The table of migration 0004. Times are milliseconds since 1970."""
    name = f"{prefix}appOutbox"
    return Table(
        name,
        MetaData(),
        Column("id", String(32), primary_key=True),
        Column("channel", String(255), nullable=False),
        Column("content", LargeBinary, nullable=False),
        Column("options", Text, nullable=False),
        Column("due", BigInteger, nullable=False),
        Column("claimed", BigInteger, nullable=False),
        Column("handed", BigInteger),
        Column("copy", Integer, nullable=False),
        Index(f"{name}_handed", "handed"),
        quote=True,
    )


class Outbox:
    """The outbox of one app.

    Args:
        queue: the app's own.
        quiet_seconds: after which an item without a sign of life is published again under its key.
        silent_seconds: after which an item that the queue misses is handed over again.
    """

    def __init__(
        self,
        database: Database,
        queue: Queue,
        *,
        quiet_seconds: float = QUIET_SECONDS,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._database = database
        self._queue = queue
        self._quiet = quiet_seconds
        self._silent = silent_seconds
        self._table = outbox_table(database.table_prefix)
        self._expected: dict[str, float] = {}
        self._nudged = asyncio.Event()
        self._tasks = BackgroundTasks("outbox")
        table = self._table
        free = and_(table.c.handed.is_(None), table.c.claimed < bindparam("now", type_=BigInteger()))
        some = select(table.c.id).where(free).order_by(table.c.due).limit(MOST_AT_ONCE)
        self._claim = database.compile(
            update(table)
            .where(and_(table.c.id.in_(some.scalar_subquery()), free))
            .values(claimed=bindparam("until", type_=BigInteger()))
            .returning(
                table.c.id, table.c.channel, table.c.content, table.c.options, table.c.due, table.c.copy
            )
        )

    async def publish(
        self,
        connection: Connection,
        channel: str,
        content: bytes,
        *,
        timeout: float | None = TIMEOUT,
        max_retries: int = 0,
        delay: float = 0.0,
        priority: int = 0,
        backoff: float = BACKOFF,
    ) -> str:
        """Adds an item together with what else the transaction of `connection` does; gives the row's id.

        Arguments are those of `Queue.publish`. Consumers wrap their handler in `handler`.
        """
        check_arguments(timeout, max_retries, delay, priority, backoff)
        id_ = secrets.token_hex(16)
        options = {"timeout": timeout, "max_retries": max_retries, "priority": priority, "backoff": backoff}
        row = {
            "id": id_,
            "channel": channel,
            "content": content,
            "options": msgspec.json.encode(options).decode(),
            "due": _now() + round(delay * 1000),
            "claimed": 0,
            "handed": None,
            "copy": 0,
        }
        await self._database.run(insert(self._table), row, connection=connection)
        self._expected[id_] = time.monotonic() + LOOK_SECONDS
        self._nudged.set()
        return id_

    def handler(self, process: Process) -> Process:
        """For `subscribe`: runs `process` only while the item's row is there, and removes the row afterwards.

        Items that did not come through an outbox are just processed.
        """

        async def run(item: Item) -> None:
            id_ = _row_id(item)
            if id_ is None:
                await process(item)
                return
            table = self._table
            sign = update(table).where(table.c.id == id_).values(handed=_now())
            if not (await self._database.run(sign)).rowcount:
                log.info("item was done before", extra={"channel": item.channel, "item": item.id})
                return
            try:
                await process(item)
            except QueueItemDone:
                return
            except Exception as error:
                if item.retried >= item.max_retries or isinstance(error, QueueItemRefused):
                    given_up = update(table).where(table.c.id == id_).values(handed=GIVEN_UP)
                    await self._database.run(given_up)
                raise
            await self._database.run(delete(table).where(table.c.id == id_))

        return run

    async def finish(self, connection: Connection, item: Item) -> None:
        """Notes in the transaction of `connection` that the item is done, together with its effect there.

        Raises QueueItemDone when a copy of the item was faster: let it undo the transaction.
        """
        id_ = _row_id(item)
        if id_ is not None:
            done = delete(self._table).where(self._table.c.id == id_)
            if not (await self._database.run(done, connection=connection)).rowcount:
                raise QueueItemDone("This work was done already.", detail=item.id)

    def start(self) -> None:
        """Begins to hand rows over."""
        _ = self._tasks.keep_running("relay", self._relay_for_ever)

    async def stop(self) -> None:
        """Ends it; what is left is for the other instances, or the next start. Idempotent."""
        await self._tasks.cancel_all()

    async def relay(self) -> int:
        """Hands over what is there; gives how many."""
        count = 0
        while True:
            now = _now()
            until = now + round(CLAIM_SECONDS * 1000)
            rows = await self._database.fetch_all(
                self._claim.sql, self._claim.bind({"now": now, "until": until})
            )
            if not rows:
                return count
            taken = self._claim.read(rows)
            first, *others = taken
            try:
                await self._hand_over(first)  # alone: one try is enough to see that the queue is away
            except QueueUnavailable:
                await self._free([row[0] for row in others])
                raise
            done = await asyncio.gather(*(self._hand_over(row) for row in others), return_exceptions=True)
            count += 1 + sum(result is None for result in done)
            for result in done:
                if isinstance(result, BaseException):
                    raise result

    async def ask(self) -> int:
        """Publishes quiet rows again under keys that the queue remembers if it has them; how many."""
        table, now = self._table, _now()
        remembered = now - round((KEY_SECONDS - CLAIM_SECONDS - KEY_MARGIN_SECONDS) * 1000)
        quiet = and_(table.c.handed < now - round(self._quiet * 1000), table.c.claimed > remembered)
        columns = (table.c.id, table.c.channel, table.c.content, table.c.options, table.c.due, table.c.copy)
        query = select(*columns, table.c.handed).where(quiet).order_by(table.c.handed).limit(MOST_ASKED)
        rows = (await self._database.run(query)).rows
        for *row, seen in rows:
            mine = and_(table.c.id == row[0], table.c.handed == seen)
            if (await self._database.run(update(table).where(mine).values(handed=now))).rowcount:
                await self._publish(tuple(row))
        return len(rows)

    async def restore(self) -> int:
        """Makes older rows ready again whose items the queue lost; gives how many."""
        table, count, after = self._table, 0, ""
        silent = table.c.handed < _now() - round(self._silent * 1000)
        some = select(table.c.id, table.c.channel, table.c.copy).order_by(table.c.id).limit(MOST_ASKED)
        while found := (await self._database.run(some.where(and_(silent, table.c.id > after)))).rows:
            after = str(found[-1][0])
            for id_ in await self._lost(found):
                again = update(table).where(and_(table.c.id == id_, silent))
                fresh = again.values(handed=None, claimed=0, copy=table.c.copy + 1)
                count += (await self._database.run(fresh)).rowcount
        if count:
            log.warning("items were lost by the queue and are handed over again", extra={"items": count})
        return count

    async def _lost(self, rows: Sequence[Sequence[Any]]) -> list[str]:
        """The ids of those rows (id, channel, copy) whose items the queue does not have."""
        channels: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for id_, channel, copy in rows:
            channels[channel][_key(id_, copy)] = id_
        lost = []
        for channel, keys in channels.items():
            lost += [keys[key] for key in await self._queue.missing(channel, keys)]
        return lost

    async def _hand_over(self, row: tuple[Any, ...]) -> None:
        id_, due = row[0], row[4]
        now, table = _now(), self._table
        try:
            await self._publish(row)
        except QueueUnavailable:
            await self._free([id_])
            raise
        self._expected.pop(id_, None)
        # Not when it is done already: then there is no row any more.
        mark = update(table).where(
            and_(table.c.id == id_, or_(table.c.handed.is_(None), table.c.handed < due))
        )
        await self._database.run(mark.values(handed=max(now, due)))

    async def _free(self, ids: Sequence[str]) -> None:
        """Gives back what was claimed; it is tried again soon."""
        self._expected |= dict.fromkeys(ids, time.monotonic() + LOOK_SECONDS)
        await self._database.run(update(self._table).where(self._table.c.id.in_(ids)).values(claimed=0))

    async def _publish(self, row: tuple[Any, ...]) -> None:
        id_, channel, content, options, due, copy = row
        delay, key = max(0.0, (due - _now()) / 1000), _key(id_, copy)
        await self._queue.publish(channel, content, delay=delay, key=key, **msgspec.json.decode(options))

    async def _relay_for_ever(self) -> None:
        pause, look_at = SHORTEST_PAUSE, 0.0
        while True:
            failed = False
            try:
                if time.monotonic() >= look_at:
                    await self.ask()
                    await self.restore()
                    look_at = time.monotonic() + LOOK_SECONDS * random.uniform(0.7, 1.0)  # noqa: S311 - spreads
                if await self.relay():
                    pause = SHORTEST_PAUSE
            except (QueueUnavailable, DatabaseUnavailable) as error:
                log.warning("the outbox cannot be emptied now", extra={"reason": error.message})
                failed = True
            if failed:
                await asyncio.sleep(pause)  # whatever is published meanwhile
            else:
                await self._wait(pause if self._expected else look_at - time.monotonic())
            fresh = self._nudged.is_set() and not failed
            pause = SHORTEST_PAUSE if fresh else min(pause * 2, LONGEST_PAUSE)
            self._nudged.clear()

    async def _wait(self, seconds: float) -> None:
        """Rows of a transaction that is not committed yet cannot be seen: one looks more and more rarely."""
        now = time.monotonic()
        for id_ in [each for each, until in self._expected.items() if until < now]:
            del self._expected[id_]  # rolled back, or taken by another instance
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._nudged.wait()
        except TimeoutError:
            return


def _key(id_: str, copy: int) -> str:
    return f"{KEY}{id_}:{copy}"


def _row_id(item: Item) -> str | None:
    if item.key is None or not item.key.startswith(KEY):
        return None
    return item.key.removeprefix(KEY).partition(":")[0]


def _now() -> int:
    return time.time_ns() // 1_000_000

"""The queue on Redis 7 or newer. `redis_scripts.py` says how items are kept."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
from typing_extensions import override

from atoll.cluster.queue import redis_scripts as scripts
from atoll.cluster.queue.attempt import Verdict
from atoll.cluster.queue.base import KEY_SECONDS, LOST_TRIES, DeadItem, Item, QueueStatus
from atoll.cluster.queue.pull import Batch, Held, PullQueue, Store
from atoll.cluster.queue.redis_signals import RedisSignals
from atoll.cluster.redis import RedisConnection
from atoll.errors import QueueUnavailable, RedisUnavailable

log = logging.getLogger(__name__)
LEASE_SECONDS = 30.0
MOST_IDS = 1000


class RedisStore(Store):
    """Items of one installation. The connection belongs to the giver, who closes it after this."""

    def __init__(self, connection: RedisConnection, lease: float) -> None:
        self.lease = lease
        self._connection = connection
        self._signals = RedisSignals(connection, self._base)
        client = connection.client
        self._add = client.register_script(scripts.ADD)
        self._exchange = client.register_script(scripts.EXCHANGE)
        self._renew = client.register_script(scripts.RENEW)
        self._status = client.register_script(scripts.STATUS)
        self._dead = client.register_script(scripts.DEAD)
        self._missing = client.register_script(scripts.MISSING)
        self._unbury = client.register_script(scripts.UNBURY)

    @override
    async def add(self, item: Item, delay: float) -> str:
        args = [item.id, msgspec.msgpack.encode(item), item.priority, _ms(delay), item.key or ""]
        with self._errors():
            added = await self._add(keys=[self._base(item.channel)], args=[*args, _ms(KEY_SECONDS)])
        return str(added.decode())

    @override
    async def exchange(self, channel: str, verdicts: Sequence[tuple[Held, Verdict]], want: int) -> Batch:
        token = secrets.token_hex(8)
        args: list[Any] = [want, _ms(self.lease), token, LOST_TRIES]
        for held, verdict in verdicts:
            args += [held.item.id, held.token, verdict.kind, _ms(verdict.delay), verdict.reason]
        with self._errors():
            wait, gone, leased, buried = await self._exchange(keys=[self._base(channel)], args=args)
        for id_ in buried:
            log.error(
                "item given up, its process died or hung too often",
                extra={"channel": channel, "item": id_.decode()},
            )
        return Batch(
            [Held(_item(*fields), token) for fields in leased],
            [verdicts[position][0] for position in gone],
            None if wait < 0 else wait / 1000 + 0.001,
        )

    @override
    async def renew(self, held: Sequence[Held], consumers: Sequence[tuple[str, str]]) -> list[Held]:
        names: dict[str, list[str]] = {}
        items: dict[str, list[Held]] = {}
        for channel, name in consumers:
            names.setdefault(channel, []).append(name)
        for each in held:
            items.setdefault(each.item.channel, []).append(each)
        gone = []
        for channel in names.keys() | items.keys():
            some, living = items.get(channel, []), names.get(channel, [])
            args: list[Any] = [_ms(self.lease), _ms(self.lease * 1.5), len(living), *living]
            args += [part for each in some for part in (each.item.id, each.token)]
            with self._errors():
                answer = await self._renew(keys=[self._base(channel)], args=args)
            gone += [some[position] for position in answer]
        return gone

    @override
    async def leave(self, channel: str, consumer: str) -> None:
        with self._errors():
            await self._connection.client.zrem(f"{self._base(channel)}:consumers", consumer)

    @override
    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        self._signals.listen(channel, wake)

    @override
    def ignore(self, channel: str, wake: Callable[[], None]) -> None:
        self._signals.ignore(channel, wake)

    @override
    async def status(self, channel: str) -> QueueStatus:
        with self._errors():
            depth, held, oldest, consumers, dead, delayed = await self._status(keys=[self._base(channel)])
        return QueueStatus(depth, held, oldest / 1000 if oldest >= 0 else None, consumers, dead, delayed)

    @override
    async def dead(self, channel: str, limit: int) -> list[DeadItem]:
        with self._errors():
            found = await self._dead(keys=[self._base(channel)], args=[limit])
        return [
            DeadItem(_item(data, retried, lost), reason.decode(), int(died) / 1000)
            for data, retried, lost, reason, died in found
        ]

    @override
    async def unbury(self, channel: str, ids: Sequence[str] | None, *, redrive: bool) -> int:
        if ids is not None:
            return sum(
                [
                    await self._unbury_some(channel, ids[start : start + MOST_IDS], redrive)
                    for start in range(0, len(ids), MOST_IDS)
                ]
            )
        count = 0
        while True:
            with self._errors():
                some = await self._connection.client.zrange(f"{self._base(channel)}:dead", 0, MOST_IDS - 1)
            if not some:
                return count
            count += await self._unbury_some(channel, some, redrive)

    @override
    async def missing(self, channel: str, ids: Sequence[str]) -> Sequence[str]:
        absent: list[str] = []
        for start in range(0, len(ids), MOST_IDS):
            some = ids[start : start + MOST_IDS]
            with self._errors():
                absent += [
                    some[position] for position in await self._missing(keys=[self._base(channel)], args=some)
                ]
        return absent

    @override
    async def close(self) -> None:
        await self._signals.close()

    async def _unbury_some(self, channel: str, ids: Sequence[str | bytes], redrive: bool) -> int:
        with self._errors():
            count = await self._unbury(keys=[self._base(channel)], args=[int(redrive), *ids])
        return int(count)

    def _base(self, channel: str) -> str:
        return self._connection.key("queue", channel)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with self._connection.errors():
                yield
        except RedisUnavailable as error:
            raise QueueUnavailable(error.message, detail=error.detail) from error


class RedisQueue(PullQueue):
    """One node.

    Args:
        connection: belongs to the giver, who closes it after this.
        lease: seconds after which the item of a process that died is given to another.
    """

    def __init__(self, connection: RedisConnection, *, lease: float = LEASE_SECONDS) -> None:
        super().__init__(RedisStore(connection, lease), owns_store=True)


def _item(data: bytes, retried: bytes, lost: bytes) -> Item:
    return replace(msgspec.msgpack.decode(data, type=Item), retried=int(retried), lost=int(lost))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)

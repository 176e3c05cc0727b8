"""One app's part of a queue: channels of its own on the connections of the node it is scoped from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from typing_extensions import override

from atoll.cluster.queue.base import BACKOFF, TIMEOUT, Consumer, DeadItem, Item, Process, Queue, QueueStatus
from atoll.errors import QueueUnavailable


class ScopedQueue(Queue):
    """The same for every adapter: only names differ."""

    def __init__(self, whole: Queue, name: str) -> None:
        self._whole = whole
        self._prefix = f"{name}/"
        self._consumers: set[ScopedConsumer] = set()
        self._scopes: list[ScopedQueue] = []
        self._closed = False

    @override
    async def publish(
        self,
        channel: str,
        content: bytes,
        *,
        timeout: float | None = TIMEOUT,
        max_retries: int = 0,
        delay: float = 0.0,
        priority: int = 0,
        key: str | None = None,
        backoff: float = BACKOFF,
    ) -> str:
        return await self._open().publish(
            self._prefix + channel,
            content,
            timeout=timeout,
            max_retries=max_retries,
            delay=delay,
            priority=priority,
            key=key,
            backoff=backoff,
        )

    @override
    async def subscribe(
        self,
        channel: str,
        process: Process,
        *,
        idle: Callable[[], bool] | None = None,
        concurrency: int = 1,
        slots: asyncio.Semaphore | None = None,
    ) -> Consumer:
        async def named(item: Item) -> None:
            await process(replace(item, channel=channel))

        inner = await self._open().subscribe(
            self._prefix + channel, named, idle=idle, concurrency=concurrency, slots=slots
        )
        consumer = ScopedConsumer(inner, self._consumers)
        if self._closed:
            await consumer.close()
            raise _closed()
        return consumer

    @override
    async def status(self, channel: str) -> QueueStatus:
        return await self._open().status(self._prefix + channel)

    @override
    async def dead(self, channel: str, limit: int = 100) -> list[DeadItem]:
        found = await self._open().dead(self._prefix + channel, limit)
        return [replace(each, item=replace(each.item, channel=channel)) for each in found]

    @override
    async def redrive(self, channel: str, ids: Sequence[str] | None = None) -> int:
        return await self._open().redrive(self._prefix + channel, ids)

    @override
    async def drop(self, channel: str, ids: Sequence[str] | None = None) -> int:
        return await self._open().drop(self._prefix + channel, ids)

    @override
    async def missing(self, channel: str, keys: Collection[str]) -> set[str]:
        return await self._open().missing(self._prefix + channel, keys)

    @override
    def scope(self, name: str) -> Queue:
        scoped = ScopedQueue(self, name)
        self._scopes.append(scoped)
        return scoped

    @override
    async def close(self, patience: float = 0.0) -> None:
        self._closed = True
        for scoped in self._scopes:
            await scoped.close(patience)
        await asyncio.gather(*(consumer.close(patience) for consumer in tuple(self._consumers)))

    def _open(self) -> Queue:
        if self._closed:
            raise _closed()
        return self._whole


class ScopedConsumer(Consumer):
    """Known to its scope until it is closed."""

    def __init__(self, inner: Consumer, siblings: set[ScopedConsumer]) -> None:
        self._inner = inner
        self._siblings = siblings
        siblings.add(self)

    @override
    async def close(self, patience: float = 0.0) -> None:
        await self._inner.close(patience)
        self._siblings.discard(self)


def _closed() -> QueueUnavailable:
    return QueueUnavailable("The queue is closed: this app or server is stopping.")

"""The queue on RabbitMQ 3.10 or newer, without plugins. `rabbitmq_link.py` says what lies there.

Particular to it: an item with a key has an id made from the key, and each key costs two small queues for
ten minutes. Delays are rounded up to two digits. A look at a channel that nobody serves may count as one lost
try of its oldest item. Before RabbitMQ 3.12, one try may not take longer than the broker's `consumer_timeout`
(half an hour unless configured): then the handler is cancelled and the item comes again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError, DeliveryError
from typing_extensions import override

from atoll.cluster.queue.attempt import Verdict
from atoll.cluster.queue.base import (
    BACKOFF,
    TIMEOUT,
    Consumer,
    DeadItem,
    Item,
    Process,
    Queue,
    QueueStatus,
    check_arguments,
    item_id,
)
from atoll.cluster.queue.rabbitmq_consumer import RabbitConsumer
from atoll.cluster.queue.rabbitmq_link import ANSWER_SECONDS, HEARTBEAT_SECONDS, RabbitLink
from atoll.cluster.queue.rabbitmq_roll import Doing, Roll
from atoll.cluster.queue.scoped import ScopedQueue
from atoll.errors import QueueUnavailable

CLAIMED_SECONDS = 2.0
PAUSE = 0.05
ALONE_SECONDS = 15.0
MOST_DEAD = 10_000


class RabbitQueue(Queue):
    """One node.

    Args:
        url: `amqp://user:password@host:port/vhost`, or `amqps://`.
        namespace: first part of all names; two installations on one virtual host need two.
        heartbeat: seconds; a half-open connection is noticed after four of them.
    """

    def __init__(self, url: str, namespace: str, *, heartbeat: int = HEARTBEAT_SECONDS) -> None:
        self._link = RabbitLink(url, namespace, heartbeat)
        self._roll = Roll(self._link, self._doing)
        self._consumers: set[RabbitConsumer] = set()
        self._scopes: list[Queue] = []
        self._known: set[str] = set()
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
        check_arguments(timeout, max_retries, delay, priority, backoff)
        self._check_open()
        item = Item(
            id=item_id(channel, key),
            channel=channel,
            content=content,
            max_retries=max_retries,
            timeout=timeout,
            backoff=backoff,
            priority=priority,
            key=key,
            published=time.time(),
        )
        if key is None:
            await self._put(item, delay)
        else:
            await self._put_once(item, delay)
        return item.id

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
        self._check_open()
        consumer = RabbitConsumer(
            self._link, channel, process, idle, concurrency, slots, self._settle, self._consumers.discard
        )
        self._consumers.add(consumer)
        await self._roll.join()
        with contextlib.suppress(TimeoutError):  # RabbitMQ is away; it will come
            async with asyncio.timeout(ANSWER_SECONDS / 5):
                await consumer.consuming.wait()
        return consumer

    @override
    async def status(self, channel: str) -> QueueStatus:
        self._check_open()
        async with self._own_channel() as own:
            work = await self._link.work_queue(own, channel)
            depth = work.declaration_result.message_count or 0
            dead = (await self._link.dead_queue(own, channel)).declaration_result.message_count or 0
            doings = await self._roll.call(channel)
            consumers = sum(each.consumers for each in doings)
            oldest = None
            if depth:
                since = max((each.last_taken for each in doings), default=0.0)
                oldest = max(0.0, time.time() - (since or await self._oldest(work)))
        in_flight = sum(each.in_flight for each in doings)
        return QueueStatus(depth, in_flight, oldest, consumers, dead, delayed=None)

    @override
    async def dead(self, channel: str, limit: int = 100) -> list[DeadItem]:
        self._check_open()
        found: list[DeadItem] = []
        async with self._alone(channel) as letters:
            while len(found) < limit and (message := await letters.get(fail=False)) is not None:
                found.append(_letter(message))
        return found  # those that were only looked at went back to their places with the channel

    @override
    async def redrive(self, channel: str, ids: Sequence[str] | None = None) -> int:
        return await self._take_letters(channel, ids, redrive=True)

    @override
    async def drop(self, channel: str, ids: Sequence[str] | None = None) -> int:
        return await self._take_letters(channel, ids, redrive=False)

    @override
    async def missing(self, channel: str, keys: Collection[str]) -> set[str]:
        status = await self.status(channel)
        if status.depth or status.in_flight:
            return set()  # the item may be any of them
        return set(keys) - {letter.item.key for letter in await self.dead(channel, MOST_DEAD)}

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
        await self._roll.close()
        await self._link.close()

    async def _put(self, item: Item, delay: float) -> None:
        """Publishes to the work queue, or to where it waits before."""
        with self._link.errors():
            channel = await self._link.publishing()
            exchange = ""
            if item.channel not in self._known:
                await self._link.work_queue(channel, item.channel)
                self._known.add(item.channel)
            if delay > 0:
                exchange = await self._link.delay_exchange(channel, delay)
            body = msgspec.msgpack.encode(item)
            try:
                await self._link.publish(
                    self._link.name("work", item.channel), body, exchange=exchange, priority=item.priority
                )
            except DeliveryError:
                # Nobody took it: the queue was deleted meanwhile, and is made anew the next time.
                self._known.discard(item.channel)
                raise

    async def _put_once(self, item: Item, delay: float) -> None:
        """Only one publisher gets its claim in; it tells when the item is there.

        A claim without that sign is one whose publisher is at it, or died between the two: after a moment
        another goes on in its place.
        """
        deadline = time.monotonic() + CLAIMED_SECONDS
        while not await self._told(item.id):
            if await self._claimed(item.id) or time.monotonic() > deadline:
                await self._put(item, delay)
                with contextlib.suppress(DeliveryError), self._link.errors():
                    await self._enter("told", item.id)
                return
            await asyncio.sleep(PAUSE)

    async def _told(self, key: str) -> bool:
        with self._link.errors():
            channel = await self._link.publishing()
            queue = await self._link.key_queue(channel, "told", key)
            return bool(queue.declaration_result.message_count)

    async def _claimed(self, key: str) -> bool:
        with self._link.errors():
            channel = await self._link.publishing()
            await self._link.key_queue(channel, "claim", key)
            return await self._enter("claim", key)

    async def _enter(self, kind: str, key: str) -> bool:
        """Whether the queue took the entry; it takes only one."""
        try:
            await self._link.publish(self._link.name(kind, key), b"")
        except DeliveryError:
            return False
        return True

    async def _settle(self, item: Item, verdict: Verdict) -> None:
        if verdict.kind == "dead":
            with self._link.errors():
                await self._link.dead_queue(await self._link.publishing(), item.channel)
                letter = DeadItem(item, verdict.reason, time.time())
                await self._link.publish(
                    self._link.name("dead", item.channel), msgspec.msgpack.encode(letter)
                )
        else:
            retried = item.retried + (verdict.kind == "retry")
            await self._put(replace(item, retried=retried), verdict.delay)

    async def _take_letters(self, channel: str, ids: Sequence[str] | None, *, redrive: bool) -> int:
        self._check_open()
        wanted = None if ids is None else set(ids)
        count = 0
        async with self._alone(channel) as letters:
            left = letters.declaration_result.message_count or 0
            while left and (wanted is None or wanted):
                message = await letters.get(fail=False)
                if message is None:
                    break
                left -= 1
                letter = _letter(message)
                if wanted is None or letter.item.id in wanted:
                    if redrive:
                        await self._put(replace(letter.item, retried=0, lost=0), 0.0)
                    await message.ack()
                    count += 1
                    if wanted is not None:
                        wanted.discard(letter.item.id)
        return count

    async def _oldest(self, work: AbstractQueue) -> float:
        """When the first item of a queue that nobody takes from was published."""
        message = await work.get(fail=False)
        if message is None:
            return time.time()
        await message.nack(requeue=True)
        return msgspec.msgpack.decode(message.body, type=Item).published

    def _doing(self, channel: str) -> Doing:
        own = [each for each in self._consumers if each.channel == channel and each.consuming.is_set()]
        taken = max((each.last_taken for each in own), default=0.0)
        return Doing(len(own), sum(each.in_flight for each in own), taken)

    @asynccontextmanager
    async def _alone(self, channel: str) -> AsyncIterator[AbstractQueue]:
        """The dead letters, which nobody else goes through at the same time."""
        deadline = time.monotonic() + ALONE_SECONDS
        while True:
            async with self._own_channel() as own:
                mutex = await self._link.queue(own, self._link.name("alone", channel))
                try:
                    await mutex.consume(_ignore, exclusive=True)
                except AMQPError:
                    if time.monotonic() > deadline:
                        raise
                else:
                    yield await self._link.dead_queue(own, channel)
                    return
            await asyncio.sleep(PAUSE)

    @asynccontextmanager
    async def _own_channel(self) -> AsyncIterator[AbstractChannel]:
        own = await self._link.open_channel()
        try:
            with self._link.errors():
                yield own
        finally:
            await self._link.close_channel(own)

    def _check_open(self) -> None:
        if self._closed:
            raise QueueUnavailable("The queue is closed: this app or server is stopping.")


def _letter(message: AbstractIncomingMessage) -> DeadItem:
    return msgspec.msgpack.decode(message.body, type=DeadItem)


async def _ignore(_: AbstractIncomingMessage) -> None:
    """Nothing is ever sent to the queue that is only there to be held."""

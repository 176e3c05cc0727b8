"""One subscription on RabbitMQ.

RabbitMQ pushes items, as many as the subscription works on at a time. The lease of an item is the AMQP
channel it came through: when that is lost, RabbitMQ gives the item to another, so the handlers of the channel
are cancelled. Whatever is to become of an item other than "done" is published as a copy with new counts,
confirmed, before the original is acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from typing_extensions import override

from atoll.cluster.queue.attempt import BACK, Verdict, about, attempt, lost
from atoll.cluster.queue.base import Consumer, Item, Process
from atoll.cluster.queue.rabbitmq_link import RabbitLink
from atoll.errors import QueueUnavailable
from atoll.lifecycle import end_tasks

log = logging.getLogger(__name__)
UNLIMITED = 500  # RabbitMQ's own "no limit" would pile up a whole queue in memory
ASK_IDLE_SECONDS = 0.25
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
Settle = Callable[[Item, Verdict], Awaitable[None]]


class RabbitConsumer(Consumer):
    """Consumes again whenever the connection, its channel or the queue was lost.

    Args:
        settle: publishes what is to become of an item that is not done.
    """

    def __init__(
        self,
        link: RabbitLink,
        channel: str,
        process: Process,
        idle: Callable[[], bool] | None,
        concurrency: int,
        slots: asyncio.Semaphore | None,
        settle: Settle,
        forget: Callable[[RabbitConsumer], None],
    ) -> None:
        self.channel = channel
        self.last_taken = 0.0  # when the item was published that was taken last
        self.consuming = asyncio.Event()
        self._link = link
        self._process = process
        self._idle = idle
        self._most = concurrency if concurrency > 0 else UNLIMITED
        self._slots = slots
        self._settle = settle
        self._forget = forget
        self._running: set[asyncio.Task[None]] = set()
        self._lost: set[asyncio.Task[None]] = set()
        self._stir = asyncio.Event()
        self._gone = False
        self._closing = False
        self._closed = asyncio.Event()
        self._loop = asyncio.create_task(self._run(), name=f"queue:{channel}")

    @property
    def in_flight(self) -> int:
        """Items it works on."""
        return len(self._running)

    @override
    async def close(self, patience: float = 0.0) -> None:
        if self._closing:
            await self._closed.wait()
            return
        self._closing = True
        self._stir.set()
        try:
            if self._running and patience > 0:
                await asyncio.wait(self._running, timeout=patience)
            await end_tasks(self._running)
            self._stir.set()
            await asyncio.wait([self._loop], timeout=LONGEST_PAUSE)
        finally:
            await end_tasks([self._loop])
            self._forget(self)
            self._closed.set()

    async def _run(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._closing:
            try:
                await self._session()
                pause = SHORTEST_PAUSE
            except QueueUnavailable as error:
                log.warning(
                    "queue cannot be reached now", extra={"channel": self.channel, "reason": error.detail}
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _session(self) -> None:
        """Until the channel is lost or the consumer is closed."""
        channel = await self._link.open_channel()
        try:
            channel.close_callbacks.add(self._channel_closed)
            with self._link.errors():
                await channel.set_qos(prefetch_count=self._most)
                while not channel.is_closed and not (self._closing and not self._running):
                    await self._consume(channel)
        finally:
            self.consuming.clear()
            self._lost.update(self._running)
            if self._running:
                log.error(
                    "the way to RabbitMQ was lost, handlers are cancelled and their items come again",
                    extra={"channel": self.channel, "items": len(self._running)},
                )
            await end_tasks(self._running)
            await self._link.close_channel(channel)

    async def _consume(self, channel: AbstractChannel) -> None:
        """Until the queue was deleted, items are not wanted any more, or the channel is lost."""
        self._stir.clear()
        if self._wanted:
            self._gone = False
            queue = await self._link.work_queue(channel, self.channel)
            under = await channel.get_underlay_channel()
            under.on_consumer_cancel_callbacks.add(self._queue_gone)
            tag = await queue.consume(self._deliver)
            self.consuming.set()
            while self._wanted and not self._gone and not channel.is_closed:
                await self._rest()
            if not self._gone and not channel.is_closed:
                await queue.cancel(tag)
        elif self._closing:
            await self._stir.wait()
        else:
            self.consuming.set()  # it is there, though it does not want anything now
            await self._rest()

    async def _rest(self) -> None:
        self._stir.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ASK_IDLE_SECONDS if self._idle is not None else None):
                await self._stir.wait()

    async def _deliver(self, message: AbstractIncomingMessage) -> None:
        task = asyncio.create_task(self._work(message), name=f"queue:{self.channel}:item")
        self._running.add(task)
        task.add_done_callback(self._worked)

    async def _work(self, message: AbstractIncomingMessage) -> None:
        item = msgspec.msgpack.decode(message.body, type=Item)
        try:
            if message.redelivered:
                # Whoever had it is gone. The copy is what is worked on: only so can losses be counted.
                item, verdict = replace(item, lost=item.lost + 1), lost(item)
                if verdict.kind == "dead":
                    log.error("item given up", extra=about(item, verdict.reason))
            elif not self._wanted:
                verdict = BACK
            else:
                verdict = await self._attempt(item)
        except asyncio.CancelledError:
            if asyncio.current_task() in self._lost:
                raise
            verdict = BACK
        try:
            if verdict.kind != "done":
                await self._settle(item, verdict)
            with self._link.errors():
                await message.ack()
        except QueueUnavailable as error:
            log.warning("item could not be reported, it comes again", extra=about(item, error.detail))

    async def _attempt(self, item: Item) -> Verdict:
        async with self._slots or contextlib.nullcontext():
            self.last_taken = item.published
            return await attempt(item, self._process)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._lost.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("item could not be worked on", exc_info=error, extra={"channel": self.channel})
        self._stir.set()

    @property
    def _wanted(self) -> bool:
        return not self._closing and (self._idle is None or self._idle())

    def _queue_gone(self, *_: object) -> None:
        """RabbitMQ cancelled the consumer."""
        log.warning("the queue was deleted, it is made again", extra={"channel": self.channel})
        self._gone = True
        self._stir.set()

    def _channel_closed(self, *_: object) -> None:
        self._stir.set()

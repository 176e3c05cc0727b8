"""What the consumers of all processes do: RabbitMQ tells how many there are, not what they work on.

Each process with consumers has a queue of its own on the exchange `roll` and consumes from `members`, so that
the number of answers to wait for is known.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable

import msgspec
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError

from atoll.cluster.queue.rabbitmq_link import ANSWER_SECONDS, RabbitLink
from atoll.errors import QueueUnavailable
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
WAIT_SECONDS = 1.0
AGAIN_SECONDS = 1.0


class Doing(msgspec.Struct):
    """What one process says of a channel.

    Attributes:
        last_taken: when the item was published that it took last, seconds since 1970; 0: none yet.
    """

    consumers: int = 0
    in_flight: int = 0
    last_taken: float = 0.0


class Roll:
    """Answers for this process, and asks the others.

    Args:
        doing: gives what this process does in a channel.
    """

    def __init__(self, link: RabbitLink, doing: Callable[[str], Doing]) -> None:
        self._link = link
        self._doing = doing
        self._tasks = BackgroundTasks("queue-roll")
        self._started = False
        self._answering = asyncio.Event()

    async def join(self) -> None:
        """Answers from now on, also after RabbitMQ was away. Waits a little for the first time."""
        if not self._started:
            self._started = True
            _ = self._tasks.spawn("answer", self._answer_for_ever())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS):
                await self._answering.wait()

    async def call(self, channel: str) -> list[Doing]:
        """What all processes with consumers do in the channel. Raises `QueueUnavailable`."""
        own = await self._link.open_channel()
        try:
            with self._link.errors():
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await self._ask(own, channel)
        finally:
            await self._link.close_channel(own)

    async def close(self) -> None:
        """Answers no more. Idempotent."""
        await self._tasks.cancel_all()

    async def _ask(self, own: AbstractChannel, channel: str) -> list[Doing]:
        members = await self._link.queue(own, self._link.name("members"))
        expected = members.declaration_result.consumer_count or 0
        answers: list[Doing] = []
        complete = asyncio.Event()

        async def take(message: AbstractIncomingMessage) -> None:
            answers.append(msgspec.msgpack.decode(message.body, type=Doing))
            if len(answers) >= expected:
                complete.set()

        if expected:
            replies = await own.declare_queue(exclusive=True, auto_delete=True)
            await replies.consume(take, no_ack=True)
            with contextlib.suppress(AMQPError):  # the last one left at this moment
                await self._link.publish(
                    "", channel.encode(), exchange=self._link.name("roll"), reply_to=replies.name
                )
                with contextlib.suppress(TimeoutError):  # a process that hangs does not count
                    async with asyncio.timeout(WAIT_SECONDS):
                        await complete.wait()
        return answers

    async def _answer_for_ever(self) -> None:
        while True:
            try:
                await self._answer()
            except QueueUnavailable as error:
                log.warning("the queue's roll cannot be answered now", extra={"reason": error.detail})
            await asyncio.sleep(AGAIN_SECONDS)

    async def _answer(self) -> None:
        channel = await self._link.open_channel()
        ended = asyncio.Event()
        channel.close_callbacks.add(lambda *_: ended.set())
        try:
            with self._link.errors():
                roll = await channel.declare_exchange(self._link.name("roll"), "fanout", durable=True)
                calls = await channel.declare_queue(
                    self._link.name("call", secrets.token_hex(8)), exclusive=True, auto_delete=True
                )
                await calls.bind(roll)
                await calls.consume(self._called, no_ack=True)
                members = await self._link.queue(channel, self._link.name("members"))
                await members.consume(self._called, no_ack=True)
            self._answering.set()
            await ended.wait()
        finally:
            self._answering.clear()
            await self._link.close_channel(channel)

    async def _called(self, message: AbstractIncomingMessage) -> None:
        if message.reply_to:
            body = msgspec.msgpack.encode(self._doing(message.body.decode()))
            try:
                with self._link.errors():
                    await self._link.publish(message.reply_to, body)
            except QueueUnavailable as error:
                log.debug("nobody waits for the answer any more", extra={"reason": error.detail})

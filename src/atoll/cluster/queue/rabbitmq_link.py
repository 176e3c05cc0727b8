"""The way to RabbitMQ: one connection that is made again when it is lost, and the names of what lies there.

<ns>.work.<channel>       items, a durable queue with priorities
<ns>.dead.<channel>       dead letters
<ns>.alone.<channel>      has an exclusive consumer while somebody goes through the dead letters
<ns>.delay.<ms>           an exchange and a queue; items lie there until they expire into their work queue
<ns>.claim.<key>, .told.<key>  one entry each: an item of this key is being published, was published
<ns>.members, <ns>.roll   who has consumers; the roll is called to learn what they do (rabbitmq_roll.py)
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue, DeliveryMode
from aio_pika.exceptions import AMQPError

from atoll.cluster.queue.base import HIGHEST_PRIORITY, KEY_SECONDS
from atoll.errors import QueueUnavailable
from atoll.lifecycle import BackgroundTasks

if TYPE_CHECKING:
    from aio_pika.abc import FieldValue

log = logging.getLogger(__name__)
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 15.0
CLOSE_SECONDS = 3.0
HEARTBEAT_SECONDS = 10
SPARE_SECONDS = 60.0
NOTHING_MORE: Mapping[str, FieldValue] = MappingProxyType({})
# RabbitMQ takes items from consumers that hold them for longer. Before 3.12 only its configuration counts.
CONSUMER_TIMEOUT_MS = 7 * 24 * 3600 * 1000


class RabbitLink:
    """One connection and a channel for publishing.

    Args:
        url: `amqp://user:password@host:port/vhost`, `amqps://` for TLS.
        namespace: first part of every name.
        heartbeat: seconds. A connection on which nothing came for three of them and a moment is given up;
            RabbitMQ gives up its end after two, and hands the items to others.
    """

    def __init__(self, url: str, namespace: str, heartbeat: int) -> None:
        self._url = url
        self._heartbeat = heartbeat
        self._namespace = namespace
        self._connection: AbstractConnection | None = None
        self._publishing: AbstractChannel | None = None
        self._connecting = asyncio.Lock()
        self._tasks = BackgroundTasks("queue-link")
        self._closed = False

    @property
    def address(self) -> str:
        """For messages and logs: where RabbitMQ is, without user and password."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"

    def name(self, kind: str, of: str = "") -> str:
        """A name of this installation."""
        return f"{self._namespace}.{kind}.{of}" if of else f"{self._namespace}.{kind}"

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what the client raises in the block into `QueueUnavailable`."""
        try:
            with _cancelled_by_the_client():
                yield
        # The client raises RuntimeError for a channel that was closed meanwhile.
        except (AMQPError, OSError, TimeoutError, RuntimeError, ssl.SSLError) as error:
            raise QueueUnavailable(
                f"RabbitMQ at {self.address} does not answer. Check that it runs and can be reached.",
                detail=f"{type(error).__name__}: {error}",
            ) from error

    async def open_channel(self) -> AbstractChannel:
        """A channel of the caller's own, who closes it."""
        async with self._connecting:
            with self.errors():
                connection = await self._connected()
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        return await connection.channel(publisher_confirms=True, on_return_raises=True)
                except Exception:
                    self._connection = None  # whatever it is, it does not work
                    _ = self._tasks.spawn("close", _close(connection))
                    raise

    async def close_channel(self, channel: AbstractChannel) -> None:
        """Closes it, if it and its connection are still there."""
        await _close(channel)

    async def publish(
        self,
        routing_key: str,
        body: bytes,
        *,
        exchange: str = "",
        priority: int = 0,
        reply_to: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Sends a message and waits until RabbitMQ has it. Raises aio_pika's DeliveryError when refused."""
        message = aio_pika.Message(
            body,
            priority=priority,
            delivery_mode=DeliveryMode.PERSISTENT,
            reply_to=reply_to,
            correlation_id=correlation_id,
        )
        channel = await self.publishing()
        async with asyncio.timeout(ANSWER_SECONDS):
            target = await channel.get_exchange(exchange, ensure=False) if exchange else None
            await (target or channel.default_exchange).publish(message, routing_key)

    async def publishing(self) -> AbstractChannel:
        """The channel for publishing and declaring."""
        channel = self._publishing
        if channel is None or channel.is_closed:
            channel = self._publishing = await self.open_channel()
        return channel

    async def queue(
        self, channel: AbstractChannel, name: str, arguments: Mapping[str, FieldValue] = NOTHING_MORE
    ) -> AbstractQueue:
        """Makes sure that a durable queue is there; a classic one, whatever the virtual host's usual type is:
        quorum queues know neither ten priorities nor exclusive consumers, and throw away letters that were
        looked at often."""
        return await channel.declare_queue(
            name,
            durable=True,
            arguments={"x-queue-type": "classic", **arguments},
            timeout=ANSWER_SECONDS,
        )

    async def work_queue(self, channel: AbstractChannel, of: str) -> AbstractQueue:
        """Makes sure that it is there. The result tells depth and consumers."""
        arguments: dict[str, FieldValue] = {
            "x-max-priority": HIGHEST_PRIORITY,
            "x-consumer-timeout": CONSUMER_TIMEOUT_MS,
        }
        return await self.queue(channel, self.name("work", of), arguments)

    async def dead_queue(self, channel: AbstractChannel, of: str) -> AbstractQueue:
        """Makes sure that it is there."""
        return await self.queue(channel, self.name("dead", of))

    async def delay_exchange(self, channel: AbstractChannel, seconds: float) -> str:
        """Where a message waits that long before it goes on by its routing key. Disappears when not used.

        Delays are rounded up to two digits, so that there are few of them.
        """
        exact = math.ceil(seconds * 1000)
        step = 10 ** max(0, len(str(exact)) - 2)
        ms = -(-exact // step) * step
        name = self.name("delay", str(ms))
        arguments: dict[str, FieldValue] = {
            # Quorum queues hand expired messages on with confirmation: none is lost on the way.
            "x-queue-type": "quorum",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            "x-dead-letter-exchange": "",
            "x-message-ttl": ms,
            "x-expires": ms + round(SPARE_SECONDS * 1000),
        }
        await channel.declare_exchange(name, "fanout", durable=True, auto_delete=True, timeout=ANSWER_SECONDS)
        queue = await self.queue(channel, name, arguments)
        await queue.bind(name, timeout=ANSWER_SECONDS)
        return name

    async def key_queue(self, channel: AbstractChannel, kind: str, key: str) -> AbstractQueue:
        """Holds one entry and refuses a second one until `KEY_SECONDS` are over."""
        ttl = round(KEY_SECONDS * 1000)
        arguments: dict[str, FieldValue] = {
            "x-max-length": 1,
            "x-overflow": "reject-publish",
            "x-message-ttl": ttl,
            "x-expires": ttl + round(SPARE_SECONDS * 1000),
        }
        return await self.queue(channel, self.name(kind, key), arguments)

    async def close(self) -> None:
        """Closes the connection. Idempotent; everything after it raises `QueueUnavailable`."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            await _close(connection)
        await self._tasks.cancel_all()

    async def _connected(self) -> AbstractConnection:
        if self._closed:
            raise QueueUnavailable("The queue is closed: this app or server is stopping.")
        transport = self._connection.transport if self._connection is not None else None
        # The connection object itself does not notice that it was closed from the other side.
        if self._connection is None or transport is None or transport.connection.is_closed:
            self._connection = await aio_pika.connect(
                self._url, timeout=CONNECT_SECONDS, heartbeat=self._heartbeat
            )
        return self._connection


@contextmanager
def _cancelled_by_the_client() -> Iterator[None]:
    """The client cancels what waits for an answer when it gives a connection up. To the task that waits this
    looks as if somebody wanted it to end, which would end the loops of others for good."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionAbortedError("the connection was given up") from error


async def _close(what: AbstractConnection | AbstractChannel) -> None:
    with suppress(AMQPError, OSError, TimeoutError, RuntimeError), _cancelled_by_the_client():
        async with asyncio.timeout(CLOSE_SECONDS):
            await what.close()

"""The contract of messages between processes: "this has changed", never the only copy of a fact.

Promised
    Who has subscribed gets every message published afterwards, in the order of publishing per channel, once
    or more, or a `Gap` in place of what could not be delivered (Redis was away for longer than its memory
    of messages, lost its data, the handler is too slow). After a `Gap` anything may have changed: drop what
    is cached. `publish` returns when the message is on its way. While Redis is away it does not fail:
    subscribers get a `Gap` in place of the message as soon as Redis is back, for as long as this process
    lives. A handler gets one message at a time; one that raises is logged and gets the next. Handlers do
    not wait for each other.

Not promised
    Delivery to those who subscribe later, or of debounced messages should the process die before they go.
    Order between channels. Latency (milliseconds as a rule).

Life
    Usable at once; nothing is delivered after `close`, which sends what is still held back. `subscribe`
    works while Redis is away (a `Gap` comes first).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from atoll.lifecycle import end_tasks

log = logging.getLogger(__name__)
T = TypeVar("T")
LONGEST_QUEUE = 5000


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages were lost: whatever is derived from them must be read anew."""


Handler = Callable[[bytes | Gap], Awaitable[None]]


class Subscription:
    """One handler on one channel, with a queue of its own."""

    def __init__(
        self, channel: str, origin: str, handler: Handler, ended: Callable[[Subscription], None]
    ) -> None:
        self.channel = channel
        self._origin = origin
        self._handler = handler
        self._ended = ended
        self._closed = False
        self._queue: asyncio.Queue[bytes | Gap] = asyncio.Queue()
        self._task = asyncio.create_task(self._deliver(), name=f"pubsub:{channel}")

    def offer(self, message: bytes | Gap, origin: str, skip_self: bool) -> None:
        """Queues a message unless it is the subscriber's own; too many at once become one `Gap`."""
        if skip_self and origin == self._origin:
            return
        if self._queue.qsize() >= LONGEST_QUEUE:
            while not self._queue.empty():
                self._queue.get_nowait()
            message = Gap()
        self._queue.put_nowait(message)

    async def close(self) -> None:
        """Ends it; when this returns, the handler does not run and will not. Idempotent."""
        self._closed = True
        self._ended(self)
        if self._task is not asyncio.current_task():
            await end_tasks([self._task])

    async def _deliver(self) -> None:
        while not self._closed:
            message = await self._queue.get()
            try:
                await self._handler(message)
            except Exception:
                log.exception("handler of a message failed", extra={"channel": self.channel})


Announce = Callable[[str, bytes], None]


class PubSub(ABC):
    """One node: what it publishes with `skip_self` reaches all other nodes.

    Args:
        prefix: put before the names of its channels.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._origin = secrets.token_hex(8)
        self._own: list[Subscription] = []
        self._held: dict[tuple[str, bytes, bool, bool], asyncio.Task[None]] = {}

    async def publish(
        self,
        channel: str,
        message: bytes,
        skip_self: bool = True,
        *,
        only_self: bool = False,
        debounce: float = 0.0,
    ) -> None:
        """Sends to all subscribers of the channel; to this node's own only when not `skip_self`.

        Args:
            only_self: sends to this node's own subscribers and to nobody else.
            debounce: holds the message back for so many seconds; the same message to the same channel, if
                published again meanwhile, goes only once.
        """
        if debounce <= 0:
            await self._publish(channel, message, skip_self, only_self)
            return
        key = (channel, message, skip_self, only_self)
        if key not in self._held:
            held = asyncio.create_task(self._hold(key, debounce), name=f"pubsub:debounce:{channel}")
            self._held[key] = held

    @asynccontextmanager
    async def after(self, block: AbstractAsyncContextManager[T]) -> AsyncIterator[tuple[T, Announce]]:
        """Runs in `block`, an outermost transaction, and publishes when it is committed.

        Gives what the block gives and a function that takes channel and message. What was announced goes in
        its order when the block has ended well; when it fails, nothing does.
        """
        announced: list[tuple[str, bytes]] = []
        async with block as inner:
            yield inner, lambda channel, message: announced.append((channel, message))
        for channel, message in announced:
            await self.publish(channel, message)

    @abstractmethod
    async def send(self, channel: str, message: bytes, skip_self: bool) -> None:
        """What `publish` does at once; `channel` without the prefix."""

    async def _publish(self, channel: str, message: bytes, skip_self: bool, only_self: bool) -> None:
        if not only_self:
            await self.send(channel, message, skip_self)
            return
        for subscription in tuple(self._own):
            if subscription.channel == self._prefix + channel:
                subscription.offer(message, "", skip_self=False)

    async def _hold(self, key: tuple[str, bytes, bool, bool], seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._held.pop(key, None)
        await self._publish(*key)

    async def _send_held(self) -> None:
        """Adapters call it first when they close."""
        held, self._held = self._held, {}
        await end_tasks(held.values())
        for key in held:
            await self._publish(*key)

    @abstractmethod
    async def subscribe(self, channel: str, handler: Handler) -> Subscription:
        """Delivers what is published to `channel` from now on to `handler`."""

    @abstractmethod
    def scope(self, name: str) -> PubSub:
        """A node of its own with its own channels, for one app; shares connections with this one.

        Scopes of one name in all processes hear each other.
        """

    @abstractmethod
    async def close(self) -> None:
        """Ends its subscriptions and its scopes; the node it was scoped from stays. Idempotent."""

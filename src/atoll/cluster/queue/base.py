"""The contract of the queue: work that is done at least once, by whoever serves its channel.

Promised
    When `publish` has returned, the item is with the broker and will be taken by a consumer of its channel,
    now or whenever there is one: nobody has to listen, nothing is trimmed. An item is held by one consumer
    at a time, under a lease that the adapter renews in the background for as long as the handler runs; a
    handler that returns acknowledges it. It is taken again when the handler raised or took longer than
    `timeout` (up to `max_retries` times, each time after a longer, jittered pause), and when the lease ended
    because its process died or hung (`LOST_TRIES` times). After that it is a dead letter: kept until a
    person re-drives or drops it, while the queue goes on. Whoever lost a lease is told: its handler is
    cancelled, and its late acknowledgement changes nothing. A closed consumer hands back what it has not
    finished, and that try does not count.

    An item published with a `key` is not added when an item of that key was published to the channel within
    `KEY_SECONDS`; the id of the first is given. `missing` never names a key whose item waits, is being
    worked on or is dead, and names what was lost once the channel holds nothing. Items of higher priority
    are taken first. An item with a delay is not taken before. Items of one app never wait for those of
    another: each app's channels are queues of their own (`scope`), and among consumers that share `slots`
    turns go round.

Not promised
    That an item is run only once: a broker or a process that dies at the wrong moment leaves no other choice.
    Who needs that compares `item.id` or `item.key` with what its database says. Order, except that older
    items of one priority tend to come first. Punctuality of delays (a tenth of them, or half a second).
    Survival of what the broker itself loses: the memory adapter keeps items over a clean stop only, when it
    is given a file; an outbox in the database restores what is lost elsewhere. That `missing` names all that
    is lost while the channel holds other items: Redis and memory do, RabbitMQ cannot look for an item.

Errors
    `QueueUnavailable`: the broker cannot be reached; whether the item was added is not known, and a `key`
    makes it safe to publish again. Consumers do not fail: they come back when the broker does. `ValueError`
    for arguments out of range.

Life
    Usable at once; the first call connects. `close` ends the consumers; a closed queue raises
    `QueueUnavailable`.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

TIMEOUT = 15.0  # seconds for one try, as documented
BACKOFF = 0.5  # seconds before the first retry, as documented
LONGEST_BACKOFF = 300.0
LOST_TRIES = 3  # an item whose process died this often is suspected of killing it
KEY_SECONDS = 600.0
LONGEST_DELAY = 30 * 86400.0
HIGHEST_PRIORITY = 9


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work, as a handler gets it.

    Attributes:
        id: made by `publish`; the same for every try.
        retried: how many tries failed before this one.
        lost: how many tries ended with their process before this one.
        timeout: seconds for this try; None: no limit.
        published: seconds since 1970, by the clock of the publisher.
    """

    id: str
    channel: str
    content: bytes
    retried: int = 0
    lost: int = 0
    max_retries: int = 0
    timeout: float | None = TIMEOUT
    backoff: float = BACKOFF
    priority: int = 0
    key: str | None = None
    published: float = 0.0


@dataclass(frozen=True, slots=True)
class DeadItem:
    """An item that was given up.

    Attributes:
        reason: what the last try ended with, for people; never a traceback.
        died: seconds since 1970.
    """

    item: Item
    reason: str
    died: float


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One channel, as far as the broker and the living consumers know.

    Attributes:
        depth: items that could be taken now; those with a delay count when they are due.
        in_flight: items that are being worked on.
        oldest: age in seconds of the oldest item of `depth`, roughly; None without items.
        consumers: subscriptions in all living processes.
        dead: dead letters.
        delayed: items that are not due yet; None: the broker does not tell it of one channel (RabbitMQ).
    """

    depth: int
    in_flight: int
    oldest: float | None
    consumers: int
    dead: int
    delayed: int | None = 0

    @property
    def unserved(self) -> bool:
        """Items wait and nobody is there who could take them."""
        return self.depth > 0 and self.consumers == 0


Process = Callable[[Item], Awaitable[None]]
"""A handler. It returns when the work is done. Raising `QueueItemRefused` makes a dead letter at once;
`QueueItemNotUnderstood` leaves the item for another consumer (of a newer version) and does not count."""


class Consumer(ABC):
    """One subscription."""

    @abstractmethod
    async def close(self, patience: float = 0.0) -> None:
        """Takes nothing more, waits for running handlers, cancels the rest and hands their items back.

        When this returns no handler of this subscription runs. Idempotent.

        Args:
            patience: seconds to wait for handlers before they are cancelled.
        """


class Queue(ABC):
    """A node of the queue: publishes, and takes what it subscribed to."""

    @abstractmethod
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
        """Adds an item and gives its id.

        Args:
            timeout: seconds one try may take; None: no limit.
            max_retries: how often the item is tried again after its handler raised or took too long.
            delay: seconds during which it is not taken, up to `LONGEST_DELAY`.
            priority: 0 to `HIGHEST_PRIORITY`.
            key: makes publishing idempotent for `KEY_SECONDS`.
            backoff: seconds before the first retry; doubles with each, up to `LONGEST_BACKOFF`.
        """

    @abstractmethod
    async def subscribe(
        self,
        channel: str,
        process: Process,
        *,
        idle: Callable[[], bool] | None = None,
        concurrency: int = 1,
        slots: asyncio.Semaphore | None = None,
    ) -> Consumer:
        """Takes items of the channel as long as the consumer is open.

        Args:
            idle: asked before taking and a few times per second; nothing is taken while it says False.
            concurrency: how many items this subscription works on at a time; 0: as many as there are.
            slots: shared by several subscriptions of this process: each item needs one, in turns.
        """

    @abstractmethod
    async def status(self, channel: str) -> QueueStatus:
        """Numbers of a channel; zeros for one that nobody used."""

    @abstractmethod
    async def dead(self, channel: str, limit: int = 100) -> list[DeadItem]:
        """Dead letters, the oldest first."""

    @abstractmethod
    async def redrive(self, channel: str, ids: Sequence[str] | None = None) -> int:
        """Makes dead letters waiting items with all their tries; None: all. Gives how many."""

    @abstractmethod
    async def drop(self, channel: str, ids: Sequence[str] | None = None) -> int:
        """Deletes dead letters for good; None: all. Gives how many."""

    @abstractmethod
    async def missing(self, channel: str, keys: Collection[str]) -> set[str]:
        """Those of the keys whose items are not with the broker: done, dropped, lost or never published.

        An item that waits for its delay or its next try may be named by mistake: ask only for those that
        cannot be there any more for that reason.
        """

    @abstractmethod
    def scope(self, name: str) -> Queue:
        """A node with its own channels, for one app; shares connections with this one.

        Scopes of one name in all processes see each other's items.
        """

    @abstractmethod
    async def close(self, patience: float = 0.0) -> None:
        """Closes its consumers and its scopes; the node it was scoped from stays. Idempotent."""


def item_id(channel: str, key: str | None) -> str:
    """The id of a new item; one with a key has the same id whoever publishes it."""
    if key is None:
        return secrets.token_hex(12)
    return hashlib.sha256(f"{channel}\0{key}".encode()).hexdigest()[:24]


def check_arguments(
    timeout: float | None, max_retries: int, delay: float, priority: int, backoff: float
) -> None:
    """Raises ValueError for arguments of `publish` that are out of range."""
    if timeout is not None and timeout <= 0:
        raise ValueError("timeout must be above 0, or None for no limit")
    if max_retries < 0 or backoff < 0:
        raise ValueError("max_retries and backoff must not be negative")
    if not 0 <= delay <= LONGEST_DELAY:
        raise ValueError(f"delay must be from 0 to {LONGEST_DELAY:.0f} seconds")
    if not 0 <= priority <= HIGHEST_PRIORITY:
        raise ValueError(f"priority must be from 0 to {HIGHEST_PRIORITY}")

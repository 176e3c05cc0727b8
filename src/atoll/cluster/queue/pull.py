"""Queues whose consumers ask for items: what is common to memory and Redis.

A `Store` keeps the items. A consumer has one loop, which tells the store what became of items and takes new
ones in the same exchange; it looks again when the store wakes it, when a delay ends, or when it has room.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from typing_extensions import override

from atoll.cluster.queue.attempt import BACK, Verdict, about, attempt
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
from atoll.cluster.queue.scoped import ScopedQueue
from atoll.errors import QueueUnavailable
from atoll.lifecycle import BackgroundTasks, end_tasks

log = logging.getLogger(__name__)
MOST_AT_ONCE = 100
ASK_IDLE_SECONDS = 0.25
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
HAND_BACK_SECONDS = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """An item under the lease that `token` names."""

    item: Item
    token: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What an exchange gave.

    Attributes:
        gone: those whose verdict came too late: another may have them already.
        next_in: seconds until an item that is not available yet may be.
    """

    items: Sequence[Held]
    gone: Sequence[Held]
    next_in: float | None


class Store(ABC):
    """Keeps items. Every call raises `QueueUnavailable` when it cannot."""

    lease: float  # seconds

    @abstractmethod
    async def add(self, item: Item, delay: float) -> str:
        """Adds it unless its key is known; the id of what is there."""

    @abstractmethod
    async def exchange(self, channel: str, verdicts: Sequence[tuple[Held, Verdict]], want: int) -> Batch:
        """Applies the verdicts of items still held, and leases up to `want` items."""

    @abstractmethod
    async def renew(self, held: Sequence[Held], consumers: Sequence[tuple[str, str]]) -> list[Held]:
        """Leases start anew, consumers (channel, name) count as living; gives what is not held any more."""

    @abstractmethod
    async def leave(self, channel: str, consumer: str) -> None:
        """The consumer does not count any more."""

    @abstractmethod
    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """Calls `wake` once, soon after there may be something to take."""

    @abstractmethod
    def ignore(self, channel: str, wake: Callable[[], None]) -> None:
        """Takes `listen` back."""

    @abstractmethod
    async def status(self, channel: str) -> QueueStatus:
        """See Queue."""

    @abstractmethod
    async def dead(self, channel: str, limit: int) -> list[DeadItem]:
        """See Queue."""

    @abstractmethod
    async def unbury(self, channel: str, ids: Sequence[str] | None, *, redrive: bool) -> int:
        """Re-drives or drops dead letters."""

    @abstractmethod
    async def missing(self, channel: str, ids: Sequence[str]) -> Sequence[str]:
        """Those of the ids that are not there."""

    @abstractmethod
    async def close(self) -> None:
        """Ends what runs in the background. Idempotent."""


class PullQueue(Queue):
    """A node on a store.

    Args:
        owns_store: whether `close` closes the store.
    """

    def __init__(self, store: Store, *, owns_store: bool) -> None:
        self._store = store
        self._owns_store = owns_store
        self._consumers: set[PullConsumer] = set()
        self._scopes: list[Queue] = []
        self._tasks = BackgroundTasks("queue")
        self._renewing = False
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
        return await self._store.add(item, delay)

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
        consumer = PullConsumer(
            self._store, channel, process, idle, concurrency, slots, self._consumers.discard
        )
        self._consumers.add(consumer)
        with contextlib.suppress(QueueUnavailable):  # then it counts from the next renewal on
            await self._store.renew((), [(channel, consumer.name)])
        if not self._renewing:
            self._renewing = True
            _ = self._tasks.keep_running("renew", self._keep_renewing)
        return consumer

    @override
    async def status(self, channel: str) -> QueueStatus:
        self._check_open()
        return await self._store.status(channel)

    @override
    async def dead(self, channel: str, limit: int = 100) -> list[DeadItem]:
        self._check_open()
        return await self._store.dead(channel, limit)

    @override
    async def redrive(self, channel: str, ids: Sequence[str] | None = None) -> int:
        self._check_open()
        return await self._store.unbury(channel, ids, redrive=True)

    @override
    async def drop(self, channel: str, ids: Sequence[str] | None = None) -> int:
        self._check_open()
        return await self._store.unbury(channel, ids, redrive=False)

    @override
    async def missing(self, channel: str, keys: Collection[str]) -> set[str]:
        self._check_open()
        ids = {item_id(channel, key): key for key in keys}
        return {ids[each] for each in await self._store.missing(channel, list(ids))}

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
        await self._tasks.cancel_all()
        if self._owns_store:
            await self._store.close()

    async def _keep_renewing(self) -> None:
        """Renews all leases of this process; says so when it could not run in time."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(self._store.lease / 3)
            held = [each for consumer in self._consumers for each in consumer.held]
            waited = time.monotonic() - asked
            if waited > self._store.lease * 0.8:
                log.error(
                    "the event loop was blocked, leases of queue items may have ended; "
                    "move long computations of handlers into a thread",
                    extra={"seconds": round(waited, 1), "items": [each.item.id for each in held]},
                )
            try:
                gone = await self._store.renew(
                    held, [(consumer.channel, consumer.name) for consumer in self._consumers]
                )
            except QueueUnavailable as error:
                log.warning("leases cannot be renewed now", extra={"reason": error.detail})
                continue
            for each in gone:
                for consumer in self._consumers:
                    consumer.lose(each)

    def _check_open(self) -> None:
        if self._closed:
            raise QueueUnavailable("The queue is closed: this app or server is stopping.")


class PullConsumer(Consumer):
    """One subscription."""

    def __init__(
        self,
        store: Store,
        channel: str,
        process: Process,
        idle: Callable[[], bool] | None,
        concurrency: int,
        slots: asyncio.Semaphore | None,
        ended: Callable[[PullConsumer], None],
    ) -> None:
        self.channel = channel
        self.name = secrets.token_hex(8)
        self._store = store
        self._process = process
        self._idle = idle
        self._concurrency = concurrency
        self._slots = slots
        self._forget = ended
        self._running: dict[Held, asyncio.Task[None]] = {}
        self._lost: set[Held] = set()
        self._finished: list[tuple[Held, Verdict]] = []
        self._stir = asyncio.Event()
        self._look = True
        self._look_at: float | None = None
        self._turn: asyncio.Task[bool] | None = None
        self._closing = False
        self._closed = asyncio.Event()
        self._loop = asyncio.create_task(self._run(), name=f"queue:{channel}")

    @property
    def held(self) -> tuple[Held, ...]:
        """What it works on, and what it could not report yet."""
        return (*self._running, *(held for held, _ in self._finished))

    @property
    def _over(self) -> bool:
        return self._closing and not self._running and not self._finished

    def lose(self, held: Held) -> None:
        """Another may have the item: its handler here must end, and nothing of it is reported."""
        task = self._running.get(held)
        if task is not None and held not in self._lost:
            log.error("lease of an item was lost, its handler is cancelled", extra=about(held.item, "lease"))
            self._lost.add(held)
            task.cancel()

    @override
    async def close(self, patience: float = 0.0) -> None:
        if self._closing:
            await self._closed.wait()
            return
        self._closing = True
        self._stir.set()
        try:
            if self._running and patience > 0:
                await asyncio.wait(list(self._running.values()), timeout=patience)
            await end_tasks(self._running.values())
            self._stir.set()
            if self._turn is not None:
                await end_tasks([self._turn])
                self._give_turn_back()
            # What cannot be handed back now comes back by itself when its lease ends.
            await asyncio.wait([self._loop], timeout=HAND_BACK_SECONDS)
            with contextlib.suppress(QueueUnavailable):  # it stops counting by itself
                await self._store.leave(self.channel, self.name)
        finally:
            await end_tasks([self._loop])
            self._store.ignore(self.channel, self._wake)
            self._forget(self)
            self._closed.set()

    async def _run(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._over:
            self._stir.clear()
            want = self._wanted()
            if not want and self._turn is not None and self._turn.done():
                self._give_turn_back()
            if want or self._finished:
                try:
                    await self._exchange(want)
                    pause = SHORTEST_PAUSE
                except QueueUnavailable as error:
                    log.warning(
                        "queue cannot be reached now",
                        extra={"channel": self.channel, "reason": error.detail},
                    )
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                    continue
                if self._look and self._wanted():
                    continue
            if not self._finished and not self._over:
                await self._rest()

    async def _exchange(self, want: int) -> None:
        reported, self._finished = self._finished, []
        if want:
            self._look = False
            self._look_at = None
        try:
            batch = await self._store.exchange(self.channel, reported, want)
        except BaseException:
            self._finished = reported + self._finished
            self._look = self._look or want > 0
            raise
        for held in batch.gone:
            log.warning(
                "item was finished after its lease had ended, it may be done twice",
                extra=about(held.item, "lease"),
            )
        if self._closing:
            self._finished += [(held, BACK) for held in batch.items]
            return
        for held in batch.items:
            self._running[held] = asyncio.create_task(self._work(held), name=f"queue:{self.channel}:item")
        if not want:
            return
        if self._slots is not None:
            if not batch.items:
                self._give_turn_back()
            self._turn = None
        if len(batch.items) == want:
            self._look = True
        else:
            if batch.next_in is not None:
                self._look_at = time.monotonic() + batch.next_in
            self._store.listen(self.channel, self._wake)

    async def _work(self, held: Held) -> None:
        try:
            verdict = await attempt(held.item, self._process)
        except asyncio.CancelledError:
            verdict = BACK
        finally:
            del self._running[held]
            if self._slots is not None:
                self._slots.release()
        if held in self._lost:
            self._lost.discard(held)
        else:
            self._finished.append((held, verdict))
        self._stir.set()

    async def _rest(self) -> None:
        """Until there may be something to do."""
        moments = [self._look_at] if self._look_at is not None else []
        if self._look and self._idle is not None and not self._closing:
            moments.append(time.monotonic() + ASK_IDLE_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(moments) - time.monotonic()) if moments else None):
                await self._stir.wait()
        if self._look_at is not None and time.monotonic() >= self._look_at:
            self._look_at = None
            self._look = True

    def _wanted(self) -> int:
        """How many items may be taken now."""
        if self._closing or not self._look or (self._idle is not None and not self._idle()):
            return 0
        room = MOST_AT_ONCE if self._concurrency <= 0 else self._concurrency - len(self._running)
        if self._slots is None or room <= 0:
            return min(room, MOST_AT_ONCE)
        if self._turn is None:
            self._turn = asyncio.create_task(self._slots.acquire(), name=f"queue:{self.channel}:turn")
            self._turn.add_done_callback(lambda _: self._stir.set())
        return 1 if self._turn.done() and not self._turn.cancelled() else 0

    def _wake(self) -> None:
        self._look = True
        self._stir.set()

    def _give_turn_back(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None and turn.done() and not turn.cancelled() and self._slots is not None:
            self._slots.release()

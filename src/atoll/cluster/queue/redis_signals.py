"""Wakes consumers of the Redis queue: one blocking read per process, whatever the number of channels.

A signal is an entry of a list, so it waits for a reader that is not there yet. It wakes one process. Should
that one die before it has taken the item, the regular check of another finds it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

from atoll.cluster.queue.redis_scripts import CHECK
from atoll.cluster.redis import RedisConnection
from atoll.errors import RedisUnavailable
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
BLOCK_SECONDS = 2.0
CHECK_SECONDS = 2.0
MOST_PER_CHECK = 500
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


class RedisSignals:
    """Those who wait in this process.

    Args:
        base: gives the key of a channel.
    """

    def __init__(self, connection: RedisConnection, base: Callable[[str], str]) -> None:
        self._connection = connection
        self._base = base
        self._waiting: dict[str, set[Callable[[], None]]] = {}
        self._watched: frozenset[str] = frozenset()
        self._interrupt_key = connection.key("queue-wake", secrets.token_hex(8))
        self._interrupting = False
        self._somebody = asyncio.Event()
        self._tasks = BackgroundTasks("queue-signals")
        self._started = False
        self._checked = 0.0
        self._check_script = connection.client.register_script(CHECK)

    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """Calls `wake` once when there may be something in the channel."""
        self._waiting.setdefault(channel, set()).add(wake)
        self._somebody.set()
        if not self._started:
            self._started = True
            _ = self._tasks.spawn("read", self._read_forever())
        elif channel not in self._watched and not self._interrupting:
            self._interrupting = True
            _ = self._tasks.spawn("interrupt", self._interrupt())

    def ignore(self, channel: str, wake: Callable[[], None]) -> None:
        """Takes it back."""
        waiting = self._waiting.get(channel)
        if waiting is not None:
            waiting.discard(wake)
            if not waiting:
                del self._waiting[channel]

    async def close(self) -> None:
        """Ends reading. Idempotent."""
        await self._tasks.cancel_all()

    async def _read_forever(self) -> None:
        pause = SHORTEST_PAUSE
        while True:
            if not self._waiting:
                self._watched = frozenset()
                self._somebody.clear()
                await self._somebody.wait()
            try:
                await self._read()
                if time.monotonic() - self._checked >= CHECK_SECONDS:
                    await self._check()
                pause = SHORTEST_PAUSE
            except RedisUnavailable as error:
                log.warning("the queue's signals cannot be read now", extra={"reason": error.detail})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _read(self) -> None:
        self._interrupting = False
        self._watched = frozenset(self._waiting)
        by_key = {self._signal(channel).encode(): channel for channel in self._watched}
        with self._connection.errors():
            answer = await self._connection.client.blpop(
                [self._interrupt_key, *by_key], timeout=BLOCK_SECONDS
            )
        if answer is None:
            return
        channel = by_key.get(answer[0])
        if channel is None:
            return
        if channel in self._waiting:
            self._wake(channel)
            return
        # Everybody here is busy by now: another process may have somebody.
        with self._connection.errors():
            await self._connection.client.lpush(self._signal(channel), "1")

    async def _check(self) -> None:
        self._checked = time.monotonic()
        channels = list(self._waiting)
        for start in range(0, len(channels), MOST_PER_CHECK):
            some = channels[start : start + MOST_PER_CHECK]
            with self._connection.errors():
                found = await self._check_script(keys=[self._base(channel) for channel in some])
            for position in found:
                self._wake(some[position])

    async def _interrupt(self) -> None:
        """Lets the blocking read start again with the channels of now; fails only together with that read."""
        try:
            with self._connection.errors():
                pipe = self._connection.client.pipeline(transaction=False)
                pipe.lpush(self._interrupt_key, "1")
                pipe.expire(self._interrupt_key, 60)
                await pipe.execute()
        except RedisUnavailable as error:
            log.debug("the blocking read could not be interrupted", extra={"reason": error.detail})

    def _wake(self, channel: str) -> None:
        for wake in self._waiting.pop(channel, ()):
            wake()

    def _signal(self, channel: str) -> str:
        return f"{self._base(channel)}:signal"

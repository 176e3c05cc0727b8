"""The contract of locks: leases with an end, and with tokens that tell an old holder from a new one.

Promised
    At most one lease of a key is valid at a time by the clock of the adapter (Redis: the server's own, so
    clocks of nodes do not matter). A lease ends by itself after its ttl, renewed or not by nobody but its
    holder, and nobody but its holder releases it. Each lease of a key has a greater `token` than all before
    it, also after Redis lost its data. Waiting may be cancelled at any time and leaves nothing behind: what
    was granted at that very moment is released.

Not promised
    Order among those who wait. That a holder notices the end in time: a process may be stopped for longer
    than the ttl, and a Redis that fails over may grant a key twice. What must never be written by an old
    holder has to compare tokens itself and refuse the smaller one.

Scopes
    Keys of scopes of one name, in all processes, are the same; keys of other scopes are others.

Errors
    `LockNotAcquired` (held by another for longer than `wait`), `LeaseLost`, `RedisUnavailable`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from atoll.errors import LeaseLost, LockNotAcquired, RedisUnavailable

log = logging.getLogger(__name__)
T = TypeVar("T")


class Lease(ABC):
    """The right to `key` for some time.

    Attributes:
        key: what is locked.
        token: grows with each lease of the key.
        ttl: seconds it was asked for.
        expires: `time.monotonic()` before which it surely has not ended, unless the store lost its data.
    """

    def __init__(self, key: str, token: int, ttl: float, expires: float) -> None:
        self.key = key
        self.token = token
        self.ttl = ttl
        self.expires = expires

    def check(self) -> None:
        """Raises `LeaseLost` when its time is over by this process's clock; asks nobody."""
        if time.monotonic() >= self.expires:
            raise self.lost()

    def lost(self) -> LeaseLost:
        """The error that says so."""
        return LeaseLost(
            "The lock was lost to its time limit; nothing more was written. Try again.", detail=self.key
        )

    @abstractmethod
    async def renew(self, ttl: float | None = None) -> None:
        """It ends `ttl` (None: as acquired) from now. Raises `LeaseLost` when it has ended or was taken."""

    @abstractmethod
    async def release(self) -> None:
        """Frees the key. Raises `LeaseLost`, and frees nothing, when it had ended or was taken."""


class Lock(ABC):
    """Gives leases."""

    @abstractmethod
    async def acquire(self, key: str, ttl: float, wait: float | None = None) -> Lease:
        """A lease of `key` for `ttl` seconds. It is not renewed by itself.

        Args:
            wait: how many seconds to wait while another holds it; None waits without limit.
        """

    @abstractmethod
    def scope(self, name: str) -> Lock:
        """Locks of its own, for one app; shares connections with this one."""

    @abstractmethod
    async def close(self) -> None:
        """Frees what the adapter uses; leases stay until their end. Idempotent."""

    async def try_acquire(self, key: str, ttl: float) -> Lease | None:
        """A lease of `key`; None at once when another holds it."""
        try:
            return await self.acquire(key, ttl, 0.0)
        except LockNotAcquired:
            return None

    async def run_exclusive(
        self, key: str, work: Callable[[], Awaitable[T]], ttl: float = 30.0, wait: float | None = None
    ) -> T:
        """Runs `work` while nobody else holds `key`, for as long as it takes; gives what it gives.

        Args:
            ttl: how long others wait should this process die meanwhile.
            wait: how many seconds to wait for the key; None waits without limit.

        A lease that is lost cancels `work`; then this raises `LeaseLost`.
        """
        async with self.hold(key, ttl, wait):
            return await work()

    @asynccontextmanager
    async def hold(self, key: str, ttl: float, wait: float | None = None) -> AsyncIterator[Lease]:
        """Holds `key` during the block, renewing it at a third of its time.

        A lease that is lost cancels the block, which then ends with `LeaseLost`.
        """
        lease = await self.acquire(key, ttl, wait)
        holder = asyncio.current_task()
        lost: list[LeaseLost] = []

        async def keep() -> None:
            while True:
                await asyncio.sleep(ttl / 3)
                try:
                    await lease.renew()
                except RedisUnavailable as error:
                    log.warning("lock could not be renewed now", extra={"key": key, "reason": error.detail})
                    if time.monotonic() < lease.expires:
                        continue
                    lost.append(lease.lost())
                except LeaseLost as error:
                    lost.append(error)
                if lost and holder is not None:
                    holder.cancel()
                    return

        keeper = asyncio.create_task(keep(), name=f"lock:{key}")
        try:
            yield lease
        except asyncio.CancelledError:
            if lost and holder is not None and holder.uncancel() == 0:
                raise lost[0] from None
            raise
        finally:
            keeper.cancel()
            if not lost:
                await _release(lease)


async def _release(lease: Lease) -> None:
    """A lease that ended meanwhile or cannot be released now ends by itself: the work is done."""
    try:
        await lease.release()
    except (LeaseLost, RedisUnavailable) as error:
        log.warning("lock was gone before its release", extra={"key": lease.key, "reason": error.code})

"""Whose turn it is to start: one environment at a time per app, and not too many apps at a time per
environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from atoll.cluster.lock.base import Lease, Lock
from atoll.errors import LockNotAcquired, RedisUnavailable

LEASE_SECONDS = 15.0
_WAIT_SECONDS = 5.0


class Turn:
    """The right to start one app now."""

    def __init__(self, lease: Lease | None) -> None:
        self._lease = lease

    async def check(self) -> None:
        """Called before each step that writes; raises LeaseLost when another one may have its turn."""
        if self._lease is not None:
            await self._lease.renew()


class StartQueue:
    """Gives turns within one environment, and among environments by a lease of the cluster.

    Args:
        locks: shared with the other environments.
        width: how many apps this environment starts at the same time.
    """

    def __init__(self, locks: Lock, width: int) -> None:
        self._locks = locks
        self._slots = asyncio.Semaphore(width)

    @asynccontextmanager
    async def turn(self, uid: str, *, shared: bool, waiting: Callable[[str], None]) -> AsyncIterator[Turn]:
        """Waits for the turn of the app and holds it for the block.

        Args:
            shared: the app is placed in other environments too.
            waiting: called with the reason when the turn does not come at once.

        A lost lease cancels the block; it then ends with LeaseLost. While Redis is away the turn of a
        shared app does not come.
        """
        async with AsyncExitStack() as stack:
            lease = await self._lease(stack, uid, waiting) if shared else None
            if self._slots.locked():
                waiting("other apps are starting in this environment")
            await stack.enter_async_context(self._slots)
            yield Turn(lease)

    async def _lease(self, stack: AsyncExitStack, uid: str, waiting: Callable[[str], None]) -> Lease:
        """Takes the slot only with the lease in hand, so that who waits for others keeps nobody waiting."""
        wait = 0.0
        while True:
            try:
                return await stack.enter_async_context(self._locks.hold(f"start:{uid}", LEASE_SECONDS, wait))
            except LockNotAcquired:
                waiting("the app is starting in another environment")
                wait = _WAIT_SECONDS
            except RedisUnavailable:
                waiting("Redis cannot be reached; starting one environment after another needs it")
                await asyncio.sleep(1.0)

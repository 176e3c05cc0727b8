"""Whose turn it is to start: one environment at a time per app, and not too many apps at a time per
environment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from atoll.cluster.lock.base import Lease, Lock
from atoll.errors import LeaseLost, LockNotAcquired, RedisUnavailable

log = logging.getLogger(__name__)

LEASE_SECONDS = 15.0


class Turn:
    """The right to start one app now. `check` before each step that writes; it fails once the lease is
    lost.
    """

    def __init__(self, lease: Lease | None) -> None:
        self._lease = lease
        self.lost: LeaseLost | None = None

    @property
    def token(self) -> int:
        """The fencing token, 0 where no other environment can compete."""
        return self._lease.token if self._lease is not None else 0

    async def check(self) -> None:
        """Raises LeaseLost when another environment may have its turn already."""
        if self.lost is not None:
            raise self.lost
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

        A lost lease cancels the block; it then ends with LeaseLost.
        """
        lease = await self._acquire(uid, waiting) if shared else None
        try:
            if self._slots.locked():
                waiting("other apps are starting in this environment")
            async with self._slots:
                turn = Turn(lease)
                if lease is None:
                    yield turn
                    return
                async with _kept(lease, turn):
                    yield turn
        finally:
            if lease is not None:
                await _release(lease)

    async def _acquire(self, uid: str, waiting: Callable[[str], None]) -> Lease:
        key, wait = f"start:{uid}", 0.0
        while True:
            try:
                return await self._locks.acquire(key, LEASE_SECONDS, wait)
            except LockNotAcquired:
                waiting("the app is starting in another environment")
                wait = 5.0
            except RedisUnavailable:
                waiting("Redis cannot be reached; starting one after another needs it")
                await asyncio.sleep(1.0)


@asynccontextmanager
async def _kept(lease: Lease, turn: Turn) -> AsyncIterator[None]:
    """Renews the lease during the block and cancels the block when it is lost."""
    owner = asyncio.current_task()

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                await lease.renew()
            except LeaseLost as error:
                turn.lost = error
                if owner is not None:
                    owner.cancel()
                return
            except RedisUnavailable:
                log.warning("the lease of a start could not be renewed now", extra={"token": lease.token})

    keeper = asyncio.create_task(renew())
    try:
        yield
    except asyncio.CancelledError:
        if turn.lost is not None and owner is not None and owner.uncancel() == 0:
            raise turn.lost from None
        raise
    finally:
        keeper.cancel()


async def _release(lease: Lease) -> None:
    try:
        await lease.release()
    except (LeaseLost, RedisUnavailable) as error:
        log.info("the lease of a start was gone before its release", extra={"reason": error.code})

"""The worker id of this process: acquired, renewed, and acquired again when it was lost."""

from __future__ import annotations

import asyncio
import logging

from atoll.cluster.worker_id.base import WorkerIdLease, WorkerIds
from atoll.errors import (
    AtollError,
    LeaseLost,
    NoWorkerIdFree,
    RedisUnavailable,
    StorageUnusable,
    WorkerIdLost,
)
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
PAUSE = 1.0


class WorkerId:
    """Keeps one lease for the life of a process; everything that makes ids asks it.

    Args:
        held: a lease to begin with; `start` is then not needed, and nobody renews it without.

    Attributes:
        used: the last second an id was made of. Whoever makes ids sets it before using a new second.
    """

    def __init__(self, ids: WorkerIds, held: WorkerIdLease | None = None) -> None:
        self._ids = ids
        self._lease = held
        self._tasks = BackgroundTasks("worker id")
        self._why = "it was not started"
        self.used = 0

    @property
    def bits(self) -> int:
        """Width of the number."""
        return self._ids.bits

    @property
    def lease(self) -> WorkerIdLease | None:
        """The lease, None while there is none. Whether its window is open is the asker's business."""
        return self._lease

    @property
    def problem(self) -> str | None:
        """What is wrong, in words for a person; None while ids can be made."""
        lease = self._lease
        if lease is None:
            return f"no worker id: {self._why}"
        return None if lease.now() < lease.ends else "the worker id was not renewed in time"

    def missing(self) -> WorkerIdLost:
        """The error for whoever wants an id now."""
        return WorkerIdLost(
            "This instance cannot make ids at the moment. Try again in a few seconds.",
            detail=self.problem or "the seconds of the window are used up",
        )

    async def start(self) -> None:
        """Gets an id and keeps it until `stop`.

        While none is free it waits as long as one that was killed would keep its own. When the service
        cannot be reached it goes on all the same, and gets an id as soon as it can.

        Raises NoWorkerIdFree, WorkerIdLayoutDiffers.
        """
        try:
            await self._first()
        except (RedisUnavailable, StorageUnusable) as error:
            self._why = error.message
            log.warning(
                "no worker id yet; records that need ids are refused", extra={"reason": error.message}
            )
        _ = self._tasks.keep_running("keep", self._keep)

    async def stop(self) -> None:
        """Gives the id back. Idempotent."""
        await self._tasks.cancel_all()
        lease, self._lease = self._lease, None
        self._why = "the server stops"
        if lease is not None:
            try:
                await lease.release(self.used)
            except AtollError as error:
                log.warning("the worker id could not be given back", extra={"reason": error.message})
        await self._ids.close()

    async def _first(self) -> None:
        clock = asyncio.get_running_loop().time
        until, said = clock() + self._ids.lease_seconds + PAUSE, False
        while True:
            try:
                await self._acquire()
            except NoWorkerIdFree as error:
                if clock() >= until:
                    raise
                if not said:
                    log.warning("waiting for a worker id", extra={"reason": error.message})
                said = True
            else:
                return
            await asyncio.sleep(PAUSE)

    async def _acquire(self) -> None:
        lease = self._lease = await self._ids.acquire()
        self._why = ""
        log.info("worker id", extra={"worker_id": lease.number, "lease": lease.token})

    async def _keep(self) -> None:
        pause = self._ids.lease_seconds / 6
        while True:
            await asyncio.sleep(pause if self._lease is not None else min(PAUSE, pause))
            try:
                if self._lease is None:
                    await self._acquire()
                else:
                    await self._lease.renew(self.used)
            except AtollError as error:
                self._failed(error)

    def _failed(self, error: AtollError) -> None:
        known, self._why = self._why == error.message, error.message
        if isinstance(error, LeaseLost):
            self._lease = None
        if not known:
            log.warning(
                "the worker id could not be kept", extra={"reason": error.message, "code": error.code}
            )

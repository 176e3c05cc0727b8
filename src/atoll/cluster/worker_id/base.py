"""The contract of worker ids: a small number that one process has at a time, and a window of time with it.

What makes ids unique is the window, not the number alone. A lease covers the whole seconds from `opens` up
to, and without, `ends`. No second of a number is ever in the windows of two leases. So a holder that was
paused for an hour, or whose clock jumps, cannot make an id that its successor makes: whatever it does, its
ids are of its own seconds.

Promised
    At most one living lease has a number. A lease ends by itself when it was not renewed for its length; what
    a killed process held is free again by then. The windows of a number never meet, over restarts, and
    whatever the clocks of nodes do. When the service lost all its data, living leases come back with their
    next renewal, and new ones open only after everything that may have been promised before. Each lease has a
    greater `token` than all before it.

Not promised
    That the seconds are those of a wall clock. They are ahead of it by up to two lengths of a lease after a
    loss of data, and longer after the service's clock was set back. That two leases differ when a Redis
    fails over and forgets that it had granted one: until the next renewal, which is refused, both may have
    one number; likewise when all data is lost twice within half a minute. The primary key of the table
    refuses the second use of an id in that case.

Errors
    `NoWorkerIdFree`; `WorkerIdLayoutDiffers` (others hold ids of another width); `LeaseLost` on renewing what
    another has; `RedisUnavailable`, `StorageUnusable`.

There is no start: the first `acquire` connects. After `close` nothing works.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from atoll.errors import LeaseLost, NoWorkerIdFree, WorkerIdLayoutDiffers

LEAST_BITS, MOST_BITS = 5, 10
LEASE_SECONDS = 60.0
IN_ADVANCE = 10  # seconds of a window beyond the last one used, for more ids than a second has room for


class WorkerIdLease(ABC):
    """The right to make ids with `number`.

    Attributes:
        number: from 0 up to, and without, 2 ** bits.
        bits: width of the number.
        token: grows with each lease.
        opens, ends: the window, in whole seconds since 1970; `ends` is not part of it and grows by renewing.
    """

    def __init__(self, number: int, bits: int, token: int) -> None:
        self.number = number
        self.bits = bits
        self.token = token
        self.opens = self.ends = 0
        self._offset = 0.0

    def now(self) -> int:
        """The present second by the service's clock as it was last seen; asks nobody. May be outside."""
        return int(elapsed() + self._offset)

    @abstractmethod
    async def renew(self, used: int) -> None:
        """Moves the end of the window on, one length of a lease from now.

        Args:
            used: the last second an id was made of; 0 for none.

        Raises LeaseLost when the number is another's.
        """

    @abstractmethod
    async def release(self, used: int) -> None:
        """Gives the number back; the next window begins after `used`. A number that is lost stays so."""

    def _covers(self, now: float, asked: float, opens: int, ends: int) -> None:
        """Notes what was granted: `now` is the service's time, `asked` when it was asked, by `elapsed`."""
        self._offset = now - asked
        self.opens, self.ends = opens, ends

    def _lost(self) -> LeaseLost:
        return LeaseLost("The worker id of this process was given to another.", detail=str(self.number))


class WorkerIds(ABC):
    """Gives leases of worker ids.

    Args:
        bits: width of the numbers; the same for all processes of an installation.
        lease_seconds: how long a number stays with a process that does not renew it.
    """

    def __init__(self, bits: int = LEAST_BITS, lease_seconds: float = LEASE_SECONDS) -> None:
        if not LEAST_BITS <= bits <= MOST_BITS:
            raise ValueError(f"worker ids have {LEAST_BITS} to {MOST_BITS} bits, not {bits}")
        self.bits = bits
        self.lease_seconds = lease_seconds

    @abstractmethod
    async def acquire(self) -> WorkerIdLease:
        """A lease of a number nobody has, at once or not at all."""

    @abstractmethod
    async def close(self) -> None:
        """Frees what the adapter uses; leases stay until they are released or end. Idempotent."""

    def _none_free(self) -> NoWorkerIdFree:
        most = 1 << self.bits
        wider = (
            f" Set WORKER_ID_BITS={self.bits + 1} on all instances, with all of them stopped, for more."
            if self.bits < MOST_BITS
            else ""
        )
        return NoWorkerIdFree(
            f"All {most} worker ids are in use, so this instance could not make ids that are its own. Stop "
            f"another instance; that of a killed one is free again after {self.lease_seconds:g} s.{wider}"
        )

    def _differs(self, other: int) -> WorkerIdLayoutDiffers:
        return WorkerIdLayoutDiffers(
            f"Other instances run with WORKER_ID_BITS={other}, this one with {self.bits}: their ids could be "
            "the same. Give all of them one value; stop all instances to change it."
        )


def elapsed() -> float:
    """Seconds of a clock that nobody sets, and that goes on while the machine sleeps where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def window_end(now: float, used: int, length: float) -> int:
    """Where a window that is granted or renewed `now`, and of which `used` was the last second, ends."""
    return int(max(now + length, used + 1 + IN_ADVANCE)) + 1

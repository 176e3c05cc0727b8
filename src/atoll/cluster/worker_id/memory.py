"""Worker ids within one process."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from typing_extensions import override

from atoll.cluster.worker_id.base import (
    LEASE_SECONDS,
    LEAST_BITS,
    WorkerIdLease,
    WorkerIds,
    elapsed,
    window_end,
)


@dataclass
class Numbers:
    """By number: who has it until when, and the end of its last window (`base` for those without one)."""

    bits: int
    holders: dict[int, tuple[int, float]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    base: int = 0
    last_token: int = 0

    def free(self) -> list[int]:
        """Numbers nobody holds."""
        now = elapsed()
        held = {number for number, (_, until) in self.holders.items() if until > now}
        return [number for number in range(1 << self.bits) if number not in held]

    def end(self, number: int) -> int:
        """Where the last window of the number ends."""
        return self.ends.get(number, self.base)

    def widen(self, bits: int) -> None:
        """Another width, while nobody holds a number: every window begins after all that were."""
        self.base = max(self.ends.values(), default=self.base)
        self.bits = bits
        self.holders.clear()
        self.ends.clear()


class MemoryWorkerIdLease(WorkerIdLease):
    """A lease in this process."""

    def __init__(self, numbers: Numbers, number: int, bits: int, token: int, seconds: float) -> None:
        super().__init__(number, bits, token)
        self._numbers = numbers
        self._seconds = seconds
        asked, now = elapsed(), time.time()
        opens = max(int(now), numbers.end(number))
        self._covers(now, asked, opens, window_end(now, opens, seconds))
        self._keep(asked)

    @override
    async def renew(self, used: int) -> None:
        if not self._held():
            raise self._lost()
        asked, now = elapsed(), time.time()
        self._covers(now, asked, self.opens, max(self.ends, window_end(now, used, self._seconds)))
        self._keep(asked)

    @override
    async def release(self, used: int) -> None:
        if self._held():
            del self._numbers.holders[self.number]
            self._numbers.ends[self.number] = max(self.opens, used + 1)

    def _held(self) -> bool:
        return self._numbers.holders.get(self.number, (0, 0.0))[0] == self.token

    def _keep(self, asked: float) -> None:
        self._numbers.holders[self.number] = (self.token, asked + self._seconds)
        self._numbers.ends[self.number] = self.ends


class MemoryWorkerIds(WorkerIds):
    """One object, or several that share, for all that compete.

    Args:
        numbers: those of another one, to share them.
    """

    def __init__(
        self,
        bits: int = LEAST_BITS,
        lease_seconds: float = LEASE_SECONDS,
        numbers: Numbers | None = None,
    ) -> None:
        super().__init__(bits, lease_seconds)
        self.numbers = numbers if numbers is not None else Numbers(bits)

    @override
    async def acquire(self) -> WorkerIdLease:
        return self.grant()

    def grant(self) -> WorkerIdLease:
        """A lease, for callers that cannot wait."""
        numbers = self.numbers
        free = numbers.free()
        if numbers.bits != self.bits:
            if len(free) < 1 << numbers.bits:
                raise self._differs(numbers.bits)
            numbers.widen(self.bits)
            free = numbers.free()
        if not free:
            raise self._none_free()
        number = min(free, key=numbers.end)
        numbers.last_token = max(numbers.last_token + 1, time.time_ns() // 1000)
        return MemoryWorkerIdLease(numbers, number, self.bits, numbers.last_token, self.lease_seconds)

    @override
    async def close(self) -> None:
        """See the base class; there is nothing to free."""

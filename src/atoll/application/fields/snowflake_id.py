"""Time-ordered 53-bit ids that several instances can make without asking each other (http-api.md 11.8)."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind
from atoll.application.fields.integer import BigIntField
from atoll.cluster.worker_id import WorkerId, WorkerIdLease

EPOCH = 1_605_024_000
LOW_BITS = 21


class SnowflakeIds:
    """Makes ids: 32 bits of seconds since `EPOCH`, 5 of the worker id, 16 of a counter within the second.

    A wider worker id takes its bits from the counter. One object serves all apps of a process.

    Never gives an id twice: every second that ids are made of lies in the window of the worker id's lease,
    and no two windows of a number meet (see `atoll.cluster.worker_id`). This machine's clock is not asked.
    When the counter of a second is used up, the next second of the window is taken in advance.
    """

    def __init__(self, worker: WorkerId) -> None:
        self._worker = worker
        self._counter_bits = LOW_BITS - worker.bits
        self._most = (1 << self._counter_bits) - 1
        self._lease: WorkerIdLease | None = None
        self._second = 0
        self._counter = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """The next id.

        Raises WorkerIdLost while this process has no worker id, or has used up the seconds of its window.
        """
        with self._lock:
            lease = self._worker.lease
            if lease is None:
                raise self._worker.missing()
            now = lease.now()
            if now > self._second or lease is not self._lease:
                # A window that opens in the future is used from its beginning.
                self._begin(lease, max(now, self._second + 1, lease.opens))
            elif self._counter == self._most:
                self._begin(lease, self._second + 1)
            else:
                self._counter += 1
            return ((self._second - EPOCH) << LOW_BITS) | (lease.number << self._counter_bits) | self._counter

    def _begin(self, lease: WorkerIdLease, second: int) -> None:
        if second >= lease.ends:
            raise self._worker.missing()
        self._worker.used = second
        self._lease, self._second, self._counter = lease, second, 0


class SnowflakeIdField(BigIntField):
    """`snowflakeId`: a bigInt the server fills with ids of its own when a record is created."""

    types: ClassVar[tuple[str, ...]] = ("snowflakeId",)

    def __init__(self, name: str, options: Any) -> None:
        super().__init__(name, options)
        self.auto_increment = False

    def initial(self, kind: DatabaseKind) -> Any:
        """None: the record engine fills it from the server's `SnowflakeIds`."""
        return None

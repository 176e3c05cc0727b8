"""Time-ordered 53-bit ids that several instances can make without asking each other (http-api.md 11.8)."""

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind
from atoll.application.fields.integer import BigIntField

EPOCH = 1_605_024_000


class SnowflakeIds:
    """Makes ids: 32 bits of seconds since `EPOCH`, 5 of the worker, 16 of a counter within the second.

    Never gives an id twice while the worker id is unique: when the clock goes back, or the counter of a
    second is used up, the next second is taken in advance instead of waiting.
    """

    def __init__(self, worker_id: int) -> None:
        if not 0 <= worker_id <= 31:
            raise ValueError(f"worker id {worker_id} is not in 0..31")
        self._worker = worker_id << 16
        self._second = 0
        self._sequence = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """The next id."""
        with self._lock:
            second = int(time.time()) - EPOCH
            if second > self._second:
                self._second, self._sequence = second, 0
            elif self._sequence == 0xFFFF:
                self._second, self._sequence = self._second + 1, 0
            else:
                self._sequence += 1
            return (self._second << 21) | self._worker | self._sequence


class SnowflakeIdField(BigIntField):
    """`snowflakeId`: a bigInt the server fills with ids of its own when a record is created."""

    types: ClassVar[tuple[str, ...]] = ("snowflakeId",)

    def __init__(self, name: str, options: Any) -> None:
        super().__init__(name, options)
        self.auto_increment = False

    def initial(self, kind: DatabaseKind) -> Any:
        """None: the record engine fills it from the app's `SnowflakeIds`."""
        return None

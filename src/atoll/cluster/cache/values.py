"""Values as bytes, and the bounded store of them that memory and layered caches use."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from typing import Any

import msgspec

log = logging.getLogger(__name__)


def encode(value: Any) -> bytes:
    """Raises TypeError or OverflowError for what msgspec cannot encode."""
    return msgspec.msgpack.encode(value)


def decode(data: bytes) -> Any:
    """The value, a new one each time."""
    return msgspec.msgpack.decode(data)


def fits(key: str, data: bytes, largest: int) -> bool:
    """Whether the value is small enough to keep; a larger one is logged."""
    if len(data) <= largest:
        return True
    log.warning("value too large for the cache", extra={"key": key, "bytes": len(data), "most": largest})
    return False


class RecentValues:
    """At most `most` values with an end each; the one unused for longest makes room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> bytes | None:
        """The value, which counts as used now."""
        found = self._values.get(key)
        if found is None:
            return None
        if time.monotonic() >= found[1]:
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: str, data: bytes, ends: float) -> None:
        """Keeps it until `ends` by `time.monotonic()`."""
        self._values[key] = (data, ends)
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def left(self, key: str) -> float | None:
        """Seconds to its end; None when there is no value."""
        found = self._values.get(key)
        seconds = found[1] - time.monotonic() if found is not None else 0.0
        return seconds if seconds > 0 else None

    def drop(self, key: str) -> None:
        """Takes it away if it is there."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Takes all away."""
        self._values.clear()

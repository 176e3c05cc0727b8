"""Counters that all who share a cache see alike.

Promised
    Increments of all processes add up. A counter ends `ttl` seconds after the increment that began it;
    later increments do not lengthen it.

Not promised
    That it survives: the memory adapter forgets the one unused for longest beyond its limit, a Redis may
    lose its data. After a broken connection one increment may count twice.

Errors
    `RedisUnavailable`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from atoll.cluster.redis import RedisConnection

ANSWER_SECONDS = 2.0

# KEYS: counter. ARGV: by, ms.
INCREMENT = """
local value = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return value
"""


class Counters(ABC):
    """Whole numbers by key, 0 as long as nothing is counted."""

    @abstractmethod
    async def get(self, key: str) -> int:
        """The count now."""

    @abstractmethod
    async def increment(self, key: str, by: int = 1, *, ttl: float) -> int:
        """Adds `by` (which may be negative) and gives the count after it."""

    @abstractmethod
    async def ttl(self, key: str) -> float | None:
        """Seconds until the counter ends; None when nothing is counted."""

    @abstractmethod
    async def reset(self, key: str) -> None:
        """Back to 0."""


@dataclass
class _Count:
    value: int
    ends: float


class MemoryCounters(Counters):
    """In this process, at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    @override
    async def get(self, key: str) -> int:
        count = self._live(key)
        return 0 if count is None else count.value

    @override
    async def increment(self, key: str, by: int = 1, *, ttl: float) -> int:
        count = self._live(key)
        if count is None:
            count = self._counts[key] = _Count(0, time.monotonic() + ttl)
        self._counts.move_to_end(key)
        count.value += by
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return count.value

    @override
    async def ttl(self, key: str) -> float | None:
        count = self._live(key)
        return None if count is None else count.ends - time.monotonic()

    @override
    async def reset(self, key: str) -> None:
        self._counts.pop(key, None)

    def _live(self, key: str) -> _Count | None:
        count = self._counts.get(key)
        if count is not None and time.monotonic() >= count.ends:
            del self._counts[key]
            return None
        return count


class RedisCounters(Counters):
    """In Redis.

    Args:
        place: parts of the key before the counter's own.
    """

    def __init__(self, connection: RedisConnection, *place: str) -> None:
        self._connection = connection
        self._place = place
        self._increment = connection.client.register_script(INCREMENT)

    @override
    async def get(self, key: str) -> int:
        found = await self._connection.ask(lambda: self._client.get(self._key(key)), ANSWER_SECONDS)
        return 0 if found is None else int(found)

    @override
    async def increment(self, key: str, by: int = 1, *, ttl: float) -> int:
        args = [by, max(1, round(ttl * 1000))]
        return int(
            await self._connection.ask(
                lambda: self._increment(keys=[self._key(key)], args=args), ANSWER_SECONDS
            )
        )

    @override
    async def ttl(self, key: str) -> float | None:
        left = await self._connection.ask(lambda: self._client.pttl(self._key(key)), ANSWER_SECONDS)
        return left / 1000 if left >= 0 else None

    @override
    async def reset(self, key: str) -> None:
        await self._connection.ask(lambda: self._client.delete(self._key(key)), ANSWER_SECONDS)

    @property
    def _client(self) -> Any:
        return self._connection.client

    def _key(self, key: str) -> str:
        return self._connection.key(*self._place, key)

"""Memory in front of Redis: what is read again and again costs no round trip.

What is changed anywhere is announced to all processes, which drop it from their memory. A value read from
Redis is not remembered when its change was announced while it was being read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import msgspec
from typing_extensions import override

from atoll.cluster.cache.base import DEFAULT_TTL, NEAR_SECONDS, Cache, Fill, not_none
from atoll.cluster.cache.bloom import BloomFilters
from atoll.cluster.cache.counters import Counters
from atoll.cluster.cache.redis import RedisCache
from atoll.cluster.cache.values import RecentValues, decode
from atoll.cluster.pubsub import Gap, PubSub, Subscription

CHANNEL = "cache"


@dataclass(eq=False)
class _Read:
    """A question to Redis under way."""

    changed: set[str] = field(default_factory=set)
    all_changed: bool = False


class LayeredCache(Cache):
    """Counters and Bloom filters are those of Redis: there is nothing to remember about them.

    Args:
        far: the cache in Redis; closed with this.
        messages: a node of this cache's own; closed with this.
        most: how many values one scope remembers in memory.
        near: seconds for which it remembers one at most, should a message not arrive.
    """

    def __init__(self, far: RedisCache, messages: PubSub, most: int, *, near: float = NEAR_SECONDS) -> None:
        self._far = far
        self._messages = messages
        self._most = most
        self._near_seconds = near
        self._near = RecentValues(most)
        self._reads: set[_Read] = set()
        self._subscription: Subscription | None = None
        self._subscribing = asyncio.Lock()
        self._scopes: WeakSet[LayeredCache] = WeakSet()

    @property
    @override
    def counters(self) -> Counters:
        return self._far.counters

    @property
    @override
    def blooms(self) -> BloomFilters:
        return self._far.blooms

    @override
    async def get(self, key: str, default: Any = None) -> Any:
        data = self._near.get(key)
        if data is None:
            data = (await self._look([key])).get(key)
        return default if data is None else decode(data)

    @override
    async def set(self, key: str, value: Any, ttl: float = DEFAULT_TTL) -> bool:
        return await self.mset({key: value}, ttl)

    @override
    async def delete(self, key: str) -> None:
        await self.mdel([key])

    @override
    async def mget(self, keys: Iterable[str]) -> dict[str, Any]:
        near = {key: self._near.get(key) for key in keys}
        found = {key: data for key, data in near.items() if data is not None}
        missing = [key for key in near if key not in found]
        if missing:
            found |= await self._look(missing)
        return {key: decode(found[key]) for key in near if key in found}

    @override
    async def mset(self, values: Mapping[str, Any], ttl: float = DEFAULT_TTL) -> bool:
        try:
            return await self._far.mset(values, ttl)
        finally:
            await self._changed(list(values))

    @override
    async def mdel(self, keys: Iterable[str]) -> None:
        gone = list(keys)
        try:
            await self._far.mdel(gone)
        finally:
            await self._changed(gone)

    @override
    async def ttl(self, key: str) -> float | None:
        return await self._far.ttl(key)

    @override
    async def reset(self) -> None:
        try:
            await self._far.reset()
        finally:
            await self._changed(None)

    @override
    async def wrap_with_condition(
        self,
        key: str,
        fill: Fill,
        *,
        use_cache: bool = True,
        is_cacheable: Callable[[Any], bool] = not_none,
        ttl: float = DEFAULT_TTL,
    ) -> Any:
        if use_cache:
            data = self._near.get(key)
            if data is None:
                data = (await self._look([key])).get(key)
            if data is not None:
                return decode(data)
        return await self._far.wrap_with_condition(
            key, fill, use_cache=use_cache, is_cacheable=is_cacheable, ttl=ttl
        )

    @override
    def scope(self, name: str) -> LayeredCache:
        made = LayeredCache(
            self._far.scope(name), self._messages.scope(name), self._most, near=self._near_seconds
        )
        self._scopes.add(made)
        return made

    @override
    async def close(self) -> None:
        for scoped in tuple(self._scopes):
            await scoped.close()
        await self._far.close()
        await self._messages.close()
        self._subscription = None
        self._near.clear()

    async def _look(self, keys: list[str]) -> dict[str, bytes]:
        """From Redis, remembered unless it was changed meanwhile."""
        if self._subscription is None:
            await self._subscribe()
        read = _Read()
        self._reads.add(read)
        asked = time.monotonic()
        try:
            found = await self._far.look(keys)
        finally:
            self._reads.discard(read)
        if not read.all_changed:
            for key, (data, left) in found.items():
                if key not in read.changed:
                    self._near.put(key, data, asked + min(left, self._near_seconds))
        return {key: data for key, (data, _) in found.items()}

    async def _subscribe(self) -> None:
        async with self._subscribing:
            if self._subscription is None:
                self._subscription = await self._messages.subscribe(CHANNEL, self._hear)

    async def _changed(self, keys: list[str] | None) -> None:
        """Tells everybody; None: all keys."""
        self._forget(keys)
        if keys is None or keys:
            await self._messages.publish(CHANNEL, msgspec.msgpack.encode(keys))

    async def _hear(self, message: bytes | Gap) -> None:
        self._forget(None if isinstance(message, Gap) else msgspec.msgpack.decode(message))

    def _forget(self, keys: list[str] | None) -> None:
        if keys is None:
            self._near.clear()
            for read in self._reads:
                read.all_changed = True
            return
        for key in keys:
            self._near.drop(key)
        for read in self._reads:
            read.changed.update(keys)

"""A cache within one process: each scope keeps the values used last, a number of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from typing_extensions import override

from atoll.cluster.cache.base import DEFAULT_TTL, LARGEST, Cache, Fill, not_none
from atoll.cluster.cache.bloom import BloomFilters, MemoryBloomFilters
from atoll.cluster.cache.counters import Counters, MemoryCounters
from atoll.cluster.cache.flights import Flight, Flights
from atoll.cluster.cache.values import RecentValues, decode, encode, fits


class Store:
    """What the scopes of one name share, until the last of them is closed."""

    def __init__(self, most: int) -> None:
        self.users: set[MemoryCache] = set()
        self.values = RecentValues(most)
        self.flights = Flights()
        self.counters = MemoryCounters(most)
        self.blooms = MemoryBloomFilters()


class MemoryCache(Cache):
    """One object, or scopes of it, is shared by all that should see the same values.

    Args:
        most: how many values, and how many counters, one scope keeps.
        largest: bytes of the largest value that is kept.
        name, stores: of a scope, and shared with the cache it is scoped from.
    """

    def __init__(
        self,
        most: int,
        *,
        largest: int = LARGEST,
        name: str = "",
        stores: dict[str, Store] | None = None,
    ) -> None:
        self._most = most
        self._largest = largest
        self._name = name
        self._stores = {} if stores is None else stores
        self._parent: MemoryCache | None = None
        self._scopes: set[MemoryCache] = set()
        self._store = self._stores.setdefault(name, Store(most))
        self._store.users.add(self)

    @property
    @override
    def counters(self) -> Counters:
        return self._store.counters

    @property
    @override
    def blooms(self) -> BloomFilters:
        return self._store.blooms

    @override
    async def get(self, key: str, default: Any = None) -> Any:
        data = self._store.values.get(key)
        return default if data is None else decode(data)

    @override
    async def set(self, key: str, value: Any, ttl: float = DEFAULT_TTL) -> bool:
        return await self.mset({key: value}, ttl)

    @override
    async def delete(self, key: str) -> None:
        await self.mdel([key])

    @override
    async def mget(self, keys: Iterable[str]) -> dict[str, Any]:
        found = {key: self._store.values.get(key) for key in keys}
        return {key: decode(data) for key, data in found.items() if data is not None}

    @override
    async def mset(self, values: Mapping[str, Any], ttl: float = DEFAULT_TTL) -> bool:
        coded = {key: encode(value) for key, value in values.items()}
        await self.mdel(coded)
        kept = {key: data for key, data in coded.items() if fits(key, data, self._largest)}
        for key, data in kept.items():
            self._store.values.put(key, data, time.monotonic() + ttl)
        return len(kept) == len(coded)

    @override
    async def mdel(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._store.values.drop(key)
            self._store.flights.drop(key)

    @override
    async def ttl(self, key: str) -> float | None:
        return self._store.values.left(key)

    @override
    async def reset(self) -> None:
        self._store.values.clear()
        self._store.flights.drop_all()

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
        if not use_cache:
            return decode(encode(await fill()))
        store = self._store
        data = store.values.get(key)
        if data is not None:
            return decode(data)

        async def fly(flight: Flight) -> bytes:
            value = await fill()
            made = encode(value)
            if not flight.dropped and is_cacheable(value) and fits(key, made, self._largest):
                store.values.put(key, made, time.monotonic() + ttl)
            return made

        return decode(await store.flights.share(key, fly))

    @override
    def scope(self, name: str) -> MemoryCache:
        full = f"{self._name}{quote(name, safe='')}/"
        made = MemoryCache(self._most, largest=self._largest, name=full, stores=self._stores)
        made._parent = self
        self._scopes.add(made)
        return made

    @override
    async def close(self) -> None:
        if self._parent is not None:
            self._parent._scopes.discard(self)  # noqa: SLF001 - of its own kind
        for scoped in tuple(self._scopes):
            await scoped.close()
        await self._store.flights.close()
        self._store.users.discard(self)
        if not self._store.users and self._stores.get(self._name) is self._store:
            del self._stores[self._name]

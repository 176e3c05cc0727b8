"""A cache in Redis.

A missing key is filled under a lease in Redis, a key beside the value's. Whoever changes the value takes
the lease away with it, so that what a fill has read before is not stored afterwards.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote
from weakref import WeakSet

from typing_extensions import override

from atoll.cluster.cache.base import DEFAULT_TTL, FILL_LEASE_SECONDS, LARGEST, Cache, Fill, not_none
from atoll.cluster.cache.bloom import BloomFilters, RedisBloomFilters
from atoll.cluster.cache.counters import Counters, RedisCounters
from atoll.cluster.cache.flights import Flight, Flights
from atoll.cluster.cache.values import decode, encode, fits
from atoll.cluster.redis import RedisConnection
from atoll.errors import RedisFull, RedisUnavailable
from atoll.lifecycle import end_tasks

log = logging.getLogger(__name__)
T = TypeVar("T")
READ_SECONDS = 1.0
CHANGE_SECONDS = 2.0
REST_SECONDS = 1.0  # after a failure nobody waits for Redis for so long
OPEN_MS = 1000
SHORTEST_PAUSE = 0.01
LONGEST_PAUSE = 0.2
RESET_BATCH = 500

# KEYS: value and lease of each key. ARGV: ms, values.
STORE = """
for at = 1, #KEYS, 2 do
  redis.call('SET', KEYS[at], ARGV[(at + 1) / 2 + 1], 'PX', ARGV[1])
  redis.call('DEL', KEYS[at + 1])
end
"""
# KEYS: values. Gives value and ms left of each.
LOOK = """
local found = {}
for at = 1, #KEYS do
  found[#found + 1] = redis.call('GET', KEYS[at])
  found[#found + 1] = redis.call('PTTL', KEYS[at])
end
return found
"""
# KEYS: value, lease. ARGV: holder, ms. A lease `-` says that the last fill stored nothing.
BEGIN = """
local value = redis.call('GET', KEYS[1])
if value then return {'value', value} end
local holder = redis.call('GET', KEYS[2])
if holder == '-' then return {'open'} end
if holder and holder ~= ARGV[1] then return {'busy', redis.call('PTTL', KEYS[2])} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {'mine'}
"""
# KEYS: lease. ARGV: holder, ms.
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
# KEYS: value, lease. ARGV: holder, ms, value. Asked again (the answer was lost) it finds the value it has
# stored itself.
FINISH = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return redis.call('GET', KEYS[1]) == ARGV[3] and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
return 1
"""
# KEYS: lease. ARGV: holder, ms.
GIVE_UP = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], '-', 'PX', ARGV[2]) end
"""


class Way:
    """What all scopes share: the connection, the scripts, and whether Redis is worth asking now."""

    def __init__(self, connection: RedisConnection, largest: int, lease: float) -> None:
        self.connection = connection
        self.largest = largest
        self.lease = lease
        self.away_until = 0.0
        register = connection.client.register_script
        self.store, self.look, self.begin = register(STORE), register(LOOK), register(BEGIN)
        self.renew, self.finish, self.give_up = register(RENEW), register(FINISH), register(GIVE_UP)

    async def read(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer; None when Redis gives none in time."""
        if time.monotonic() < self.away_until:
            return None
        try:
            return await self.connection.ask(ask, READ_SECONDS)
        except RedisFull:
            return None
        except RedisUnavailable as error:
            self.away_until = time.monotonic() + REST_SECONDS
            log.warning("the cache cannot be read now", extra={"reason": error.detail})
            return None

    async def change(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer; raises RedisUnavailable when there is none in time."""
        return await self.connection.ask(ask, CHANGE_SECONDS)


class RedisCache(Cache):
    """The connection belongs to the giver, who closes it after this.

    Args:
        largest: bytes of the largest value that is kept.
        lease: seconds that others wait for a fill that gives no sign of life.
        name, way: of a scope, and shared with the cache it is scoped from.
    """

    def __init__(
        self,
        connection: RedisConnection,
        *,
        largest: int = LARGEST,
        lease: float = FILL_LEASE_SECONDS,
        name: str = "",
        way: Way | None = None,
    ) -> None:
        self._way = way or Way(connection, largest, lease)
        self._name = name
        self._flights = Flights()
        self._counters = RedisCounters(connection, "cache", name, "count")
        self._blooms = RedisBloomFilters(connection, "cache", name, "bloom")
        self._scopes: WeakSet[RedisCache] = WeakSet()

    @property
    @override
    def counters(self) -> Counters:
        return self._counters

    @property
    @override
    def blooms(self) -> BloomFilters:
        return self._blooms

    @override
    async def get(self, key: str, default: Any = None) -> Any:
        data = await self._way.read(lambda: self._client.get(self._value(key)))
        return default if data is None else decode(data)

    @override
    async def set(self, key: str, value: Any, ttl: float = DEFAULT_TTL) -> bool:
        return await self.mset({key: value}, ttl)

    @override
    async def delete(self, key: str) -> None:
        await self.mdel([key])

    @override
    async def mget(self, keys: Iterable[str]) -> dict[str, Any]:
        wanted = list(keys)
        found = await self._way.read(lambda: self._client.mget([self._value(key) for key in wanted]))
        return {key: decode(data) for key, data in zip(wanted, found or (), strict=False) if data is not None}

    async def look(self, keys: list[str]) -> dict[str, tuple[bytes, float]]:
        """The values that are there as bytes, with the seconds they have left."""
        names = [self._value(key) for key in keys]
        flat = await self._way.read(lambda: self._way.look(keys=names)) or []
        rows = zip(keys, flat[::2], flat[1::2], strict=False)
        return {key: (data, left / 1000) for key, data, left in rows if data is not None}

    @override
    async def mset(self, values: Mapping[str, Any], ttl: float = DEFAULT_TTL) -> bool:
        coded = {key: encode(value) for key, value in values.items()}
        kept = {key: data for key, data in coded.items() if fits(key, data, self._way.largest)}
        await self.mdel([key for key in coded if key not in kept])
        for key in kept:
            self._flights.drop(key)
        if not kept:
            return not coded
        try:
            names = [name for key in kept for name in self._keys(key)]
            args = [_milliseconds(ttl), *kept.values()]
            await self._way.change(lambda: self._way.store(keys=names, args=args))
        except RedisFull as error:
            log.warning("no room in the cache: %s", error.message)
            await self.mdel(kept)
            return False
        return len(kept) == len(coded)

    @override
    async def mdel(self, keys: Iterable[str]) -> None:
        names = []
        for key in keys:
            self._flights.drop(key)
            names += self._keys(key)
        if names:
            await self._way.change(lambda: self._client.unlink(*names))

    @override
    async def ttl(self, key: str) -> float | None:
        left = await self._way.read(lambda: self._client.pttl(self._value(key)))
        return left / 1000 if left is not None and left >= 0 else None

    @override
    async def reset(self) -> None:
        self._flights.drop_all()
        # Leases first: a fill that ends in between stores nothing.
        for kind in ("fill", "value"):
            pattern = re.sub(r"([*?\[\]\\^-])", r"\\\1", self._key(kind, "")) + "*"
            cursor = await self._take_away(0, pattern)
            while cursor:
                cursor = await self._take_away(cursor, pattern)

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

        async def fly(flight: Flight) -> bytes:
            holder = secrets.token_hex(8)
            state, data = await self._found_or_mine(key, holder)
            if state == b"value":
                return data
            if state == b"mine":
                return await self._fill(flight, key, holder, fill, is_cacheable, ttl)
            return encode(await fill())

        return decode(await self._flights.share(key, fly))

    @override
    def scope(self, name: str) -> RedisCache:
        full = f"{self._name}{quote(name, safe='')}/"
        made = RedisCache(self._way.connection, name=full, way=self._way)
        self._scopes.add(made)
        return made

    @override
    async def close(self) -> None:
        for scoped in tuple(self._scopes):
            await scoped.close()
        await self._flights.close()

    async def _take_away(self, cursor: int, pattern: str) -> int:
        """One step of a scan; gives where the next begins, 0 at the end."""
        following, names = await self._way.change(
            lambda: self._client.scan(cursor, match=pattern, count=RESET_BATCH)
        )
        if names:
            await self._way.change(lambda: self._client.unlink(*names))
        return int(following)

    async def _found_or_mine(self, key: str, holder: str) -> tuple[bytes, bytes]:
        """`value` and the value once it is there; `mine` when this caller is the one that fills; `open` when
        there is nobody to wait for, nor anything to be stored."""
        pause = SHORTEST_PAUSE
        args = [holder, _milliseconds(self._way.lease)]
        while True:
            answer = await self._way.read(lambda: self._way.begin(keys=self._keys(key), args=args))
            if answer is None:
                return b"open", b""
            if answer[0] != b"busy":
                return answer[0], answer[1] if len(answer) > 1 else b""
            await asyncio.sleep(min(pause, answer[1] / 1000 + 0.001) * random.uniform(0.7, 1.0))  # noqa: S311 - spreads
            pause = min(pause * 1.5, LONGEST_PAUSE)

    async def _fill(
        self,
        flight: Flight,
        key: str,
        holder: str,
        fill: Fill,
        is_cacheable: Callable[[Any], bool],
        ttl: float,
    ) -> bytes:
        keeper = asyncio.create_task(self._keep(key, holder), name=f"cache:fill:{key}")
        stored = False
        try:
            value = await fill()
            made = encode(value)
            if is_cacheable(value) and fits(key, made, self._way.largest):
                stored = await self._finish(flight, key, holder, made, ttl)
            return made
        finally:
            await end_tasks([keeper])
            if not stored:
                await self._give_up(key, holder)

    async def _finish(self, flight: Flight, key: str, holder: str, made: bytes, ttl: float) -> bool:
        args = [holder, _milliseconds(ttl), made]
        try:
            done = bool(await self._way.change(lambda: self._way.finish(keys=self._keys(key), args=args)))
        except RedisUnavailable as error:
            log.warning("a value could not be stored", extra={"key": key, "reason": error.message})
            done = False
        flight.dropped = flight.dropped or not done
        return done

    async def _give_up(self, key: str, holder: str) -> None:
        """Those who wait need not any longer: there will be no value. Without Redis the lease just ends."""
        with suppress(RedisUnavailable):
            args = [holder, OPEN_MS]
            await self._way.change(lambda: self._way.give_up(keys=[self._key("fill", key)], args=args))

    async def _keep(self, key: str, holder: str) -> None:
        """Renews the lease while the fill runs, until it is taken away."""
        args = [holder, _milliseconds(self._way.lease)]
        kept: Any = 1
        while kept != 0:
            await asyncio.sleep(self._way.lease / 3)
            kept = await self._way.read(lambda: self._way.renew(keys=[self._key("fill", key)], args=args))

    @property
    def _client(self) -> Any:
        return self._way.connection.client

    def _keys(self, key: str) -> list[str]:
        return [self._value(key), self._key("fill", key)]

    def _value(self, key: str) -> str:
        return self._key("value", key)

    def _key(self, kind: str, key: str) -> str:
        return self._way.connection.key("cache", self._name, kind, key)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))

"""Locks over Redis: every step is one script, judged by the server's clock."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from typing_extensions import override

from atoll.cluster.lock.base import Lease, Lock
from atoll.cluster.redis import RedisConnection
from atoll.errors import LockNotAcquired, RedisUnavailable

# KEYS: lock, last token. ARGV: holder, ttl in ms. The token is the server's time in µs, or one more than
# the last: it grows even when Redis has lost its data. Asked again by the same holder (the answer was
# lost), it gives the same.
ACQUIRE = """
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {redis.call('HGET', KEYS[1], 'token'), 0}
end
if holder then return {false, redis.call('PTTL', KEYS[1])} end
local now = redis.call('TIME')
local token = now[1] * 1000000 + now[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if token <= last then token = last + 1 end
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text, 'PX', 86400000)
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', text)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {text, 0}
"""
RENEW = """
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
# A release that is asked twice (the answer was lost) must not look lost: the holder's name stays for a
# moment.
RELEASE = """
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[2], ARGV[1], 'PX', 10000)
  return 1
end
return redis.call('GET', KEYS[2]) == ARGV[1] and 1 or 0
"""
SHORTEST_PAUSE = 0.02
LONGEST_PAUSE = 0.25


class RedisLease(Lease):
    """A lease that Redis keeps."""

    def __init__(
        self, lock: RedisLock, key: str, holder: str, token: int, ttl: float, expires: float
    ) -> None:
        super().__init__(key, token, ttl, expires)
        self._lock = lock
        self._holder = holder
        self._released = False

    @override
    async def renew(self, ttl: float | None = None) -> None:
        seconds = self.ttl if ttl is None else ttl
        asked = time.monotonic()
        if not await self._lock.renew(self.key, self._holder, seconds):
            self.expires = 0.0
            raise self.lost()
        self.expires = asked + seconds

    @override
    async def release(self) -> None:
        self.expires = 0.0
        released, self._released = self._released, True
        if released or not await self._lock.release(self.key, self._holder):
            raise self.lost()


class RedisLock(Lock):
    """Locks of one installation. The connection belongs to the giver, who closes it after this."""

    def __init__(self, connection: RedisConnection, *, name: str = "") -> None:
        self._connection = connection
        self._name = name
        self._place = ("lock", name) if name else ("lock",)
        self._abandoned: set[asyncio.Task[None]] = set()
        client = connection.client
        self._acquire = client.register_script(ACQUIRE)
        self._renew = client.register_script(RENEW)
        self._release = client.register_script(RELEASE)

    @override
    async def acquire(self, key: str, ttl: float, wait: float | None = None) -> Lease:
        holder = secrets.token_hex(12)
        until = None if wait is None else time.monotonic() + wait
        pause = SHORTEST_PAUSE
        while True:
            asked = time.monotonic()
            token, left = await self._ask(key, holder, ttl)
            if token is not None:
                return RedisLease(self, key, holder, token, ttl, asked + ttl)
            now = time.monotonic()
            if until is not None and now >= until:
                raise LockNotAcquired("Somebody else is at it. Try again in a moment.", detail=key)
            longest = pause if until is None else min(pause, until - now)
            await asyncio.sleep(min(longest, left + 0.001) * random.uniform(0.7, 1.0))  # noqa: S311 - spreads
            pause = min(pause * 1.5, LONGEST_PAUSE)

    @override
    def scope(self, name: str) -> RedisLock:
        return RedisLock(self._connection, name=f"{self._name}{quote(name, safe='')}/")

    @override
    async def close(self) -> None:
        if self._abandoned:
            await asyncio.wait(self._abandoned)

    async def renew(self, key: str, holder: str, ttl: float) -> bool:
        """Whether the holder still had the key and has it for `ttl` more seconds now."""
        with self._connection.errors():
            done = await self._renew(keys=[self._key("lease", key)], args=[holder, _milliseconds(ttl)])
        return bool(done)

    async def release(self, key: str, holder: str) -> bool:
        """Whether the holder still had the key, which is free now."""
        with self._connection.errors():
            done = await self._release(
                keys=[self._key("lease", key), self._key("released", key)], args=[holder]
            )
        return bool(done)

    async def _ask(self, key: str, holder: str, ttl: float) -> tuple[int | None, float]:
        asking = asyncio.ensure_future(
            self._acquire(
                keys=[self._key("lease", key), self._key("token", key)], args=[holder, _milliseconds(ttl)]
            )
        )
        try:
            with self._connection.errors():
                token, left = await asyncio.shield(asking)
        except asyncio.CancelledError:
            undoing = asyncio.create_task(self._abandon(asking, key, holder), name=f"lock:abandon:{key}")
            self._abandoned.add(undoing)
            undoing.add_done_callback(self._abandoned.discard)
            raise
        return (int(token) if token is not None else None), left / 1000

    async def _abandon(self, asking: asyncio.Future[Any], key: str, holder: str) -> None:
        """The lease may have been granted to a caller that is gone: nobody else would release it."""
        with suppress(RedisUnavailable):
            with self._connection.errors():
                await asking
            await self.release(key, holder)

    def _key(self, kind: str, key: str) -> str:
        return self._connection.key(*self._place, kind, key)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))

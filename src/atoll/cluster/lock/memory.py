"""Locks within one process."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import quote

from typing_extensions import override

from atoll.cluster.lock.base import Lease, Lock
from atoll.errors import LockNotAcquired


@dataclass
class _Held:
    token: int
    ends: float


@dataclass
class _Keys:
    held: dict[str, _Held] = field(default_factory=dict)
    last_token: int = 0
    freed: asyncio.Event = field(default_factory=asyncio.Event)

    def notify(self) -> None:
        self.freed.set()
        self.freed = asyncio.Event()


class MemoryLease(Lease):
    """A lease in this process."""

    def __init__(self, keys: _Keys, key: str, token: int, ttl: float, expires: float) -> None:
        super().__init__(key, token, ttl, expires)
        self._keys = keys

    @override
    async def renew(self, ttl: float | None = None) -> None:
        held = self._held()
        held.ends = self.expires = time.monotonic() + (self.ttl if ttl is None else ttl)

    @override
    async def release(self) -> None:
        self._held()
        del self._keys.held[self.key]
        self.expires = 0.0
        self._keys.notify()

    def _held(self) -> _Held:
        held = self._keys.held.get(self.key)
        if held is None or held.token != self.token or time.monotonic() >= held.ends:
            raise self.lost()
        return held


class MemoryLock(Lock):
    """One object, or scopes of it, is shared by all that compete."""

    def __init__(self, *, name: str = "", scopes: dict[str, _Keys] | None = None) -> None:
        self._name = name
        self._scopes = {} if scopes is None else scopes
        self._keys = self._scopes.setdefault(name, _Keys())

    @override
    async def acquire(self, key: str, ttl: float, wait: float | None = None) -> Lease:
        keys = self._keys
        until = None if wait is None else time.monotonic() + wait
        while True:
            now = time.monotonic()
            held = keys.held.get(key)
            if held is None or now >= held.ends:
                # Seeded by the clock, as on Redis: a token kept in a database stays comparable after a
                # restart.
                keys.last_token = max(keys.last_token + 1, time.time_ns() // 1000)
                keys.held[key] = _Held(keys.last_token, now + ttl)
                return MemoryLease(keys, key, keys.last_token, ttl, now + ttl)
            if until is not None and now >= until:
                raise LockNotAcquired("Somebody else is at it. Try again in a moment.", detail=key)
            pause = held.ends - now if until is None else min(held.ends, until) - now
            freed = keys.freed
            try:
                async with asyncio.timeout(max(pause, 0.0)):
                    await freed.wait()
            except TimeoutError:
                continue

    @override
    def scope(self, name: str) -> MemoryLock:
        return MemoryLock(name=f"{self._name}{quote(name, safe='')}/", scopes=self._scopes)

    @override
    async def close(self) -> None:
        self._keys.notify()

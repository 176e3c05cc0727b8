"""Slows down guessing: sign-ins that do not succeed are counted per account and address."""

from __future__ import annotations

import hashlib
import logging
import time

from atoll.cluster.cache import Counters
from atoll.errors import RedisUnavailable, TooManyAttempts

log = logging.getLogger(__name__)
_FREE = 10
_WINDOW = 300.0
_REST = 5.0


class Throttle:
    """After ten failures in five minutes an account is closed for that address until these are over.

    Failures are also counted per account over all addresses, with ten times the room, so that a botnet is
    slowed down without letting one stranger lock somebody out. An attempt counts from its beginning, so
    that many at once are no way around.

    Args:
        shared: counters of all instances of the app.
        own: take their place while they cannot be reached.
    """

    def __init__(self, shared: Counters, own: Counters, window: float = _WINDOW) -> None:
        self._shared = shared
        self._own = own
        self._window = window
        self._shared_from = 0.0

    async def begin(self, account: str, address: str) -> None:
        """Counts an attempt; raises TooManyAttempts when there were too many lately."""
        counters = self._counters()
        try:
            await self._count(counters, account, address)
        except RedisUnavailable as error:
            log.warning("sign-ins are counted in this process only", extra={"reason": error.message})
            self._shared_from = time.monotonic() + _REST
            await self._count(self._own, account, address)

    async def succeeded(self, account: str, address: str) -> None:
        """Forgets the failures from this address, and this attempt."""
        counters = self._counters()
        try:
            await counters.reset(_key(account, address))
            await counters.increment(_key(account), -1, ttl=self._window)
        except RedisUnavailable as error:
            log.warning("a sign-in still counts as an attempt", extra={"reason": error.message})

    async def _count(self, counters: Counters, account: str, address: str) -> None:
        # What is refused for its address is not counted against the account.
        for key, limit in ((_key(account, address), _FREE), (_key(account), _FREE * 10)):
            if await counters.increment(key, ttl=self._window) > limit:
                left = await counters.ttl(key) or 0.0
                raise TooManyAttempts(
                    "Too many failed attempts. Wait some minutes and try again.", retry_after=int(left) + 1
                )

    def _counters(self) -> Counters:
        return self._shared if time.monotonic() >= self._shared_from else self._own


def _key(*parts: str) -> str:
    """What was typed as an account may be a password: it is not written down."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

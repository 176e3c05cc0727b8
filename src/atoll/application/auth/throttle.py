"""Slows down guessing: failed sign-ins are counted per account and address."""

from __future__ import annotations

import time
from collections.abc import Callable

from atoll.errors import TooManyAttempts

_FREE = 10
_WINDOW = 300.0
_MOST = 10_000


class Throttle:
    """After ten failures in five minutes an account is closed for that address until these are over.

    Counts live in this process. Failures are also counted per account over all addresses, with ten times the
    room, so that a botnet is slowed down without letting one stranger lock somebody out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}

    def check(self, account: str, address: str) -> None:
        """Raises TooManyAttempts when there were too many failures lately."""
        for key, limit in (((account, address), _FREE), ((account, ""), _FREE * 10)):
            count, since = self._failures.get(key, (0, 0.0))
            left = since + _WINDOW - self._clock()
            if left <= 0:
                self._failures.pop(key, None)
            elif count >= limit:
                raise TooManyAttempts(
                    "Too many failed attempts. Wait some minutes and try again.", retry_after=int(left) + 1
                )

    def failed(self, account: str, address: str) -> None:
        """Counts a failure."""
        now = self._clock()
        if len(self._failures) >= _MOST:
            self._failures = {key: value for key, value in self._failures.items() if value[1] + _WINDOW > now}
            if len(self._failures) >= _MOST:
                self._failures.clear()
        for key in ((account, address), (account, "")):
            count, since = self._failures.get(key, (0, now))
            self._failures[key] = (count + 1, since)

    def succeeded(self, account: str, address: str) -> None:
        """Forgets the failures from this address."""
        self._failures.pop((account, address), None)

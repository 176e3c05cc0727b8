"""Totals of lists: those the database answers quickly are always asked anew, slow ones are kept a moment.

Counting 100,000 rows costs more than everything else in a list request. A kept total is dropped at once when
this instance writes to the collection, a little later when another instance does (a message), and after
`KEPT` seconds in any case, for those who write past the API.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable

SLOW = 0.002
KEPT = 1.0
_MOST = 1_000


class Counts:
    """The kept totals of one app."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._versions: dict[str, int] = {}
        self._kept: dict[Hashable, tuple[int, float]] = {}
        self._asked: dict[Hashable, asyncio.Task[int]] = {}

    def written(self, collection: str) -> None:
        """Records of the collection changed: its totals are worth nothing any more."""
        self._versions[collection] = self._versions.get(collection, 0) + 1

    def clear(self) -> None:
        """Anything may have changed."""
        for collection in self._versions:
            self._versions[collection] += 1
        self._kept.clear()

    async def get(self, collection: str, shape: Hashable, ask: Callable[[], Awaitable[int]]) -> int:
        """The total of a query.

        Args:
            shape: the query with its values.
            ask: asks the database. Requests that come while it is being asked share the answer, unless this
                instance has written to the collection in between.
        """
        key = (collection, self._versions.setdefault(collection, 0), shape)
        kept = self._kept.get(key)
        if kept is not None and kept[1] > self._clock():
            return kept[0]
        task = self._asked.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(key, ask))
            self._asked[key] = task
            task.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(task)

    def _answered(self, key: Hashable, task: asyncio.Task[int]) -> None:
        self._asked.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waits gets it; nobody may be left to wait

    async def _ask(self, key: Hashable, ask: Callable[[], Awaitable[int]]) -> int:
        started = self._clock()
        total = await ask()
        now = self._clock()
        if now - started > SLOW:
            if len(self._kept) >= _MOST:
                self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}
            if len(self._kept) < _MOST:
                self._kept[key] = (total, now + KEPT)
        return total

"""Fills under way in this process: whoever asks for the same key takes part in the same one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from atoll.lifecycle import end_tasks


@dataclass(eq=False)
class Flight:
    """One fill.

    Attributes:
        dropped: the key was set or deleted meanwhile: what comes is for those who were there before.
    """

    key: str
    dropped: bool = False
    task: asyncio.Task[Any] = field(init=False)


class Flights:
    """Those of one scope."""

    def __init__(self) -> None:
        self._by_key: dict[str, Flight] = {}
        self._all: set[Flight] = set()

    async def share(self, key: str, fly: Callable[[Flight], Awaitable[Any]]) -> Any:
        """What `fly` gives, asked by this call or by an earlier one that is not answered yet.

        `fly` sets `dropped` when it learns that another process has changed the key meanwhile. Then those
        who came after the fill had begun, perhaps after that change, ask again.
        """
        while True:
            flight = self._by_key.get(key)
            if flight is None:
                flight = self._begin(key, fly)
                return await asyncio.shield(flight.task)
            value = await asyncio.shield(flight.task)
            if not flight.dropped:
                return value

    def drop(self, key: str) -> None:
        """The key was changed: the next caller begins a fill of its own."""
        flight = self._by_key.pop(key, None)
        if flight is not None:
            flight.dropped = True

    def drop_all(self) -> None:
        """All keys were changed."""
        for key in tuple(self._by_key):
            self.drop(key)

    async def close(self) -> None:
        """Ends all."""
        await end_tasks([flight.task for flight in self._all])

    def _begin(self, key: str, fly: Callable[[Flight], Awaitable[Any]]) -> Flight:
        flight = Flight(key)

        async def flown() -> Any:
            return await fly(flight)

        flight.task = asyncio.create_task(flown(), name=f"cache:{key}")
        self._by_key[key] = flight
        self._all.add(flight)
        flight.task.add_done_callback(lambda task: self._landed(flight, task))
        return flight

    def _landed(self, flight: Flight, task: asyncio.Task[Any]) -> None:
        self._all.discard(flight)
        if self._by_key.get(flight.key) is flight:
            del self._by_key[flight.key]
        if not task.cancelled():
            task.exception()  # whoever waits gets it; nobody may be left to wait

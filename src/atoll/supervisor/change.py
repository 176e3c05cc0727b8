"""Waiting for something to become true without asking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Changes:
    """Tells waiting tasks that something changed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Everyone who waits looks again."""
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, condition: Callable[[], bool], seconds: float | None) -> bool:
        """Waits until `condition` holds; False when it did not within that time."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await self._event.wait()
        except TimeoutError:
            return condition()
        return True

    async def next(self) -> None:
        """Waits for the next change."""
        await self._event.wait()

"""Typed extension points: a hook is a list of handlers that are awaited in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

E = TypeVar("E")
Handler = Callable[[E], Awaitable[None]]


class Hook(Generic[E]):
    """One extension point whose handlers take one event object.

    Handlers run in the order they were added. The first one that raises stops the rest and the error reaches
    the caller of `emit`: a hook inside a transaction thus undoes it.
    """

    def __init__(self) -> None:
        self._handlers: list[Handler[E]] = []

    def add(self, handler: Handler[E]) -> Callable[[], None]:
        """Adds a handler and returns the function that removes it again."""
        self._handlers.append(handler)

        def remove() -> None:
            if handler in self._handlers:
                self._handlers.remove(handler)

        return remove

    async def emit(self, event: E) -> None:
        """Awaits each handler with `event`."""
        for handler in tuple(self._handlers):
            await handler(event)

    def __len__(self) -> int:
        return len(self._handlers)

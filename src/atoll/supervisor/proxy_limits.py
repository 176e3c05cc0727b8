"""Numbers that keep one slow app, client or environment from harming the others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyLimits:
    """Times in seconds, sizes in bytes.

    Args:
        connect: until an upstream connection stands and its identity is proven.
        first_byte: from the last byte sent to an upstream until its first byte of an answer.
        idle: between two pieces of an answer, or of an upload that the upstream does not take.
        kept: how long an unused upstream connection is kept; shorter than an upstream keeps it.
        kept_per_target: how many unused connections are kept for one target.
        per_app: requests and sockets of one app at the same time.
        replay: how much of an idempotent request's body is remembered so that it can be sent again.
    """

    connect: float = 5.0
    first_byte: float = 120.0
    idle: float = 300.0
    kept: float = 30.0
    kept_per_target: int = 64
    per_app: int = 1000
    replay: int = 65536


class AppLoad:
    """Counts what is going on per app, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy: dict[str, int] = {}

    def enter(self, app: str) -> bool:
        """Counts one more; False, and nothing counted, when the app is at its limit."""
        now = self._busy.get(app, 0)
        if now >= self._limit:
            return False
        self._busy[app] = now + 1
        return True

    def leave(self, app: str) -> None:
        """Counts one less."""
        left = self._busy[app] - 1
        if left > 0:
            self._busy[app] = left
        else:
            del self._busy[app]

    def busy(self, app: str) -> int:
        """How many are going on."""
        return self._busy.get(app, 0)

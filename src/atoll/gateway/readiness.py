"""Whether this server should get requests now: asked of each part, answered honestly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from atoll.errors import AtollError

log = logging.getLogger(__name__)
Check = Callable[[], Awaitable[str | None]]
"""Says what is wrong, None when nothing is. May raise; that is a failure too."""


class Readiness:
    """The checks of one server.

    Args:
        checks: name to check. An error text is shown to whoever asks, so it must hold no secrets.
        limit: seconds after which a check counts as failed.
        drained: whether people want this server to take no new work. It is well, but not ready.
    """

    def __init__(
        self, checks: Mapping[str, Check], limit: float = 3.0, *, drained: Callable[[], bool] = lambda: False
    ) -> None:
        self._checks = dict(checks)
        self._limit = limit
        self._drained = drained
        self.draining = False

    async def well(self) -> bool:
        """Whether nothing is wrong, be it wanted or not."""
        return all([await self._ask(name) is None for name in self._checks])

    async def report(self) -> tuple[bool, dict[str, Any]]:
        """Whether all is well, and what /api/__ready answers.

        `{"status": "ready" | "not ready" | "draining", "checks": {name: {"ok": bool, "message"?: str}}}`
        """
        names = list(self._checks)
        answers = await asyncio.gather(*(self._ask(name) for name in names))
        checks = {
            name: {"ok": problem is None, **({"message": problem} if problem else {})}
            for name, problem in zip(names, answers, strict=True)
        }
        draining = self.draining or self._drained()
        well = all(problem is None for problem in answers) and not draining
        status = "draining" if draining else "ready" if well else "not ready"
        return well, {"status": status, "checks": checks}

    async def _ask(self, name: str) -> str | None:
        try:
            async with asyncio.timeout(self._limit):
                return await self._checks[name]()
        except TimeoutError:
            return f"no answer within {self._limit:g} seconds"
        except AtollError as error:
            return error.message
        except Exception as error:
            log.exception("a readiness check failed", extra={"check": name})
            return f"the check failed: {type(error).__name__}"

"""What an environment shows of itself in presence: its card, the rows of its apps, and figures."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

import msgspec
import psutil

from atoll.errors import AtollError, RedisUnavailable
from atoll.supervisor.models import EnvironmentCard, StatusRow
from atoll.supervisor.presence.base import Announcement, Presence
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.traffic import Traffic

log = logging.getLogger(__name__)


class Announcer:
    """Announces an environment and writes what belongs to the announcement, signed with its key.

    Before it is announced there is nothing that rows and figures could be written to: they are dropped, and
    whoever has them shows them again afterwards.
    """

    def __init__(self, presence: Presence, sealer: Sealer, card: EnvironmentCard) -> None:
        self._presence, self._sealer, self._card = presence, sealer, card
        self._announcement: Announcement | None = None

    async def announce(self) -> None:
        """Raises EnvironmentNameTaken, RedisUnavailable."""
        signed = self._sealer.wrap("card", msgspec.json.encode(self._card))
        self._announcement = await self._presence.announce(self._card, signed)

    async def announce_when_possible(self, announced: Callable[[], None]) -> None:
        """Tries until it succeeds, then calls `announced`; goes on for as long as its task."""
        while self._announcement is None:
            try:
                await self.announce()
            except AtollError as error:
                log.error("the environment cannot announce itself", extra={"reason": error.message})
                await asyncio.sleep(1.0)
        announced()
        await asyncio.Event().wait()

    async def withdraw(self) -> None:
        """Says goodbye, if it was announced."""
        if self._announcement is not None:
            await self._announcement.withdraw()
            self._announcement = None

    def complain(self, problem: str) -> None:
        """Shows what is wrong with the environment."""
        if self._announcement is not None:
            self._announcement.complain(problem)

    async def write_row(self, row: StatusRow) -> None:
        """Shows an app's row. Raises RedisUnavailable."""
        if self._announcement is not None:
            signed = self._sealer.wrap("status", msgspec.json.encode(row))
            await self._announcement.write_status(row.uid, signed)

    async def drop_row(self, uid: str) -> None:
        """Takes an app's row away. Raises RedisUnavailable."""
        if self._announcement is not None:
            await self._announcement.drop_status(uid)

    async def keep_reporting(
        self, traffic: Traffic, names: Callable[[], Mapping[str, str]], seconds: float
    ) -> None:
        """Publishes the figures; they are only worth something while they are new, so what fails is left.

        Args:
            names: gives the identities of the apps by their names.
        """
        process = psutil.Process()
        while True:
            await asyncio.sleep(seconds)
            if self._announcement is None:
                continue
            used = process.memory_info().rss
            report = traffic.report(self._card.name, self._card.instance, names(), used)
            with contextlib.suppress(RedisUnavailable):
                await self._announcement.write_traffic(
                    self._sealer.wrap("traffic", msgspec.msgpack.encode(report))
                )

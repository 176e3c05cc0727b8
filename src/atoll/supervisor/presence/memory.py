"""Presence inside one process: for a single server, and for several environments in one process."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psutil

from atoll.supervisor.models import EnvironmentCard
from atoll.supervisor.presence.base import (
    FIGURES_SECONDS,
    Announcement,
    Event,
    Presence,
    Pull,
    Sighting,
    Snapshot,
    name_taken,
    place,
)
from atoll.supervisor.presence.vitals import measure


@dataclass
class _Instance:
    card: EnvironmentCard
    signed: bytes
    since: datetime
    problem: str = ""
    traffic: bytes = b""
    counted: float = 0.0  # when, by the monotonic clock
    rows: dict[str, bytes] = field(default_factory=dict)


@dataclass
class _Models:
    version: str = ""
    by_uid: dict[str, bytes] = field(default_factory=dict)


class MemoryPresence(Presence):
    """Everything in dictionaries. An instance is alive until it withdraws: it cannot die without this
    process.
    """

    def __init__(self, *, lease_seconds: float = 10.0, heartbeat_seconds: float = 120.0) -> None:
        self._process = psutil.Process()
        self.lease_seconds, self._heartbeat = lease_seconds, timedelta(seconds=heartbeat_seconds)
        self._epoch = secrets.token_hex(8)
        self._instances: dict[tuple[str, str], _Instance] = {}
        self._models: dict[str, _Models] = {}
        self._readers: set[asyncio.Queue[Event]] = set()

    async def open(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Nothing to free."""

    async def announce(self, card: EnvironmentCard, signed: bytes) -> Announcement:
        """See the base class."""
        for (name, _), other in self._instances.items():
            if name == card.name and not other.card.same_place(card):
                raise name_taken(card, place(other.card))
        self._instances[card.name, card.instance] = _Instance(card, signed, datetime.now(UTC))
        self.tell(Event(kind="environment", environment=card.name, instance=card.instance))
        return _MemoryAnnouncement(self, card.name, card.instance)

    async def pull(self, environment: str, known: str) -> Pull:
        """See the base class."""
        models = self._models.get(environment, _Models())
        same = models.version == known
        return Pull(epoch=self._epoch, version=models.version, models=None if same else dict(models.by_uid))

    async def write_models(
        self,
        environment: str,
        changed: Mapping[str, bytes],
        remove: Collection[str],
        version: str,
        *,
        complete: bool = False,
    ) -> None:
        """See the base class."""
        if complete:
            self._models.pop(environment, None)
        models = self._models.setdefault(environment, _Models())
        models.by_uid.update(changed)
        for uid in remove:
            models.by_uid.pop(uid, None)
        models.version = version

    async def models_version(self, environment: str) -> str:
        """See the base class."""
        return self._models.get(environment, _Models()).version

    async def sightings(self) -> tuple[str, tuple[Sighting, ...]]:
        """See the base class."""
        now = datetime.now(UTC)
        found = [
            Sighting(
                environment=name,
                instance=instance,
                card=known.signed,
                remaining=self.lease_seconds,
                problem=known.problem,
                last_seen=now,
                last_heartbeat=now - (now - known.since) % self._heartbeat,
                renewals=int(time.monotonic()),
                vitals=measure(self._process),
            )
            for (name, instance), known in self._instances.items()
        ]
        return self._epoch, tuple(found)

    async def snapshot(self) -> Snapshot:
        """See the base class."""
        epoch, sightings = await self.sightings()
        rows = {
            (name, instance, app): row
            for (name, instance), known in self._instances.items()
            for app, row in known.rows.items()
        }
        return Snapshot(epoch=epoch, sightings=sightings, rows=rows)

    async def traffic(self, instances: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
        """See the base class."""
        oldest = time.monotonic() - FIGURES_SECONDS
        found = {each: known for each in instances if (known := self._instances.get(each)) is not None}
        return {
            each: known.traffic for each, known in found.items() if known.traffic and known.counted > oldest
        }

    async def forget(self, environment: str, instance: str) -> None:
        """Does nothing: what is known here is alive."""

    async def events(self) -> AsyncIterator[Event]:
        """See the base class."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._readers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._readers.discard(queue)

    def tell(self, event: Event) -> None:
        """Hands `event` to all readers."""
        for queue in self._readers:
            queue.put_nowait(event)

    def instance(self, name: str, instance: str) -> _Instance | None:
        """What is stored of an instance."""
        return self._instances.get((name, instance))

    def remove(self, name: str, instance: str) -> None:
        """Removes an instance with its rows and tells the readers."""
        if self._instances.pop((name, instance), None) is not None:
            self.tell(Event(kind="goodbye", environment=name, instance=instance))


class _MemoryAnnouncement(Announcement):
    def __init__(self, presence: MemoryPresence, name: str, instance: str) -> None:
        self._presence, self._name, self._instance = presence, name, instance

    async def withdraw(self) -> None:
        self._presence.remove(self._name, self._instance)

    async def write_status(self, app: str, row: bytes) -> None:
        if (known := self._presence.instance(self._name, self._instance)) is not None:
            known.rows[app] = row
            self._tell(app, row)

    async def drop_status(self, app: str) -> None:
        if (known := self._presence.instance(self._name, self._instance)) is not None:
            known.rows.pop(app, None)
            self._tell(app, b"")

    async def write_traffic(self, report: bytes) -> None:
        if (known := self._presence.instance(self._name, self._instance)) is not None:
            known.traffic, known.counted = report, time.monotonic()

    def complain(self, problem: str) -> None:
        if (known := self._presence.instance(self._name, self._instance)) is not None:
            known.problem = problem

    def _tell(self, app: str, row: bytes) -> None:
        self._presence.tell(
            Event(kind="status", environment=self._name, instance=self._instance, app=app, body=row)
        )

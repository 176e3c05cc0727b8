"""Keeps the directory in line with presence: who is alive, and what the instances say."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from atoll.errors import AtollError
from atoll.supervisor.acquaintance import Acquaintance
from atoll.supervisor.change import Changes
from atoll.supervisor.directory import Directory, EnvironmentView
from atoll.supervisor.last_known import LastKnown
from atoll.supervisor.models import EnvironmentCard, StatusRow
from atoll.supervisor.presence.base import Event, Presence, Sighting, Snapshot
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.sighted import Sighted
from atoll.supervisor.store.base import AppStore

log = logging.getLogger(__name__)

_SLOW = 2.0
_SNAPSHOT_SECONDS = 15.0
_FORGET_SECONDS = 60.0


class Watch:
    """Reads presence by events and by looking regularly; either alone would do.

    An environment is taken for dead only by what presence itself says, never because presence could not be
    read:
    after it was away or lost its data, everyone gets one lease time to show up again.

    Args:
        on_row: awaited for each new row, with the one it replaces. on_environment: called when environments
        came, went or changed.
    """

    def __init__(
        self,
        presence: Presence,
        sealer: Sealer,
        store: AppStore,
        directory: Directory,
        *,
        on_row: Callable[[StatusRow, StatusRow | None], Awaitable[None]],
        on_environment: Callable[[str], None],
        on_loss: Callable[[], None],
        last_known: LastKnown,
        look_seconds: float = 1.0,
    ) -> None:
        self._presence, self._store, self._directory = presence, store, directory
        self._on_row, self._on_loss = on_row, on_loss
        self._last_known, self._look_seconds = last_known, look_seconds
        self._acquaintance = Acquaintance(sealer, store)
        self._sighted = Sighted(directory, self._acquaintance, on_environment)
        self._dead_since: dict[tuple[str, str], float] = {}
        self._epoch = ""
        self._grace_until = 0.0
        self._snapshot_at = 0.0
        self._sightings: Sequence[Sighting] = ()
        self._bodies: dict[tuple[str, str, str], bytes] = {}
        self._unsaved = False
        _ = directory.follow(self._changed)
        self._look_now = asyncio.Event()
        self._looking = asyncio.Lock()
        self.reachable = False
        self.looked = Changes()

    async def load(self) -> None:
        """Knows again the environments that were seen before, as not available yet; whom the store does not
        trust is forgotten.
        """
        stored = await self._store.environments()
        for name in self._acquaintance.unknown_to({known.name: known.public_key for known in stored}):
            self.forget(name)
        for known in stored:
            self._acquaintance.trust(known.name, known.public_key)
            self._directory.environments.setdefault(
                known.name,
                EnvironmentView(
                    name=known.name,
                    card=known.card,
                    public_key=known.public_key,
                    available=False,
                    last_seen=known.last_seen,
                    last_heartbeat=known.last_seen,
                ),
            )

    async def recall(self) -> None:
        """Takes what was known when this was last kept for true, until store and presence say otherwise."""
        kept = await self._last_known.load()
        self._epoch = kept.epoch
        for record in kept.apps:
            self._directory.put(record)
        for each in kept.instances:
            card = self._acquaintance.recall(each.environment, each.card)
            if card is None:
                continue
            self._sighted.recalled(card)
            for body in each.rows.values():
                await self._row(each.environment, each.instance, body)

    async def begin(self) -> None:
        """Takes the first look with the store at hand; when presence is away, what was recalled holds on."""
        await self.load()
        await self.look()

    def forget(self, environment: str) -> None:
        """Ends the trust in an environment's key; the next one it announces becomes the trusted one."""
        self._acquaintance.forget(environment)
        self._directory.environments.pop(environment, None)
        self._directory.touch(environment=environment)
        self.look_soon()

    def look_soon(self) -> None:
        """Looks at presence now instead of at the next turn."""
        self._look_now.set()

    def doubt(self, environment: str) -> None:
        """The environment could not be reached: it is not available until its next sign of life."""
        self._sighted.doubt(environment)
        self.look_soon()

    # -- loops

    async def follow(self) -> None:
        """Applies events for as long as it runs."""
        async for event in self._presence.events():
            await self._event(event)

    async def keep_looking(self) -> None:
        """Looks regularly for as long as it runs."""
        while True:
            await self.look()
            await self._keep()
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._look_now.wait()
            except TimeoutError:
                pass
            self._look_now.clear()

    async def look(self) -> None:
        """Compares with presence once. When it cannot be read, what was known last stays."""
        async with self._looking:
            began = time.monotonic()
            try:
                whole = began - self._snapshot_at > _SNAPSHOT_SECONDS or not self.reachable
                if whole:
                    await self._whole()
                else:
                    epoch, sightings = await self._presence.sightings()
                    await self._take(epoch, sightings)
                    if not self._snapshot_at:
                        await self._whole()
            except AtollError as error:
                if self.reachable:
                    log.warning(
                        "presence cannot be read; the last known state stays", extra={"reason": error.message}
                    )
                self.reachable = False
                self._wait_for_return()
                return
            finally:
                self.looked.notify()
            self.reachable = True
            if time.monotonic() - began > _SLOW:
                self._wait_for_return()

    async def _whole(self) -> None:
        snapshot = await self._presence.snapshot()
        await self._take(snapshot.epoch, snapshot.sightings)
        for (environment, instance, _), body in snapshot.rows.items():
            await self._row(environment, instance, body)
        self._bodies = dict(snapshot.rows)
        self._snapshot_at = time.monotonic()
        self._unsaved = True

    async def _keep(self) -> None:
        """Keeps on disk what changed since the last time, for a start without store or presence."""
        if self._unsaved and self.reachable:
            self._unsaved = False
            snapshot = Snapshot(epoch=self._epoch, sightings=tuple(self._sightings), rows=self._bodies)
            await self._last_known.save(self._directory.records, snapshot)

    def _changed(self, _uid: str | None, _environment: str | None) -> None:
        self._unsaved = True

    def _wait_for_return(self) -> None:
        self._grace_until = time.monotonic() + self._presence.lease_seconds

    # -- what presence says

    async def _event(self, event: Event) -> None:
        match event.kind:
            case "status" if event.body:
                await self._row(event.environment, event.instance, event.body)
            case "status":
                self._directory.drop_rows(event.environment, event.instance, event.app)
            case "gap":
                self._snapshot_at = 0.0
                self.look_soon()
            case "goodbye":
                self._sighted.goodbye(event.environment, event.instance)
                self.look_soon()
            case _:
                await self.look()

    async def _row(self, environment: str, instance: str, body: bytes) -> None:
        row = self._acquaintance.row(environment, instance, body)
        if row is None:
            return
        before = self._directory.row(row.uid, environment, instance)
        if self._directory.put_row(row):
            self._bodies[environment, instance, row.uid] = body
            await self._on_row(row, before)

    async def _take(self, epoch: str, sightings: Sequence[Sighting]) -> None:
        if epoch != self._epoch:
            lost, self._epoch = bool(self._epoch), epoch
            if lost:
                log.warning("shared state was lost and is built anew")
                self._wait_for_return()
                self._snapshot_at = 0.0
            self._on_loss()
        self._sightings = sightings
        by_name: defaultdict[str, list[tuple[Sighting, EnvironmentCard]]] = defaultdict(list)
        for sighting in sightings:
            card = await self._acquaintance.card(sighting)
            if card is not None:
                by_name[sighting.environment].append((sighting, card))
        spare = time.monotonic() < self._grace_until
        for name in by_name.keys() | self._directory.environments.keys():
            self._sighted.update(name, by_name.get(name, []), spare=spare)
        await self._forget_dead(sightings)

    async def _forget_dead(self, sightings: Sequence[Sighting]) -> None:
        """Clears away instances that have been dead for long, with their rows."""
        now = time.monotonic()
        dead = {(each.environment, each.instance) for each in sightings if not each.alive}
        self._dead_since = {key: self._dead_since.get(key, now) for key in dead}
        for (environment, instance), since in list(self._dead_since.items()):
            if now - since > _FORGET_SECONDS:
                await self._presence.forget(environment, instance)
                self._directory.drop_rows(environment, instance)

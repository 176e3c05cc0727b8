"""Keeps the directory in line with presence: who is alive, and what the instances say."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from atoll.errors import AtollError, DatabaseUnavailable, EnvironmentKeyChanged, MessageRefused
from atoll.supervisor.change import Changes
from atoll.supervisor.directory import Directory, EnvironmentView
from atoll.supervisor.last_known import LastKnown
from atoll.supervisor.models import EnvironmentCard, InstanceState, Reason, StatusRow
from atoll.supervisor.presence.base import Event, Presence, Sighting, Snapshot
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.store.base import AppStore, KnownEnvironment

log = logging.getLogger(__name__)

_SLOW = 2.0
_SNAPSHOT_SECONDS = 15.0
_FORGET_SECONDS = 60.0
_KEPT_BEATS = 20


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
        self._presence, self._sealer, self._store, self._directory = presence, sealer, store, directory
        self._on_row, self._on_environment, self._on_loss = on_row, on_environment, on_loss
        self._last_known, self._look_seconds = last_known, look_seconds
        self._trusted: dict[str, str] = {}
        self._cards: dict[bytes, EnvironmentCard] = {}
        self._refused: dict[str, Reason] = {}
        self._doubts: dict[str, dict[str, int] | None] = {}
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
        keys = {known.name: known.public_key for known in stored}
        for name, key in list(self._trusted.items()):
            if keys.get(name) != key:
                self.forget(name)
        for known in stored:
            self._trusted[known.name] = known.public_key
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
            try:
                opened = self._sealer.unwrap("card", each.card)
                card = msgspec.json.decode(opened.body, type=EnvironmentCard)
            except (MessageRefused, msgspec.MsgspecError) as error:
                log.warning(
                    "a kept card was refused", extra={"environment": each.environment, "reason": str(error)}
                )
                continue
            self._trusted[card.name] = card.public_key
            view = self._directory.environments.get(card.name)
            instances = view.instances if view is not None else ()
            self._put(
                EnvironmentView(
                    name=card.name,
                    card=card,
                    public_key=card.public_key,
                    available=True,
                    instances=(*instances, InstanceState(card=card, alive=True)),
                )
            )
            for body in each.rows.values():
                await self._row(each.environment, each.instance, body)

    async def begin(self) -> None:
        """Takes the first look with the store at hand; when presence is away, what was recalled holds on."""
        await self.load()
        await self.look()

    def forget(self, environment: str) -> None:
        """Ends the trust in an environment's key; the next one it announces becomes the trusted one."""
        self._trusted.pop(environment, None)
        self._refused.pop(environment, None)
        self._directory.environments.pop(environment, None)
        self._directory.touch(environment=environment)
        self.look_soon()

    def look_soon(self) -> None:
        """Looks at presence now instead of at the next turn."""
        self._look_now.set()

    def doubt(self, environment: str) -> None:
        """The environment could not be reached: it is not available until its next sign of life."""
        view = self._directory.environments.get(environment)
        if view is not None and view.available and len(view.instances) == 1:
            self._doubts.setdefault(environment, None)
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

    # -- events

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
                self._goodbye(event.environment, event.instance)
                self.look_soon()
            case _:
                await self.look()

    def _goodbye(self, environment: str, instance: str) -> None:
        view = self._directory.environments.get(environment)
        if view is None:
            return
        left = tuple(each for each in view.instances if each.card.instance != instance)
        self._directory.drop_rows(environment, instance)
        alive = any(each.alive for each in left)
        self._put(msgspec.structs.replace(view, instances=left, available=alive, left=not alive))

    async def _row(self, environment: str, instance: str, body: bytes) -> None:
        try:
            opened = self._sealer.unwrap("status", body)
            row = msgspec.json.decode(opened.body, type=StatusRow)
        except (MessageRefused, msgspec.MsgspecError) as error:
            log.warning("a status row was refused", extra={"environment": environment, "reason": str(error)})
            return
        honest = (row.environment, row.instance) == (environment, instance)
        if opened.header.scheme == "pair":
            honest = honest and opened.header.sender == self._trusted.get(environment)
        if not honest:
            log.warning("a status row was written by somebody else", extra={"environment": environment})
            return
        before = self._directory.row(row.uid, environment, instance)
        if self._directory.put_row(row):
            self._bodies[environment, instance, row.uid] = body
            await self._on_row(row, before)

    # -- sightings

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
            card = await self._card(sighting)
            if card is not None:
                by_name[sighting.environment].append((sighting, card))
        for name in by_name.keys() | self._directory.environments.keys():
            self._update(name, by_name.get(name, []))
        await self._forget_dead(sightings)

    async def _card(self, sighting: Sighting) -> EnvironmentCard | None:
        """The card, if the environment that is trusted under that name made it."""
        name = sighting.environment
        known = self._cards.get(sighting.card)
        if known is not None and (name in self._trusted):
            return known if self._trusted[name] == known.public_key else None
        try:
            opened = self._sealer.unwrap("card", sighting.card)
            card = msgspec.json.decode(opened.body, type=EnvironmentCard)
            if card.name != name or opened.header.sender != card.public_key:
                raise MessageRefused("An environment announced itself with a card that is not its own.")
            met = await self._meet(card, shared=opened.header.scheme == "shared")
        except DatabaseUnavailable as error:
            if sighting.alive:  # nobody is mistrusted for that
                self._refused[name] = _reason(error)
            return None
        except (AtollError, msgspec.MsgspecError) as error:
            if sighting.alive and name not in self._refused:
                log.error("an environment is not trusted", extra={"environment": name, "reason": str(error)})
            if sighting.alive:
                self._refused[name] = _reason(error)
            return None
        self._refused.pop(name, None)
        if not met:  # asked of the store again at the next look
            return card
        self._cards = {
            seen: kept for seen, kept in self._cards.items() if kept.name != name or not sighting.alive
        }
        self._cards[sighting.card] = card
        return card

    async def _meet(self, card: EnvironmentCard, *, shared: bool) -> bool:
        """Remembers who was seen; False when that has to wait because the store is away.

        Raises EnvironmentKeyChanged, and DatabaseUnavailable for somebody who is not trusted already.
        """
        known = KnownEnvironment(
            name=card.name, public_key=card.public_key, card=card, last_seen=datetime.now(UTC)
        )
        try:
            kept = await self._store.meet(known)
        except DatabaseUnavailable:
            if self._trusted.get(card.name) != card.public_key:
                raise
            return False
        if kept.public_key != card.public_key and shared:
            # The shared key vouches for it.
            await self._store.forget_environment(card.name)
            kept = await self._store.meet(known)
        self._trusted[card.name] = kept.public_key
        if kept.public_key != card.public_key:
            raise EnvironmentKeyChanged(
                f"The environment {card.name!r} announces another key than the one trusted since it"
                " was first seen. If it was set up anew on purpose, forget the environment here;"
                " it is then met again."
            )
        return True

    def _update(self, name: str, seen: list[tuple[Sighting, EnvironmentCard]]) -> None:
        before = self._directory.environments.get(name)
        if not seen and before is None:
            return
        newest = sorted(seen, key=lambda pair: (pair[0].alive, pair[0].remaining))
        card = newest[-1][1] if newest else before.card if before is not None else None
        if card is None:
            return
        instances = tuple(_instance(sighting, each) for sighting, each in seen)
        alive = any(each.alive for each in instances)
        if not alive and before is not None and before.available and time.monotonic() < self._grace_until:
            return
        problem = next((sighting.problem for sighting, _ in seen if sighting.alive and sighting.problem), "")
        reason = self._refused.get(name)
        if reason is None and problem:
            reason = Reason(code="ENVIRONMENT_PROBLEM", message=problem)
        seen_at = [each.last_seen for each in instances if each.last_seen is not None]
        beats = [each.last_heartbeat for each in instances if each.last_heartbeat is not None]
        last_beat = max(beats, default=before.last_heartbeat if before is not None else None)
        self._put(
            EnvironmentView(
                name=name,
                card=card,
                public_key=self._trusted.get(name, card.public_key),
                available=alive and not self._doubted(name, seen),
                instances=instances,
                reason=reason,
                left=before is not None and before.left and not alive,
                last_seen=max(seen_at, default=before.last_seen if before is not None else None),
                last_heartbeat=last_beat,
                beats=_with_beat(before.beats if before is not None else (), last_beat),
            )
        )

    def _doubted(self, name: str, seen: Iterable[tuple[Sighting, EnvironmentCard]]) -> bool:
        """True until an instance renewed its lease after the doubt arose, or a new one came."""
        if name not in self._doubts:
            return False
        renewals = {each.instance: each.renewals for each, _ in seen if each.alive}
        before = self._doubts[name]
        if before is None:
            self._doubts[name] = renewals
            return True
        if all(before.get(instance, -1) >= count for instance, count in renewals.items()):
            return True
        del self._doubts[name]
        return False

    def _put(self, view: EnvironmentView) -> None:
        before = self._directory.environments.get(view.name)
        self._directory.environments[view.name] = view
        if before is None or _facts(before) != _facts(view):
            if before is None or before.available != view.available:
                log.info(
                    "environment is available" if view.available else "environment is not available",
                    extra={"environment": view.name, "reason": view.reason.message if view.reason else ""},
                )
            self._directory.touch(environment=view.name)
            self._on_environment(view.name)

    async def _forget_dead(self, sightings: Sequence[Sighting]) -> None:
        """Clears away instances that have been dead for long, with their rows."""
        now = time.monotonic()
        dead = {(each.environment, each.instance) for each in sightings if not each.alive}
        self._dead_since = {key: self._dead_since.get(key, now) for key in dead}
        for (environment, instance), since in list(self._dead_since.items()):
            if now - since > _FORGET_SECONDS:
                await self._presence.forget(environment, instance)
                self._directory.drop_rows(environment, instance)


def _with_beat(before: tuple[datetime, ...], beat: datetime | None) -> tuple[datetime, ...]:
    if beat is None or (before and beat <= before[-1]):
        return before
    return (*before, beat)[-_KEPT_BEATS:]


def _instance(sighting: Sighting, card: EnvironmentCard) -> InstanceState:
    used = sighting.vitals
    return InstanceState(
        card=card,
        alive=sighting.alive,
        lag=sighting.lag,
        last_seen=sighting.last_seen,
        last_heartbeat=sighting.last_heartbeat,
        cpu=used.cpu if used is not None else None,
        memory=used.memory if used is not None else None,
        machine_memory=used.machine_memory if used is not None else None,
    )


def _facts(view: EnvironmentView) -> tuple[object, ...]:
    """What of an environment people want to hear about when it changes; not each sign of life."""
    alive = tuple(each.card.instance for each in view.instances if each.alive)
    return (view.available, view.card, view.reason, alive, view.last_heartbeat)


def _reason(error: Exception) -> Reason:
    if isinstance(error, AtollError):
        return Reason(code=error.code, message=error.message)
    return Reason(code="MESSAGE_REFUSED", message="The environment is of another version; update it.")

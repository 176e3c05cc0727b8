"""Presence in Redis.

Keys below the namespace: `presence:leases` (zset: end by Redis's clock), for each instance the hashes
`presence:instance:<environment>|<instance>` and `presence:rows:<environment>|<instance>`, its figures in
`presence:traffic:<environment>|<instance>` (gone by themselves), the models in the
hash `presence:models:<environment>` with `...:version`, `presence:events` (stream, capped) and
`presence:epoch`, a random mark that is gone when everything is gone. The lease is renewed by a thread
(lease.py).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from atoll.cluster.redis import RedisConnection
from atoll.errors import RedisUnavailable
from atoll.supervisor.models import EnvironmentCard
from atoll.supervisor.presence import scripts
from atoll.supervisor.presence.base import (
    FIGURES_SECONDS,
    Announcement,
    Event,
    EventKind,
    Presence,
    Pull,
    Sighting,
    Snapshot,
    Vitals,
)
from atoll.supervisor.presence.lease import LeaseKeeper, process_lives, shown_card

log = logging.getLogger(__name__)

_BLOCK_MS = 2000
_PAUSE = 0.2


class RedisPresence(Presence):
    """See the module's text.

    Args:
        lease_seconds: how long an instance counts as alive without a sign of life.
        heartbeat_seconds: how often `last_heartbeat` is renewed.
    """

    def __init__(
        self, connection: RedisConnection, *, lease_seconds: float = 10.0, heartbeat_seconds: float = 120.0
    ) -> None:
        self.connection, self.lease_seconds, self.heartbeat_seconds = (
            connection,
            lease_seconds,
            heartbeat_seconds,
        )
        client = connection.client
        self._withdraw = client.register_script(scripts.WITHDRAW)
        self._forget = client.register_script(scripts.FORGET)
        self._sightings = client.register_script(scripts.SIGHTINGS)
        self._status = client.register_script(scripts.STATUS)
        self._pull = client.register_script(scripts.PULL)

    async def open(self) -> None:
        """Nothing to prepare: connections are made when needed."""

    async def close(self) -> None:
        """The connection is closed by its giver."""

    def key(self, *parts: str) -> str:
        """A key of the presence."""
        return self.connection.key("presence", *parts)

    def rows_key(self, environment: str, instance: str) -> str:
        """Where the rows of an instance are."""
        return self.key("rows", f"{environment}|{instance}")

    def _own_keys(self, environment: str, instance: str) -> tuple[str, str]:
        member = f"{environment}|{instance}"
        return self.key("instance", member), self.rows_key(environment, instance)

    async def announce(self, card: EnvironmentCard, signed: bytes) -> Announcement:
        """See the base class."""
        gone = [
            other.instance
            for other in (await self._others(card))
            if other.host == card.host and other.same_place(card) and not process_lives(other)
        ]
        keeper = LeaseKeeper(self, card, signed, gone)
        await keeper.start()
        return _RedisAnnouncement(self, keeper)

    async def _others(self, card: EnvironmentCard) -> list[EnvironmentCard]:
        _, sightings = await self.sightings()
        return [
            other
            for sighting in sightings
            if sighting.environment == card.name and sighting.instance != card.instance
            if (other := shown_card(sighting.card)) is not None
        ]

    async def pull(self, environment: str, known: str) -> Pull:
        """See the base class."""
        keys = [
            self.key("models", environment, "version"),
            self.key("models", environment),
            self.key("epoch"),
        ]
        with self.connection.errors():
            answer: list[Any] = await self._pull(keys=keys, args=[known, secrets.token_hex(8)])
        models: dict[str, bytes] | None = None
        if len(answer) > 2:
            flat: list[bytes] = answer[2]
            models = {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}
        return Pull(epoch=answer[0].decode(), version=answer[1].decode(), models=models)

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
        models = self.key("models", environment)
        with self.connection.errors():
            async with self.connection.client.pipeline(transaction=True) as pipe:
                if complete:
                    pipe.delete(models)
                if changed:
                    pipe.hset(models, mapping=dict(changed))
                if remove:
                    pipe.hdel(models, *remove)
                pipe.set(self.key("models", environment, "version"), version)
                await pipe.execute()

    async def models_version(self, environment: str) -> str:
        """See the base class."""
        with self.connection.errors():
            version: bytes | None = await self.connection.client.get(
                self.key("models", environment, "version")
            )
        return (version or b"").decode()

    async def sightings(self) -> tuple[str, tuple[Sighting, ...]]:
        """See the base class."""
        args = [secrets.token_hex(8), self.key("instance", "")]
        with self.connection.errors():
            answer: list[Any] = await self._sightings(keys=[self.key("leases"), self.key("epoch")], args=args)
        return answer[0].decode(), tuple(_sighting(*each) for each in answer[1:])

    async def snapshot(self) -> Snapshot:
        """See the base class."""
        epoch, sightings = await self.sightings()
        rows: dict[tuple[str, str, str], bytes] = {}
        with self.connection.errors():
            async with self.connection.client.pipeline(transaction=False) as pipe:
                for each in sightings:
                    pipe.hgetall(self.rows_key(each.environment, each.instance))
                answers: list[dict[bytes, bytes]] = await pipe.execute() if sightings else []
        for each, answer in zip(sightings, answers, strict=True):
            rows.update({(each.environment, each.instance, app.decode()): row for app, row in answer.items()})
        return Snapshot(epoch=epoch, sightings=sightings, rows=rows)

    async def traffic(self, instances: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
        """See the base class."""
        asked = list(instances)
        if not asked:
            return {}
        with self.connection.errors():
            answers = await self.connection.client.mget([self.traffic_key(*each) for each in asked])
        return {each: body for each, body in zip(asked, answers, strict=True) if body is not None}

    async def write_traffic(self, environment: str, instance: str, report: bytes) -> None:
        """Replaces what an instance of this process counted."""
        with self.connection.errors():
            await self.connection.client.set(
                self.traffic_key(environment, instance), report, ex=FIGURES_SECONDS
            )

    def traffic_key(self, environment: str, instance: str) -> str:
        """Where the figures of an instance are."""
        return self.key("traffic", f"{environment}|{instance}")

    async def forget(self, environment: str, instance: str) -> None:
        """See the base class."""
        keys = [self.key("leases"), *self._own_keys(environment, instance)]
        with self.connection.errors():
            await self._forget(keys=keys, args=[f"{environment}|{instance}"])

    async def withdraw(self, environment: str, instance: str) -> None:
        """Removes an instance of this process at once."""
        keys = [self.key("leases"), self.key("events"), *self._own_keys(environment, instance)]
        with self.connection.errors():
            await self._withdraw(keys=keys, args=[environment, instance])

    async def write_row(self, environment: str, instance: str, app: str, row: bytes) -> None:
        """Writes the row of an instance of this process; an empty one is removed."""
        keys = [self.rows_key(environment, instance), self.key("events")]
        with self.connection.errors():
            await self._status(keys=keys, args=[environment, instance, app, row])

    async def events(self) -> AsyncIterator[Event]:
        """See the base class."""
        stream = self.key("events")
        last: str | None = None
        while True:
            try:
                if last is None:
                    last = await self._end(stream)
                    yield Event(kind="gap")
                with self.connection.errors():
                    answer = await self.connection.client.xread({stream: last}, count=500, block=_BLOCK_MS)
                if not answer and _number(await self._end(stream)) < _number(last):
                    # The stream was lost; another one has begun.
                    last = None
            except RedisUnavailable as error:
                log.warning("changes cannot be read now", extra={"reason": error.detail})
                last = None
                await asyncio.sleep(_PAUSE)
                continue
            for entry, fields in answer[0][1] if answer else ():
                last = entry.decode()
                yield _event(fields)

    async def _end(self, stream: str) -> str:
        """The id of the newest entry."""
        with self.connection.errors():
            newest = await self.connection.client.xrevrange(stream, count=1)
        return newest[0][0].decode() if newest else "0-0"


class _RedisAnnouncement(Announcement):
    def __init__(self, presence: RedisPresence, keeper: LeaseKeeper) -> None:
        self._presence, self._keeper = presence, keeper
        self._name, self._instance = keeper.card.name, keeper.card.instance

    async def withdraw(self) -> None:
        await self._keeper.stop()
        try:
            async with asyncio.timeout(2.0):
                await self._presence.withdraw(self._name, self._instance)
        except (RedisUnavailable, TimeoutError):
            log.warning("no goodbye: Redis cannot be reached; the lease ends by itself")

    async def write_status(self, app: str, row: bytes) -> None:
        await self._presence.write_row(self._name, self._instance, app, row)

    async def drop_status(self, app: str) -> None:
        await self._presence.write_row(self._name, self._instance, app, b"")

    async def write_traffic(self, report: bytes) -> None:
        await self._presence.write_traffic(self._name, self._instance, report)

    def complain(self, problem: str) -> None:
        self._keeper.problem = problem


def _sighting(
    member: bytes,
    left: int,
    card: bytes,
    renewals: bytes,
    lag: bytes,
    problem: bytes,
    seen: bytes,
    beat: bytes,
    vitals: bytes | None,
) -> Sighting:
    environment, _, instance = member.decode().rpartition("|")
    return Sighting(
        environment=environment,
        instance=instance,
        card=card,
        remaining=left / 1000,
        lag=float(lag),
        problem=problem.decode(),
        last_seen=datetime.fromtimestamp(float(seen) / 1000, UTC),
        last_heartbeat=datetime.fromtimestamp(float(beat) / 1000, UTC),
        renewals=int(renewals),
        vitals=msgspec.json.decode(vitals, type=Vitals) if vitals else None,
    )


def _number(entry: str) -> tuple[int, int]:
    """The id of a stream entry, comparable."""
    time, _, count = entry.partition("-")
    return int(time), int(count)


def _event(fields: Mapping[bytes, bytes]) -> Event:
    kinds: dict[bytes, EventKind] = {
        b"status": "status",
        b"environment": "environment",
        b"goodbye": "goodbye",
    }
    return Event(
        kind=kinds.get(fields[b"k"], "gap"),
        environment=fields.get(b"e", b"").decode(),
        instance=fields.get(b"i", b"").decode(),
        app=fields.get(b"a", b"").decode(),
        body=fields.get(b"b", b""),
    )

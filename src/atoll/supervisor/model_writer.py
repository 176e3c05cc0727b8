"""Copies of the app models, sealed to each environment, as presence should have them."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from atoll.supervisor.models import DRAIN, AppModel
from atoll.supervisor.options import shown_icon
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.store.base import AppRecord


def concerned(record: AppRecord) -> tuple[str, ...]:
    """The environments that have to know about an app: where it is, and where it is not yet gone."""
    if record.desired == "removed":
        return tuple(
            name for name in record.environments if name not in record.gone or record.remove_database
        )
    return record.environments + tuple(name for name in record.leaving if name not in record.environments)


def model_for(record: AppRecord, environment: str) -> AppModel:
    """What one environment is told about an app.

    The database is dropped by an environment that is the last one: all others have said that they are done.
    """
    others = set(record.environments) - {environment}
    record = record.at(environment)
    return AppModel(
        uid=record.uid,
        name=record.name,
        display_name=record.display_name,
        desired=record.desired,
        generation=record.generation,
        goal_generation=record.goal_generation,
        secret=record.secret,
        storage_secret=record.storage_secret,
        connection=record.connection,
        database=record.database,
        environments=record.environments,
        icon=shown_icon(record),
        cname=record.cname,
        settings_version=record.settings_version,
        restarts=record.restarts,
        installed=record.installed,
        admin=record.admin if not record.installed else None,
        drop_database=record.desired == "removed" and record.remove_database and others <= set(record.gone),
        options=record.options,
    )


def contents(record: AppRecord) -> AppModel:
    """The model without its numbers, to see whether a change concerns environments at all."""
    return replace(model_for(record, ""), generation=0, goal_generation=0)


class ModelWriter:
    """Writes what differs; all of it when presence does not have what was last written from here."""

    def __init__(self, presence: Presence, sealer: Sealer) -> None:
        self._presence, self._sealer = presence, sealer
        self._written: dict[str, tuple[str, str, dict[str, int]]] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def forget(self, environment: str) -> None:
        """Nothing is known of what the environment has; the next write is complete."""
        self._written.pop(environment, None)

    async def write(
        self, environment: str, public_key: str, records: Iterable[AppRecord], *, drain: bool
    ) -> bool:
        """Brings the copies for one environment up to date; True when there was something to write.

        Args:
            drain: it should take no new work.
        """
        mine = {record.uid: record for record in records if environment in concerned(record)}
        generations = {uid: record.generation for uid, record in mine.items()} | ({DRAIN: 1} if drain else {})
        version = _version(public_key, generations)
        async with self._turns[environment]:
            present = await self._presence.models_version(environment)
            if present == version:
                self._written[environment] = version, public_key, generations
                return False
            known, key, before = self._written.get(environment, ("", "", {}))
            complete = not present or known != present or key != public_key
            changed = [uid for uid in generations if complete or before.get(uid) != generations[uid]]
            sealed = {
                uid: self._seal(model_for(mine[uid], environment), public_key)
                if uid in mine
                else self._sealer.wrap("drain", environment.encode(), recipient=public_key)
                for uid in changed
            }
            gone = [uid for uid in before if uid not in generations]
            await self._presence.write_models(environment, sealed, gone, version, complete=complete)
            self._written[environment] = version, public_key, generations
            return True

    def _seal(self, model: AppModel, public_key: str) -> bytes:
        return self._sealer.wrap("model", msgspec.json.encode(model), recipient=public_key)


def _version(public_key: str, generations: dict[str, int]) -> str:
    text = public_key + "".join(f"|{uid}:{generation}" for uid, generation in sorted(generations.items()))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

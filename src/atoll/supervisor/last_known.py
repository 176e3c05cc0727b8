"""The last known apps, environments and rows on disk: for a Supervisor that starts while its database, or
presence, or both are away.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from atoll.supervisor.models import DatabaseOptions
from atoll.supervisor.presence.base import Snapshot
from atoll.supervisor.store.base import AppRecord

log = logging.getLogger(__name__)


class KeptInstance(Struct, array_like=True):
    """A live instance: its signed card, and its signed rows by app."""

    environment: str
    instance: str
    card: bytes
    rows: dict[str, bytes]


class Kept(Struct, array_like=True):
    """What was kept. The records have version 0, so that any from the store takes their place."""

    epoch: str = ""
    apps: list[AppRecord] = []
    instances: list[KeptInstance] = []


class LastKnown:
    """One file with what requests need to find their way, and no secrets.

    Args:
        file: where; None keeps nothing.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._saved = b""

    async def save(self, records: Iterable[AppRecord], snapshot: Snapshot) -> None:
        """Keeps the records and the live part of the snapshot; a disk that cannot be written to is logged."""
        if self._file is None:
            return
        instances = [
            KeptInstance(
                each.environment,
                each.instance,
                each.card,
                {
                    uid: body
                    for (environment, instance, uid), body in snapshot.rows.items()
                    if (environment, instance) == (each.environment, each.instance)
                },
            )
            for each in snapshot.sightings
            if each.alive
        ]
        data = msgspec.msgpack.encode(Kept(snapshot.epoch, [_bare(record) for record in records], instances))
        if data != self._saved:
            try:
                await asyncio.to_thread(_write, self._file, data)
                self._saved = data
            except OSError as error:
                log.error("the last known state cannot be kept on disk", extra={"reason": str(error)})

    async def load(self) -> Kept:
        """What was kept last; nothing when nothing readable was kept."""
        if self._file is None:
            return Kept()
        try:
            return msgspec.msgpack.decode(await asyncio.to_thread(self._file.read_bytes), type=Kept)
        except FileNotFoundError:
            return Kept()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.error("the last known state on disk cannot be read", extra={"reason": str(error)})
            return Kept()


def _bare(record: AppRecord) -> AppRecord:
    """The record without what nobody needs to find the app, and without what nobody may read."""
    return replace(
        record,
        secret="",
        admin=None,
        database=DatabaseOptions(),
        options={},
        operation=None,
        version=0,
    )


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    draft.write_bytes(data)
    draft.replace(file)

"""The last known environments and rows on disk: for a Supervisor that starts while presence is away."""

from __future__ import annotations

import asyncio
import logging
import secrets
from pathlib import Path

import msgspec
from msgspec import Struct

from atoll.supervisor.presence.base import Snapshot

log = logging.getLogger(__name__)


class _Kept(Struct, array_like=True):
    environment: str
    instance: str
    card: bytes
    rows: dict[str, bytes]


class LastKnown:
    """One file with what environments signed: cards and status rows, no secrets.

    Args:
        file: where; None keeps nothing.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._saved = b""

    async def save(self, snapshot: Snapshot) -> None:
        """Keeps the live part of the snapshot; a disk that cannot be written to is logged."""
        if self._file is None:
            return
        kept = [
            _Kept(
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
        data = msgspec.msgpack.encode(kept)
        if data != self._saved:
            try:
                await asyncio.to_thread(_write, self._file, data)
                self._saved = data
            except OSError as error:
                log.error("the last known state cannot be kept on disk", extra={"reason": str(error)})

    async def load(self) -> list[tuple[str, str, bytes, dict[str, bytes]]]:
        """Environment, instance, signed card and signed rows by app; empty when nothing readable was kept."""
        if self._file is None:
            return []
        try:
            kept = msgspec.msgpack.decode(await asyncio.to_thread(self._file.read_bytes), type=list[_Kept])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.error("the last known state on disk cannot be read", extra={"reason": str(error)})
            return []
        return [(each.environment, each.instance, each.card, each.rows) for each in kept]


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    draft.write_bytes(data)
    draft.replace(file)

"""Removes objects whose record is gone, and what was begun and never finished."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any, Final

from atoll.application.events import RecordsChanged
from atoll.application.schedule import Tick
from atoll.errors import FileStorageUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.plugins.files.objects import Objects, StoredObject
from atoll.plugins.files.places import Places
from atoll.plugins.files.previews import Previews

log = logging.getLogger(__name__)
# Longer than any upload takes.
UNFINISHED_SECONDS: Final = 6 * 3600.0
_BATCH: Final = 200
_PATIENCE: Final = 2.0


class Cleaning:
    """Cleans up after committed changes, and every hour whatever was missed."""

    def __init__(
        self, places: Places, objects: Objects, previews: Previews, background: BackgroundTasks
    ) -> None:
        self._places = places
        self._objects = objects
        self._previews = previews
        self._background = background

    async def after(self, change: RecordsChanged) -> None:
        """Removes the objects of destroyed records of files; a slow storage is not waited for."""
        if change.kind != "destroyed":
            return
        keys = list(change.keys) or None
        task = self._background.spawn("remove", self._remove_orphans(change.collection, keys, 0.0))
        await asyncio.wait({task}, timeout=_PATIENCE)

    async def hourly(self, tick: Tick) -> None:
        """Whatever is left, of all collections, and what storages know of unfinished uploads."""
        before = time.time() - UNFINISHED_SECONDS
        for collection in await self._objects.collections():
            await self._remove_orphans(collection, None, before)
        for row in await self._places.rows():
            place = await self._places.by_id(row["id"])
            try:
                await place.storage.tidy(before)
            except FileStorageUnavailable as error:
                log.warning("a storage cannot be tidied now", extra={"reason": error.message})

    async def _remove_orphans(self, collection: str, keys: list[Any] | None, before: float) -> None:
        while found := await self._objects.orphans(collection, keys, before, _BATCH):
            if await self._remove(found) < len(found):
                return  # the rest is tried again in an hour

    async def _remove(self, found: Iterable[StoredObject]) -> int:
        count = 0
        for each in found:
            try:
                rows = await self._places.rows(self._places.collection.table.c.id == each.storage_id)
                if rows and not (rows[0]["paranoid"] and each.record_key is not None):
                    place = await self._places.by_id(each.storage_id)
                    await place.storage.remove(each.key)
            except FileStorageUnavailable as error:
                log.warning(
                    "a file cannot be removed now",
                    extra={"object": each.id, "reason": error.message, "detail": error.detail},
                )
                continue
            await self._previews.forget(each)
            await self._objects.forget(each)
            count += 1
        return count

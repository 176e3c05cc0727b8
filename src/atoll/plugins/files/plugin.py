"""Files in an app's API. Source: http-api.md 7."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from atoll.application.api.resources import LOGGED_IN, PUBLIC, RecordAction
from atoll.application.api.route import OPEN_FILE
from atoll.application.collections.plugin_tables import make_tables
from atoll.application.events import RecordsChanged
from atoll.application.plugin_manager import Plugin
from atoll.application.records.filter import Caller
from atoll.application.schedule import Job
from atoll.lifecycle import BackgroundTasks
from atoll.plugins.files.access import Reading, Tickets
from atoll.plugins.files.cleaning import Cleaning
from atoll.plugins.files.names import RENAME_MODES
from atoll.plugins.files.objects import Objects
from atoll.plugins.files.places import LOCAL, OWN_ROOT, SIZE, Places
from atoll.plugins.files.previews import Previews
from atoll.plugins.files.storages import SECRET, StorageActions
from atoll.plugins.files.tables import Tables
from atoll.plugins.files.uploads import Uploads

if TYPE_CHECKING:
    from atoll.application.app import Application

TEMPLATE: Final = "file"
FIRST: Final[Mapping[str, Any]] = {
    "title": "Local storage",
    "name": LOCAL,
    "type": LOCAL,
    "baseUrl": "/storage/uploads",
    "options": {"documentRoot": OWN_ROOT},
    "rules": {"size": SIZE},
    "default": True,
}


class Files(Plugin):
    """Attachments, collections of files and their storages.

    Args:
        allowed_roots: folders for local storages, beside each app's own.
        temporary_seconds: how long a temporary address works.
        first: the storages of a new app, as `storages:create` takes them; empty: a local one.
        slots: pictures that are made smaller at a time, shared by the apps of a process.
    """

    name = "files"

    def __init__(
        self,
        *,
        allowed_roots: Sequence[Path] = (),
        temporary_seconds: float = 600.0,
        first: Sequence[Mapping[str, Any]] = (),
        slots: asyncio.Semaphore | None = None,
    ) -> None:
        self._allowed_roots = tuple(allowed_roots)
        self._temporary_seconds = temporary_seconds
        self._first = tuple(first) or (FIRST,)
        self._background = BackgroundTasks("files")
        self._places: Places | None = None
        self._cleaning: Cleaning
        self._previews: Previews
        self._slots = slots or asyncio.Semaphore(1)
        self._unlisten: Callable[[], None] | None = None

    async def install(self, app: Application) -> None:
        """Makes the tables."""
        await make_tables(app.database, Tables(app.database).all)

    async def load(self, app: Application) -> None:
        """Defines collections, actions and the cleaning."""
        await self.install(app)
        tables = Tables(app.database)
        app.collections.define(tables.attachments)
        app.collections.define(tables.storages)
        objects = Objects(app, tables.objects)
        if self._places is None:
            self._places = Places(app, tables.storages, self._allowed_roots)
            self._previews = Previews(app.storage / "previews", self._places, self._slots)
            self._cleaning = Cleaning(self._places, objects, self._previews, self._background)
            minute = crc32(app.name.encode()) % 60
            app.schedule.add(Job("files/clean-up", f"{minute} * * * *", self._cleaning.hourly))

        async def listen(change: RecordsChanged) -> None:
            collection = app.collections.get(change.collection)
            if collection is not None and collection.template == TEMPLATE:
                await self._cleaning.after(change)

        self._unlisten = app.events.records.add(listen)
        StorageActions(self._places, objects).define(app.resources)
        uploads = Uploads(self._places, objects)
        reading = Reading(
            self._places, objects, Tickets(app.derived_key("files")), self._temporary_seconds, self._previews
        )
        create = RecordAction(uploads.create, None, reads_body=True)
        app.resources.define_on_records(
            {
                "create": create,
                "upload": create,
                OPEN_FILE: RecordAction(reading.open_file, None, access=PUBLIC),
                "getFile": RecordAction(reading.get_file, None, access=PUBLIC),
                "createTemporaryURL": RecordAction(reading.create_temporary_url, None, access=LOGGED_IN),
            },
            template=TEMPLATE,
        )

    async def start(self, app: Application) -> None:
        """Makes the first storages of a new app."""
        if self._places is None or await self._places.rows():
            return
        # In a transaction of its own: nobody has to be told of what comes with the installation.
        async with app.database.exclusive("first-storages"), app.database.transaction() as tx:
            if await self._places.rows():
                return
            for given in self._first:
                options = dict(given["options"])
                secret = options.pop(SECRET, None)
                sealed = None if secret is None else self._places.seal(given["name"], secret)
                row = {**given, "options": options, "sealed": sealed, "renameMode": RENAME_MODES[0]}
                await app.records.create_one(self._places.collection, row, Caller(), connection=tx)

    async def stop(self, app: Application) -> None:
        """Ends connections to storages and what is being removed: the rest is removed later."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        await self._background.cancel_all()
        if self._places is not None:
            await self._places.close()

"""`create` and `upload` of attachments and of collections of files (http-api.md 7.1)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import select

from atoll.application.api.actions.records import caller, restricted
from atoll.application.api.bodies import decode_body, read_body
from atoll.application.api.files import Upload, receive_upload
from atoll.application.collections.file_template import FILE_FIELDS
from atoll.application.collections.metadata import flatten
from atoll.application.collections.model import Collection
from atoll.application.context import Context
from atoll.application.records.rights import echo
from atoll.errors import AtollError, BadRequest, FileRefused, FileTooLarge, Unauthenticated
from atoll.plugins.files.kinds import HEAD_BYTES, Kind, allowed, kind_of
from atoll.plugins.files.names import FileName, folder
from atoll.plugins.files.objects import Objects, StoredObject
from atoll.plugins.files.places import Place, Places
from atoll.plugins.files.storage.base import KeyTaken
from atoll.plugins.files.storage.local import explained

ATTACHMENTS: Final = "attachments"
_JSON_LIMIT: Final = 1 << 20
# What the server says about a file; people may change how it is called.
_DESCRIBED: Final = frozenset(str(field["name"]) for field in FILE_FIELDS)


def files_of(ctx: Context) -> Collection:
    """The collection of files that a request is about."""
    return ctx.app.collections.own()[ctx.resource]


@dataclass(frozen=True, slots=True)
class Uploads:
    """Receives files."""

    places: Places
    objects: Objects

    async def create(self, ctx: Context) -> object:
        """The record of a file that is sent as a form, or a record without a file from a JSON body."""
        collection = files_of(ctx)
        if ctx.user is None or ctx.rights is None:
            raise Unauthenticated("Unauthenticated. Please sign in to continue.", code="EMPTY_TOKEN")
        # Whoever is signed in may attach files; who may see them is another question.
        right = None if collection.name == ATTACHMENTS else ctx.rights.need(collection, "create")
        if not ctx.headers.get("content-type", "").startswith("multipart/"):
            return await self._without_file(ctx, collection)
        place = await self._place(ctx, collection)
        async with _workspace(place) as file:
            upload = await receive_upload(ctx, file, place.size_limit, _too_large)
            kind = await asyncio.to_thread(_kind, file, upload)
            if not allowed(kind, place.row["rules"].get("mimetype")):
                raise FileRefused(
                    f"File validation failed: {kind.proven} is not accepted here, "
                    f"only {_shown(place.row['rules']['mimetype'])}"
                )
            record = await self._keep(ctx, collection, place, file, upload, kind)
        return record if right is None else echo(collection, ctx.rights, right, record)

    async def _without_file(self, ctx: Context, collection: Collection) -> object:
        body = await read_body(ctx.receive, dict(ctx.headers), _JSON_LIMIT)
        values = decode_body(body, ctx.headers.get("content-type", "")) if body else None
        if collection.name != ATTACHMENTS:
            return await ctx.app.records.create(collection, values, restricted(ctx), ctx.params)
        if not isinstance(values, Mapping):
            raise BadRequest("Send a file as multipart/form-data, in the field `file`")
        given = {name: value for name, value in values.items() if name in _DESCRIBED and name != "storageId"}
        return await ctx.app.records.create_one(collection, given, caller(ctx), ctx.params)

    async def _place(self, ctx: Context, collection: Collection) -> Place:
        """The storage of the field or of the collection, else the default."""
        name = collection.options.get("storage")
        wanted = ctx.params.get("attachmentField")
        if isinstance(wanted, str) and wanted:
            source, _, field = wanted.partition(".")
            table = ctx.app.collections.system["fields"].table
            found = await ctx.app.database.run(
                select(table).where(table.c.collectionName == source, table.c.name == field)
            )
            if not found.rows:
                raise BadRequest(f"`attachmentField`: there is no field {wanted!r}")
            name = flatten(found.dicts()[0]).get("storage") or name
        return await (self.places.by_name(name) if isinstance(name, str) and name else self.places.default())

    async def _keep(
        self, ctx: Context, collection: Collection, place: Place, file: Path, upload: Upload, kind: Kind
    ) -> Mapping[str, Any]:
        """Stores the file, then makes its record. What is not finished is removed by the cleaning."""
        name = FileName.read(upload.name)
        stored = await self._store(collection, place, file, name, upload.size, kind)
        app, who = ctx.app, caller(ctx)
        directory, _, filename = stored.key.rpartition("/")
        values: dict[str, Any] = {
            "title": name.title,
            "filename": filename,
            "extname": name.extension,
            "size": upload.size,
            "mimetype": kind.mimetype,
            "path": directory,
            "meta": {},
            "storageId": place.id,
        }
        async with app.database.transaction() as tx:
            record = await app.records.create_one(collection, values, who, connection=tx)
            key = record[collection.target_key or "id"]
            url = f"/files/{app.name}/main/{collection.name}/{quote(str(key), safe='')}{name.extension}"
            addresses = {"url": _original(place, stored.key) or url, "preview": f"{url}?preview=1"}
            changed = await app.records.update(collection, {"filterByTk": key}, addresses, who, connection=tx)
            await self.objects.belongs(stored, key, tx)
        await app.records.announce(collection, "created", changed, origin=who.origin)
        return changed[0]

    async def _store(
        self, collection: Collection, place: Place, file: Path, name: FileName, size: int, kind: Kind
    ) -> StoredObject:
        directory = folder(place.row["path"])
        mode = place.row["renameMode"]
        while True:
            filename = name.stored(mode)
            key = f"{directory}/{filename}" if directory else filename
            shown = name.title + name.extension
            made = await self.objects.announce(place.id, key, shown, kind.mimetype, size, collection.name)
            try:
                await place.storage.put(file, key, kind.mimetype)
            except KeyTaken:
                await self.objects.forget(made)
                mode = "appendRandomID"
            else:
                return made


@asynccontextmanager
async def _workspace(place: Place) -> AsyncIterator[Path]:
    """A file that is gone at the end; errors of the disk are told as such."""
    file = place.storage.workspace / str(uuid4())
    try:
        yield file
    except OSError as error:
        raise explained(error, file.parent) from error
    finally:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(file.unlink, missing_ok=True)


def _kind(file: Path, upload: Upload) -> Kind:
    with file.open("rb") as stream:
        return kind_of(stream.read(HEAD_BYTES), upload.name, upload.declared)


def _too_large(limit: int) -> AtollError:
    size = f"{limit / (1 << 20):.3g} MB" if limit >= 1 << 20 else f"{limit / 1024:.3g} kB"
    return FileTooLarge(f"The file is too large: at most {size} are accepted here")


def _shown(rule: Any) -> str:
    return rule if isinstance(rule, str) else ", ".join(map(str, rule))


def _original(place: Place, key: str) -> str | None:
    """The address in the storage itself, for storages that are open to everybody."""
    base = str(place.row["baseUrl"] or "")
    if place.row["options"].get("useOriginalUrl") is not True or not base.startswith(("http://", "https://")):
        return None
    return f"{base.rstrip('/')}/{quote(key)}"

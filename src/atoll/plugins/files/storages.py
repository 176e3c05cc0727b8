"""`storages:*` (http-api.md 7.3)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import update

from atoll.application.api.actions.records import caller
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.context import Context, Page
from atoll.application.records.filter import is_empty
from atoll.errors import BadRequest, FileStorageUnavailable, NotFound, RecordInUse
from atoll.plugins.files.names import RENAME_MODES, folder
from atoll.plugins.files.objects import Objects
from atoll.plugins.files.places import LOCAL, Places, Row, plain
from atoll.plugins.files.storage import Span, Storage
from atoll.plugins.files.storage.local import explained
from atoll.settings import MASK

SECRET: Final = "secretAccessKey"  # noqa: S105 - the name of an option
_SNIPPET: Final = "pm.file-manager.storages"
_PUBLIC: Final = ("id", "title", "name", "type", "rules", "default")
# Options that say where the objects are.
_WHERE: Final = ("documentRoot", "bucket", "endpoint", "region")
_NEW: Final[Mapping[str, Any]] = {"renameMode": RENAME_MODES[0], "path": "", "options": {}}
_PROBE: Final = b"Atoll looks whether files can be kept here.\n"


@dataclass(frozen=True, slots=True)
class StorageActions:
    """The resource."""

    places: Places
    objects: Objects

    def define(self, resources: ResourceRegistry) -> None:
        """Adds it."""
        resources.define(
            "storages",
            {
                "list": self.list,
                "get": self.get,
                "create": self.create,
                "update": self.update,
                "destroy": self.destroy,
                "test": self.test,
                "getBasicInfo": self.basic_info,
                "check": self.check,
            },
            access={"getBasicInfo": LOGGED_IN, "check": LOGGED_IN},
            snippet=_SNIPPET,
        )

    async def list(self, ctx: Context) -> object:
        """A page of storages, without their secrets."""
        found = await ctx.app.records.page(self.places.collection, ctx.params, caller(ctx))
        sealed = {row["id"] for row in await self.places.rows() if row["sealed"]}
        rows = found.rows if isinstance(found, Page) else found
        masked = [_masked(row, has_secret=row.get("id") in sealed) for row in rows]
        return Page(masked, found.meta) if isinstance(found, Page) else masked

    async def get(self, ctx: Context) -> object:
        """One storage or null."""
        found = await ctx.app.records.get(self.places.collection, ctx.params, caller(ctx))
        if found is None:
            return None
        rows = await self.places.rows(self.places.collection.table.c.id == found.get("id"))
        return _masked(found, has_secret=bool(rows and rows[0]["sealed"]))

    async def create(self, ctx: Context) -> object:
        """A new storage; whether it can be reached is what `test` says."""
        values = _values(ctx)
        row, secret = _checked({**_NEW, **values})
        name = row.get("name")
        if not isinstance(name, str) or not name:
            raise BadRequest("`name` is required: what fields and collections call the storage")
        await self.places.make(row, secret).close()
        if secret is not None:
            row["sealed"] = self.places.seal(name, secret)
        who = caller(ctx)
        async with ctx.app.database.transaction() as tx:
            if row.get("default") is True:
                await self._no_default(ctx, tx)
            made = await ctx.app.records.create_one(self.places.collection, row, who, connection=tx)
        await ctx.app.records.announce(self.places.collection, "created", [made], origin=who.origin)
        return _masked(made, has_secret=secret is not None)

    async def update(self, ctx: Context) -> object:
        """The changed storage, in a list; its name and type stay."""
        before = await self._one(ctx)
        values = {key: value for key, value in _values(ctx).items() if key not in ("id", "sealed")}
        for fixed in ("name", "type"):
            if values.pop(fixed, before[fixed]) != before[fixed]:
                raise BadRequest(f"`{fixed}` of a storage cannot change: make another storage")
        row, secret = _checked({**before, **values})
        moved = [name for name in _WHERE if row["options"].get(name) != before["options"].get(name)]
        if moved and await self.objects.in_storage(before["id"]):
            raise BadRequest(
                f"There are files in this storage, so `{moved[0]}` cannot change: make another storage"
            )
        changes = {name: row[name] for name in values if name in row}
        if secret is not None:
            changes["sealed"] = self.places.seal(before["name"], secret) if secret else None
        effective = self.places.reveal(before) if secret is None else secret
        await self.places.make(row, effective).close()
        if before["default"] and changes.get("default") is False:
            raise BadRequest("This storage is the default: make another one the default instead")
        who = caller(ctx)
        async with ctx.app.database.transaction() as tx:
            if changes.get("default") is True:
                await self._no_default(ctx, tx)
            changed = await ctx.app.records.update(
                self.places.collection, {"filterByTk": before["id"]}, changes, who, connection=tx
            )
        await ctx.app.records.announce(self.places.collection, "updated", changed, origin=who.origin)
        return [_masked(each, has_secret=bool(effective)) for each in changed]

    async def destroy(self, ctx: Context) -> object:
        """How many are gone; the default, the first one, and one with files stay."""
        params: Mapping[str, Any] = ctx.params
        if "filterByTk" not in params and is_empty(params.get("filter")):
            raise BadRequest("To destroy storages, `filterByTk` or `filter` is required")
        wanted = {"paginate": False, **{key: params[key] for key in ("filter",) if key in params}}
        if "filterByTk" in params:
            one = await ctx.app.records.get(self.places.collection, params, caller(ctx))
            rows = [one] if one is not None else []
        else:
            found = await ctx.app.records.page(self.places.collection, wanted, caller(ctx))
            rows = found.rows if isinstance(found, Page) else found
        for row in rows:
            if row["name"] == LOCAL or row["default"]:
                raise BadRequest(f"The storage {row['name']} is needed and cannot be destroyed")
            if await self.objects.in_storage(row["id"]):
                raise RecordInUse(
                    f"There are files in the storage {row['name']}: destroy their records first"
                )
        if not rows:
            return 0
        keys = [row["id"] for row in rows]
        return await ctx.app.records.destroy(self.places.collection, {"filterByTk": keys}, caller(ctx))

    async def basic_info(self, ctx: Context) -> object:
        """What forms must know of a storage (key or name; without one of the default): its rules. Or null."""
        key = ctx.params.get("filterByTk")
        table = self.places.collection.table
        if key is None:
            rows = await self.places.rows(table.c.default.is_(True))
        else:
            rows = await self.places.rows(table.c.name == str(key))
            if not rows and str(key).isascii() and str(key).isdigit():
                rows = await self.places.rows(table.c.id == int(key))
        return _basic(rows[0]) if rows else None

    async def check(self, ctx: Context) -> object:
        """Whether files can be uploaded to a collection, and to which storage they go."""
        name = ctx.params.get("fileCollectionName") or "attachments"
        collection = ctx.app.collections.own().get(str(name))
        wanted = ctx.params.get("storageName") or (collection and collection.options.get("storage"))
        place = await (self.places.by_name(str(wanted)) if wanted else self.places.default())
        supported = collection is not None and collection.template == "file"
        return {"isSupportToUploadFiles": supported, "storage": _basic(place.row)}

    async def test(self, ctx: Context) -> object:
        """Writes, reads and removes a small file, in a storage that exists or one that is being described."""
        values = _values(ctx)
        before = await self._one(ctx) if "filterByTk" in ctx.params else None
        row, secret = _checked({**(before or _NEW), **values})
        if secret is None and before is not None:
            secret = self.places.reveal(before)
        storage = self.places.make(row, secret)
        begun = time.perf_counter()
        try:
            await _probe(storage, folder(row["path"]))
        finally:
            await storage.close()
        return {"ok": True, "milliseconds": round((time.perf_counter() - begun) * 1000)}

    async def _one(self, ctx: Context) -> Row:
        found = await ctx.app.records.get(self.places.collection, ctx.params, caller(ctx))
        if found is None:
            raise NotFound("There is no such storage")
        return (await self.places.rows(self.places.collection.table.c.id == found["id"]))[0]

    async def _no_default(self, ctx: Context, connection: Any) -> None:
        table = self.places.collection.table
        await ctx.app.database.run(update(table).values(default=False), connection=connection)


async def _probe(storage: Storage, directory: str) -> None:
    name = f"atoll-test-{uuid4()}.txt"
    key, source = f"{directory}/{name}" if directory else name, storage.workspace / name
    try:
        await asyncio.to_thread(_write, source)
        await storage.put(source, key, "text/plain")
        async with aclosing(storage.open(key, Span(0, len(_PROBE)))) as pieces:
            read = b"".join([piece async for piece in pieces])
        if read != _PROBE:
            raise FileStorageUnavailable("The storage gives back other bytes than were written to it")
        await storage.remove(key)
    except OSError as error:
        raise explained(error, storage.workspace) from error
    finally:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(source.unlink, missing_ok=True)


def _write(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_PROBE)


def _values(ctx: Context) -> Mapping[str, Any]:
    if ctx.values is not None and not isinstance(ctx.values, Mapping):
        raise BadRequest("The body must be a JSON object")
    return {key: value for key, value in (ctx.values or {}).items() if key != "sealed"}


def _checked(given: Mapping[str, Any]) -> tuple[Row, str | None]:
    """A row with checked values, and its new secret: None when nobody gave one, "" to have none."""
    row = dict(given)
    if row["renameMode"] not in RENAME_MODES:
        raise BadRequest(f"`renameMode` is one of {', '.join(RENAME_MODES)}")
    row["path"] = folder(row["path"])
    rules = row.get("rules") or {}
    size = rules.get("size") if isinstance(rules, Mapping) else None
    if not isinstance(rules, Mapping) or (size is not None and (not isinstance(size, int) or size < 1)):
        raise BadRequest("`rules` is an object; its `size` is a number of bytes from 1")
    row["rules"] = dict(rules)
    if not isinstance(row["options"], Mapping):
        raise BadRequest("`options` of a storage is an object")
    options = dict(row["options"])
    secret = options.pop(SECRET, None)
    row["options"] = options
    return row, None if secret == MASK or not isinstance(secret, str) else secret


def _masked(record: Mapping[str, Any], *, has_secret: bool) -> Row:
    row = dict(record)
    if has_secret and "options" in row:
        row["options"] = {**(plain(row["options"]) or {}), SECRET: MASK}
    return row


def _basic(row: Mapping[str, Any]) -> Row:
    return {**{name: row[name] for name in _PUBLIC}, "default": bool(row["default"])}

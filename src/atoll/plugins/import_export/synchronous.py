"""The actions of a collection that answer at once (http-api.md 8.1, 8.2): for files of some thousand rows."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import msgspec

from atoll.application.api.actions.records import caller, restricted
from atoll.application.api.files import attachment, receive_upload
from atoll.application.collections.model import Collection
from atoll.application.context import Context, RawAnswer
from atoll.application.fields.base import DatabaseKind
from atoll.errors import BadRequest, NotFound
from atoll.plugins.import_export.columns import import_columns
from atoll.plugins.import_export.exporting import Export
from atoll.plugins.import_export.import_rows import ChunkImport, RowFailed
from atoll.plugins.import_export.importing import Places, SheetRow, chunk, find_header, numbered
from atoll.plugins.import_export.plan import ImportPlan
from atoll.plugins.import_export.sheets import FORMATS, create, open_rows
from atoll.plugins.import_export.sheets.opening import recognise

IMPORT_ROWS: Final = 2_000


def collection_of(ctx: Context) -> Collection:
    """The collection of a request."""
    found = ctx.app.collections.get(ctx.resource)
    if found is None:
        raise NotFound(f"Collection {ctx.resource!r} does not exist")
    return found


@asynccontextmanager
async def folder(ctx: Context) -> AsyncIterator[Path]:
    """A folder for the time of the request, in the app's storage."""
    parent = ctx.app.storage / "temporary"
    await asyncio.to_thread(parent.mkdir, parents=True, exist_ok=True)
    made = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=parent))
    try:
        yield made
    finally:
        await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Synchronous:
    """The actions.

    Args:
        export_limit: rows of an export; further ones are left out.
        file_limit: bytes an uploaded file may have.
    """

    export_limit: int
    file_limit: int

    async def export(self, ctx: Context) -> object:
        """The records as a file."""
        values = _object(ctx)
        given: dict[str, Any] = {
            **values,
            **{name: ctx.params[name] for name in ("filter", "sort") if name in ctx.params},
        }
        wanted = Export.read(ctx.app, collection_of(ctx), given, restricted(ctx), limit=self.export_limit)
        async with folder(ctx) as place:
            await wanted.write(ctx.app, place / "export")
            body = await asyncio.to_thread((place / "export").read_bytes)
        return _download(ctx, body, wanted.format, ctx.params.get("title") or values.get("title"))

    async def template(self, ctx: Context) -> object:
        """An empty file with the titles, and above them the explanation when there is one."""
        values = _object(ctx)
        columns = import_columns(ctx.app.collections, collection_of(ctx), values.get("columns"))
        rows = [[column.title for column in columns]]
        if values.get("explain"):
            rows.insert(0, [str(values["explain"])])
        format_ = str(values.get("format") or "xlsx")
        if format_ not in FORMATS:
            raise BadRequest(f"A template is one of {', '.join(FORMATS)}")
        async with folder(ctx) as place:
            await asyncio.to_thread(_write, place / "template", format_, rows)
            body = await asyncio.to_thread((place / "template").read_bytes)
        return _download(ctx, body, format_, values.get("title"))

    async def import_file(self, ctx: Context) -> object:
        """All rows of the file in one transaction, or none."""
        collection = collection_of(ctx)
        async with folder(ctx) as place:
            upload = await receive_upload(ctx, place / "import", self.file_limit)
            try:
                given = msgspec.json.decode(upload.fields.get("columns", ""))
            except msgspec.DecodeError:
                raise BadRequest("`columns` must be a JSON list of objects with `dataIndex`") from None
            columns = import_columns(ctx.app.collections, collection, given)
            places, rows = await asyncio.to_thread(
                _read, place / "import", columns, caller(ctx).zone(), collection.kind
            )
        work = ChunkImport(ctx.app, ImportPlan.creating(collection, places), restricted(ctx))
        defaults = _defaults(ctx)
        parsed = [places.parse(row) for row in rows]
        parsed = [replace(each, values={**defaults, **each.values}) for each in parsed]
        async with ctx.app.database.transaction() as tx:
            try:
                outcome = await work.write(tx, parsed, apart=False)
            except RowFailed as failure:
                raise BadRequest(f"Row {failure.parsed.row.number}: {failure.reason}") from None
        records = outcome.created
        await ctx.app.records.announce(collection, "created", records)
        for change in outcome.linked:
            await ctx.app.records.announce(change.collection, change.kind, change.records, keys=change.keys)
        answer = {"successCount": len(records)}
        return RawAnswer(msgspec.json.encode({"data": answer, "meta": answer}), "application/json")


def _read(path: Path, columns: list[Any], zone: tzinfo, kind: DatabaseKind) -> tuple[Places, list[SheetRow]]:
    with open_rows(path, recognise(path)) as reader:
        rows = reader.rows()
        header, places = find_header(rows, columns)
        found = chunk(numbered(rows, header + 1), IMPORT_ROWS + 1)
    if not found:
        raise BadRequest("The file has no rows below its header")
    if len(found) > IMPORT_ROWS:
        raise BadRequest(f"The file has more than {IMPORT_ROWS:,} rows; import it as a task")
    return Places(places, zone, kind), found


def _write(path: Path, format_: str, rows: list[list[str]]) -> None:
    writer = create(path, format_)
    writer.write(rows)
    writer.close()


def _object(ctx: Context) -> Mapping[str, Any]:
    return ctx.values if isinstance(ctx.values, dict) else {}


def _defaults(ctx: Context) -> Mapping[str, Any]:
    given = ctx.params.get("rowDefaultValues")
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except msgspec.DecodeError:
            raise BadRequest("`rowDefaultValues` must be a JSON object") from None
    return given if isinstance(given, dict) else {}


def _download(ctx: Context, body: bytes, format_: str, title: Any) -> RawAnswer:
    name = title if isinstance(title, str) and title else ctx.resource
    ctx.set_header("content-disposition", attachment(f"{name}.{format_}"))
    return RawAnswer(body, "application/octet-stream")

"""Records into a file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atoll.application.collections.model import Collection
from atoll.application.records.filter import Caller
from atoll.application.records.rights import refused, shown
from atoll.errors import BadRequest
from atoll.plugins.import_export.columns import ExportColumn, export_columns
from atoll.plugins.import_export.sheets import EXPORT_FORMATS, create

if TYPE_CHECKING:
    from atoll.application.app import Application

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be exported, checked.

    Attributes:
        scope: `filter` and `sort` as for a list.
        limit: most rows; None for all.
    """

    collection: Collection
    columns: list[ExportColumn]
    scope: Mapping[str, Any]
    format: str
    caller: Caller
    limit: int | None = None

    @classmethod
    def read(
        cls,
        app: Application,
        collection: Collection,
        given: Mapping[str, Any],
        caller: Caller,
        *,
        limit: int | None = None,
    ) -> Export:
        """Checks a request; raises BadRequest.

        Args:
            given: `columns`, `filter`, `sort`, `format` (xlsx, csv, json) and `values` ("labels" or "raw").
        """
        format_, values = given.get("format") or "xlsx", given.get("values") or "labels"
        if format_ not in EXPORT_FORMATS:
            raise BadRequest(f"`format` must be one of {', '.join(EXPORT_FORMATS)}")
        if values not in ("labels", "raw"):
            raise BadRequest("`values` must be labels or raw")
        columns = export_columns(
            app.collections, collection, given.get("columns"), caller.zone(), raw=values == "raw"
        )
        readable = shown(collection, caller.rights.need(collection, "export"))
        if readable is not None and any((each.relation or each.field) not in readable for each in columns):
            raise refused()
        scope = {name: given[name] for name in ("filter", "sort") if given.get(name) is not None}
        return cls(collection, columns, scope, str(format_), caller, limit)

    async def count(self, app: Application) -> int:
        """How many rows it will have."""
        found = await app.records.count(
            self.collection, self.scope.get("filter"), self.caller, action="export"
        )
        return found if self.limit is None else min(found, self.limit)

    async def write(
        self, app: Application, target: Path, progress: Callable[[int], Awaitable[None]] | None = None
    ) -> int:
        """Writes the file; the number of rows.

        Args:
            target: a path in a folder that exists; the file is complete when this returns.
            progress: is told the rows written so far, after each batch; what it raises ends the work.
        """
        params = {
            **self.scope,
            "fields": list(dict.fromkeys(each.field for each in self.columns if each.relation is None)),
            "appends": list(dict.fromkeys(each.relation for each in self.columns if each.relation)),
        }
        if not params["fields"] and self.collection.target_key:
            params["fields"] = [self.collection.target_key]
        writer = await asyncio.to_thread(create, target, self.format)
        count = 0
        try:
            # Programs know a field by its path, whatever it is called in a language.
            by_path = self.format == "json"
            titles = [each.path if by_path else each.title for each in self.columns]
            await asyncio.to_thread(writer.write, [titles])
            size = BATCH if self.limit is None else max(1, min(BATCH, self.limit))
            batches = app.records.scan(self.collection, params, self.caller, action="export", size=size)
            async for batch in batches:
                rows = batch if self.limit is None else batch[: self.limit - count]
                cells = [[column.read(record) for column in self.columns] for record in rows]
                await asyncio.to_thread(writer.write, cells)
                count += len(rows)
                if progress is not None:
                    await progress(count)
                if self.limit is not None and count >= self.limit:
                    break
            await asyncio.to_thread(writer.close)
        except BaseException:
            await asyncio.to_thread(writer.discard)
            raise
        return count

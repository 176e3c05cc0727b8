"""Export as a task: all rows, with progress, and a file to fetch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from atoll.application.api.actions.records import restricted
from atoll.application.context import Context
from atoll.application.tasks import (
    NewTask,
    TaskFile,
    TaskResult,
    TaskRun,
    TaskType,
    own_collection,
)
from atoll.database.drivers.base import Connection
from atoll.plugins.import_export.exporting import Export

if TYPE_CHECKING:
    from atoll.application.app import Application


class ExportTask(TaskType):
    """`{"collection", "columns", "filter", "sort", "format", "values", "name"}`.

    A run that was interrupted begins anew: half a file is worth nothing.
    """

    name = "export"

    async def prepare(self, ctx: Context, params: Mapping[str, Any]) -> NewTask:
        """See the base class."""
        collection = own_collection(ctx.app, params.get("collection"))
        export = Export.read(ctx.app, collection, params, restricted(ctx))
        total = await export.count(ctx.app)
        name = params.get("name")
        name = name if isinstance(name, str) and name else f"{collection.title}.{export.format}"
        return NewTask(name, {**params, "name": name}, collection.name, total)

    async def run(self, run: TaskRun) -> TaskResult:
        """See the base class."""
        collection = own_collection(run.app, run.params.get("collection"))
        export = Export.read(run.app, collection, run.params, run.caller)
        await run.progress(0, await export.count(run.app))
        part = run.folder / "part"
        count = await export.write(run.app, part, run.progress)
        await run.progress(count, count)
        target = run.folder / "result"
        await asyncio.to_thread(part.replace, target)
        return TaskResult({"rows": count}, TaskFile(target, str(run.params["name"])))

    async def ended(self, app: Application, task: str, connection: Connection) -> None:
        """Nothing is kept in the database."""
